package dev.mainstay.postgres.wal;

import java.util.Optional;

/// Which rows of a catalog a heap record inserts, moves or deletes (src/include/access/
/// heapam_xlog.h). Updates in place and locks change no row's place and are left out.
final class CatalogRows {
    private static final int OPERATION = 0x70;
    private static final int INSERT = 0x00;
    private static final int DELETE = 0x10;
    private static final int UPDATE = 0x20;
    private static final int HOT_UPDATE = 0x40;

    private CatalogRows() {}

    static Optional<WalEvent.CatalogRowChanged> decode(WalRecord record) {
        DataCursor data = record.data();
        long database = Integer.toUnsignedLong(record.blockDatabase(0));
        long first = record.blockNumber(0);
        return switch (record.info() & OPERATION) {
            case INSERT ->
                    Optional.of(
                            new WalEvent.CatalogRowChanged(database, 0, row(first, data.u16())));
            case DELETE -> {
                data.skip(4);
                yield Optional.of(
                        new WalEvent.CatalogRowChanged(database, row(first, data.u16()), 0));
            }
            case UPDATE, HOT_UPDATE -> {
                data.skip(4);
                int oldOffset = data.u16();
                data.skip(6);
                long old = record.blockCount() > 1 ? record.blockNumber(1) : first;
                yield Optional.of(
                        new WalEvent.CatalogRowChanged(
                                database, row(old, oldOffset), row(first, data.u16())));
            }
            default -> Optional.empty();
        };
    }

    private static long row(long block, int offset) {
        return (block << 16) | offset;
    }
}
