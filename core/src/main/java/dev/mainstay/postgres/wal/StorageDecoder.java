package dev.mainstay.postgres.wal;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Records about files, databases, tablespaces and the relation map (catalog/storage_xlog.h,
/// commands/dbcommands_xlog.h, commands/tablespace.h, utils/relmapper.h), and the few of the heap
/// and standby managers that concern whole relations or the set of transactions.
final class StorageDecoder {
    private static final int RELATION_MAP_MAGIC = 0x592717;
    static final int HEAP_TRUNCATE = 0x30;
    private static final int HEAP_OPERATION = 0x70;

    private StorageDecoder() {}

    static Optional<WalEvent> decode(WalRecord record) {
        int operation = record.operation();
        if (record.is(Rmgr.STORAGE)) {
            return storage(record, operation);
        } else if (record.is(Rmgr.DATABASE)) {
            return database(record, operation);
        } else if (record.is(Rmgr.TABLESPACE)) {
            DataCursor data = record.data();
            long tablespace = data.u32();
            return switch (operation) {
                case 0x00 -> Optional.of(new WalEvent.TablespaceCreated(tablespace, data.text()));
                case 0x10 -> Optional.of(new WalEvent.TablespaceDropped(tablespace));
                default -> Optional.empty();
            };
        }
        return operation == 0 ? Optional.of(relationMap(record)) : Optional.empty();
    }

    /// Whether these kinds of record are all this version knows.
    static boolean isKnown(WalRecord record) {
        int operation = record.operation();
        if (record.is(Rmgr.STORAGE)) {
            return operation == 0x10 || operation == 0x20;
        } else if (record.is(Rmgr.DATABASE)) {
            return operation <= (record.format().hasLoggedDatabaseCreation() ? 0x20 : 0x10);
        } else if (record.is(Rmgr.TABLESPACE)) {
            return operation <= 0x10;
        }
        return operation == 0;
    }

    private static Optional<WalEvent> storage(WalRecord record, int operation) {
        DataCursor data = record.data();
        if (operation == 0x10) {
            RelationFile file = data.file();
            int fork = data.i32();
            return Optional.of(
                    new WalEvent.FileCreated(
                            file,
                            Fork.ofNumber(fork)
                                    .orElseThrow(
                                            () -> WalEvent.invalid(record, "names fork " + fork))));
        }
        if (operation == 0x20) {
            long blocks = data.u32();
            RelationFile file = data.file();
            int flags = data.i32();
            return Optional.of(
                    new WalEvent.FileTruncated(
                            file, blocks, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0));
        }
        return Optional.empty();
    }

    private static Optional<WalEvent> database(WalRecord record, int operation) {
        DataCursor data = record.data();
        boolean logged = record.format().hasLoggedDatabaseCreation();
        long database = data.u32();
        if (operation == 0x00) {
            long tablespace = data.u32();
            long source = data.u32();
            return Optional.of(
                    new WalEvent.DatabaseCreated(
                            database,
                            tablespace,
                            Optional.of(new WalEvent.CopiedFrom(source, data.u32()))));
        }
        if (logged && operation == 0x10) {
            return Optional.of(
                    new WalEvent.DatabaseCreated(database, data.u32(), Optional.empty()));
        }
        if (operation == (logged ? 0x20 : 0x10)) {
            return Optional.of(new WalEvent.DatabaseDropped(database, data.numbers(data.count(4))));
        }
        return Optional.empty();
    }

    private static WalEvent relationMap(WalRecord record) {
        DataCursor data = record.data();
        long database = data.u32();
        long tablespace = data.u32();
        data.skip(4); // length of the map, which is the rest
        if (data.i32() != RELATION_MAP_MAGIC) {
            throw WalEvent.invalid(record, "holds no relation map");
        }
        int count = data.count(8);
        Map<Long, Long> files = new HashMap<>();
        for (int i = 0; i < count; i++) {
            long relation = data.u32();
            files.put(relation, data.u32());
        }
        return new WalEvent.RelationMapUpdated(database, tablespace, Map.copyOf(files));
    }

    static Optional<WalEvent> decodeHeap(WalRecord record) {
        if ((record.operation() & HEAP_OPERATION) != HEAP_TRUNCATE) {
            return Optional.empty();
        }
        DataCursor data = record.data();
        long database = data.u32();
        int count = data.i32();
        data.skip(1);
        data.skip(3);
        return Optional.of(new WalEvent.RelationsTruncated(database, data.numbers(count)));
    }

    static Optional<WalEvent> decodeStandby(WalRecord record) {
        if (record.operation() != 0x10) {
            return Optional.empty();
        }
        DataCursor data = record.data();
        data.skip(12); // counts, overflow flag and padding
        long next = data.u32();
        return Optional.of(new WalEvent.RunningTransactions(next, data.u32()));
    }
}
