package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

/// A sliding piece of the log in memory, filled from a source page by page and always beginning at
/// a page's start. Bytes stay where they are until a later page needs the room.
final class WalWindow {
    enum Fill {
        READY,
        PENDING,
        MISSING
    }

    private static final int BYTES = 1 << 19;

    private final WalSource source;
    private final int segmentBytes;
    private final byte[] bytes;
    private long start;
    private int length;

    WalWindow(WalSource source, int segmentBytes, int pageBytes) {
        this.source = source;
        this.segmentBytes = segmentBytes;
        this.bytes = new byte[Math.max(BYTES, 2 * pageBytes)];
    }

    byte[] bytes() {
        return bytes;
    }

    /// Index of `position` in [#bytes].
    int index(long position) {
        return (int) (position - start);
    }

    /// First byte that is not here.
    long limit() {
        return start + length;
    }

    /// Gets the first `count` bytes of the page at `page` (and often more).
    Fill need(long page, int count) {
        long offset = page - start;
        if (offset >= 0 && offset + count <= length) {
            return Fill.READY;
        }
        if (offset < 0 || offset > length) {
            start = page;
            length = 0;
            offset = 0;
        } else if (offset + count > bytes.length && offset > 0) {
            System.arraycopy(bytes, (int) offset, bytes, 0, length - (int) offset);
            start = page;
            length -= (int) offset;
            offset = 0;
        }
        while (offset + count > length) {
            long position = start + length;
            long inSegment = segmentBytes - (position & (segmentBytes - 1L));
            int room = (int) Math.min(bytes.length - length, inSegment);
            int got = source.read(Lsn.of(position), bytes, length, room);
            if (got < 0) {
                return Fill.MISSING;
            }
            if (got == 0) {
                return Fill.PENDING;
            }
            if (got > room) {
                throw new IllegalStateException("the WAL source gave more than it was asked for");
            }
            length += got;
        }
        return Fill.READY;
    }
}
