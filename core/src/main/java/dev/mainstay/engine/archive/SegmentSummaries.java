package dev.mainstay.engine.archive;

import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.PgClassFiles;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.postgres.wal.WalSummariser;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.WalArchive;

import java.util.Optional;

/// Makes the summaries of stored segments. A record may continue in the next segment, so a segment
/// can be summarised once the next one is stored too; whoever stores a segment summarises the one
/// before.
public final class SegmentSummaries {
    private final WalArchive archive;
    private Optional<Held> last = Optional.empty();

    private record Held(WalSegment segment, byte[] content) {}

    public SegmentSummaries(WalArchive archive) {
        this.archive = archive;
    }

    /// To be called after a segment was stored: summarises the one before it, unless that was done.
    public void stored(WalSegment segment, byte[] content) {
        if (segment.number() > 0) {
            WalSegment before =
                    new WalSegment(segment.timeline(), segment.number() - 1, segment.sizeBytes());
            if (archive.getSummary(before).isEmpty()) {
                Optional<byte[]> earlier =
                        last.filter(held -> held.segment.equals(before))
                                .map(Held::content)
                                .or(() -> archive.get(before));
                earlier.ifPresent(bytes -> summarise(before, bytes, content));
            }
        }
        last = Optional.of(new Held(segment, content));
    }

    /// Summarises every stored segment from `from` on that has no summary and whose successor is
    /// stored.
    ///
    /// @return how many were made
    public int backfill(WalSegment from) {
        int[] made = new int[1];
        archive.segments(
                from,
                segment -> {
                    if (archive.getSummary(segment).isEmpty() && archive.has(segment.next())) {
                        byte[] content = archive.get(segment).orElseThrow();
                        byte[] next = archive.get(segment.next()).orElseThrow();
                        summarise(segment, content, next);
                        made[0]++;
                    }
                });
        return made[0];
    }

    private void summarise(WalSegment segment, byte[] content, byte[] next) {
        summary(segment, content, next)
                .filter(WalSummary::complete)
                .ifPresent(summary -> archive.putSummary(segment, summary.encode()));
    }

    /// The summary of a segment, given its own and the next one's bytes; empty if the WAL in them
    /// is not readable to us, which readers of summaries take as "read everything".
    static Optional<WalSummary> summary(WalSegment segment, byte[] content, byte[] next) {
        try {
            WalLayout layout = WalLayout.read(content);
            WalSource both =
                    WalSource.segments(
                            segment.sizeBytes(),
                            number ->
                                    number == segment.number()
                                            ? Optional.of(content)
                                            : number == segment.number() + 1
                                                    ? Optional.of(next)
                                                    : Optional.empty());
            return Optional.of(
                    WalSummariser.summarise(segment, both, layout, PgClassFiles.initial()));
        } catch (MainstayException unreadable) {
            return Optional.empty();
        }
    }
}
