package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import java.util.Optional;
import java.util.function.LongFunction;

/// Segments as byte arrays, fetched one at a time.
final class SegmentSource implements WalSource {
    private final int segmentBytes;
    private final LongFunction<Optional<byte[]>> byNumber;
    private long current = -1;
    private Optional<byte[]> bytes = Optional.empty();

    SegmentSource(int segmentBytes, LongFunction<Optional<byte[]>> byNumber) {
        this.segmentBytes = segmentBytes;
        this.byNumber = byNumber;
    }

    @Override
    public int read(Lsn position, byte[] target, int offset, int length) {
        long number = Long.divideUnsigned(position.value(), segmentBytes);
        if (number != current) {
            bytes = byNumber.apply(number);
            current = number;
        }
        if (bytes.isEmpty()) {
            return MISSING;
        }
        byte[] segment = bytes.get();
        int at = (int) Long.remainderUnsigned(position.value(), segmentBytes);
        int count = Math.min(length, segment.length - at);
        if (count <= 0) {
            return MISSING;
        }
        System.arraycopy(segment, at, target, offset, count);
        return count;
    }
}
