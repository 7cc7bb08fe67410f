package dev.mainstay.engine.backup;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.DirectorySource;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.repository.WalArchive;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongFunction;

/// A cluster's log as far as it is still in the server's `pg_wal`, and where it is not, as it is
/// archived. Only for positions that the server has written to its disk already.
final class ServerLog implements WalSource {
    private final WalArchive archive;
    private final Path pgWal;
    private final LongFunction<WalSegment> byNumber;
    private final int segmentBytes;
    private final WalSource archived;

    /// @param byNumber tells the timeline of a segment
    ServerLog(WalArchive archive, Path pgWal, LongFunction<WalSegment> byNumber, int segmentBytes) {
        this.archive = archive;
        this.pgWal = pgWal;
        this.byNumber = byNumber;
        this.segmentBytes = segmentBytes;
        this.archived =
                WalSource.segments(segmentBytes, number -> archive.get(byNumber.apply(number)));
    }

    boolean has(WalSegment segment) {
        return Files.exists(pgWal.resolve(segment.fileName())) || archive.has(segment);
    }

    @Override
    public int read(Lsn position, byte[] target, int offset, int length) {
        WalSegment segment = byNumber.apply(Long.divideUnsigned(position.value(), segmentBytes));
        try (DirectorySource local = WalSource.directory(pgWal, segment)) {
            int count = local.read(position, target, offset, length);
            return count != MISSING ? count : archived.read(position, target, offset, length);
        }
    }
}
