package dev.mainstay.engine.backup;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.DirectorySource;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.repository.WalArchive;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.LongFunction;

/// A cluster's log as far as it is still in the server's `pg_wal`, and where it is not, as it is
/// archived. Only for positions that the server has written to its disk already.
final class ServerLog implements WalSource {
    private final WalArchive archive;
    private final Optional<Path> pgWal;
    private final LongFunction<WalSegment> byNumber;
    private final int segmentBytes;
    private final WalSource archived;

    /// @param pgWal empty where the server's files cannot be read
    /// @param byNumber tells the timeline of a segment
    ServerLog(
            WalArchive archive,
            Optional<Path> pgWal,
            LongFunction<WalSegment> byNumber,
            int segmentBytes) {
        this.archive = archive;
        this.pgWal = pgWal;
        this.byNumber = byNumber;
        this.segmentBytes = segmentBytes;
        this.archived =
                WalSource.segments(segmentBytes, number -> archive.get(byNumber.apply(number)));
    }

    boolean has(WalSegment segment) {
        return pgWal.filter(wal -> Files.exists(wal.resolve(segment.fileName()))).isPresent()
                || archive.has(segment);
    }

    @Override
    public int read(Lsn position, byte[] target, int offset, int length) {
        WalSegment segment = byNumber.apply(Long.divideUnsigned(position.value(), segmentBytes));
        if (pgWal.isEmpty()) {
            return archived.read(position, target, offset, length);
        }
        try (DirectorySource local = WalSource.directory(pgWal.get(), segment)) {
            int count = local.read(position, target, offset, length);
            return count != MISSING ? count : archived.read(position, target, offset, length);
        }
    }
}
