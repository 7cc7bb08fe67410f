package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.WalEnd;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalPending;
import dev.mainstay.postgres.wal.WalReader;
import dev.mainstay.postgres.wal.WalRecord;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.postgres.wal.WalStep;

import java.util.Arrays;

/// How far the beginning of a segment is WAL: records whose CRC holds.
final class ValidWal {
    private ValidWal() {}

    /// @return bytes from the start; 0 if not even the first page is WAL
    static int prefix(WalSegment segment, byte[] bytes) {
        if (bytes.length < 40) {
            return 0;
        }
        try {
            WalReader reader =
                    WalReader.seek(
                            WalSource.of(segment, Arrays.copyOf(bytes, bytes.length)),
                            WalLayout.read(bytes),
                            segment.start());
            Lsn end = segment.start();
            while (true) {
                WalStep step = reader.next();
                switch (step) {
                    case WalRecord record -> end = record.end();
                    case WalEnd stop -> {
                        Lsn valid = stop.lsn().isAfter(end) ? stop.lsn() : end;
                        return Math.clamp(valid.minus(segment.start()), 0, bytes.length);
                    }
                    case WalPending _ -> {
                        return Math.clamp(end.minus(segment.start()), 0, bytes.length);
                    }
                }
            }
        } catch (MainstayException noWal) {
            return 0;
        }
    }
}
