package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.WalSegment;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.LongFunction;

/// Where a [WalReader] gets its bytes: the log of one cluster, addressed by position. Which
/// timeline's file a segment comes from is the source's knowledge.
public interface WalSource {
    /// Answer of [#read]: the segment, or the rest of it, is not there and will not come.
    int MISSING = -1;

    /// Reads up to `length` bytes at `position`; the range never crosses a segment's end.
    ///
    /// @return how many bytes were put to `target` (fewer than asked for is normal); 0 if there are
    ///   none yet but there may be later; [#MISSING] if there are none and never will be. Bytes
    ///   once given never change, so a source over a growing file must know its valid end.
    int read(Lsn position, byte[] target, int offset, int length);

    /// One segment in memory; shorter than a segment means that the rest is missing.
    static WalSource of(WalSegment segment, byte[] bytes) {
        return segments(
                segment.sizeBytes(),
                number -> number == segment.number() ? Optional.of(bytes) : Optional.empty());
    }

    /// Whole segments by number (position divided by segment size). The last one asked for is kept.
    static WalSource segments(int segmentBytes, LongFunction<Optional<byte[]>> byNumber) {
        return new SegmentSource(segmentBytes, byNumber);
    }

    /// The segment files of one timeline in a directory such as `pg_wal` or an archive.
    static DirectorySource directory(Path directory, WalSegment anySegment) {
        return new DirectorySource(directory, anySegment);
    }
}
