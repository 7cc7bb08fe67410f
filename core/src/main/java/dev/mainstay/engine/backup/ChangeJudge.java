package dev.mainstay.engine.backup;

import dev.mainstay.base.Lsn;
import dev.mainstay.postgres.cluster.PageCheck;
import dev.mainstay.postgres.cluster.PageMask;

import java.util.Optional;
import java.util.function.Supplier;

/// Judges, page by page, whether the log told of everything that changed since an earlier backup:
/// whether a backup that reads only the pages that the log names would hold what it has to.
///
/// It is for main and init forks; free space and visibility maps are no matter of the log and are
/// always read. Not for use by several threads at once.
public final class ChangeJudge {
    /// What a page is found to be.
    public enum Verdict {
        /// Not named, and as it was stored before.
        UNCHANGED,
        /// Named by the log, so that it is stored again whatever is in it.
        NAMED,
        /// Not named, and other than before only in what the server changes without logging it.
        MASKED,
        /// Not named, and changed after this backup began: replay puts its whole image there before
        /// anything else, so the earlier page serves as well.
        LATER,
        /// Not named although its content is another: a backup from the log alone would be wrong.
        MISSED
    }

    private final int blockSize;
    private final Lsn start;
    private final PageMask mask;

    /// @param start where replay of this backup begins
    public ChangeJudge(int blockSizeBytes, Lsn start) {
        this.blockSize = blockSizeBytes;
        this.start = start;
        this.mask = new PageMask(blockSizeBytes);
    }

    /// Judges one page. A page that the server is just writing can look missed: read it again
    /// before that is believed.
    ///
    /// @param now holds the page as it was read, at `offset`
    /// @param block its number within the fork, over all segment files
    /// @param named whether the log says it changed between the start of the earlier backup and
    ///   this one's
    /// @param earlier the page in the earlier backup, only asked for where it matters; empty if it
    ///   had no such page: what the server extends a file by without logging it is all zeros
    public Verdict judge(
            byte[] now, int offset, int block, boolean named, Supplier<Optional<byte[]>> earlier) {
        if (named) {
            return Verdict.NAMED;
        }
        byte[] before = earlier.get().orElseGet(() -> new byte[blockSize]);
        return switch (mask.compare(before, 0, now, offset, block)) {
            case IDENTICAL -> Verdict.UNCHANGED;
            case MASKED -> Verdict.MASKED;
            case DIFFERENT ->
                    PageCheck.lsn(now, offset).isAfter(start) ? Verdict.LATER : Verdict.MISSED;
        };
    }
}
