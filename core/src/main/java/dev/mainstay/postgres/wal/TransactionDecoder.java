package dev.mainstay.postgres.wal;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Records of the transaction manager (src/include/access/xact.h): the fixed part is the time, then
/// follow the parts that the info word announces, in a fixed order.
final class TransactionDecoder {
    static final int COMMIT = 0x00;
    static final int PREPARE = 0x10;
    static final int ABORT = 0x20;
    static final int COMMIT_PREPARED = 0x30;
    static final int ABORT_PREPARED = 0x40;
    static final int ASSIGNMENT = 0x50;
    private static final int OPERATION = 0x70;
    private static final int HAS_INFO = 0x80;

    private static final int HAS_DATABASE = 1;
    private static final int HAS_SUBTRANSACTIONS = 1 << 1;
    private static final int HAS_FILES = 1 << 2;
    private static final int HAS_INVALIDATIONS = 1 << 3;
    private static final int HAS_TWO_PHASE = 1 << 4;
    private static final int HAS_ORIGIN = 1 << 5;
    private static final int HAS_GID = 1 << 7;
    private static final int HAS_DROPPED_STATISTICS = 1 << 8;
    private static final int RELATION_STATISTICS = 2;

    private TransactionDecoder() {}

    static int operation(WalRecord record) {
        return record.info() & OPERATION;
    }

    static Optional<WalEvent> decode(WalRecord record) {
        return switch (operation(record)) {
            case COMMIT -> Optional.of(end(record, true, false));
            case ABORT -> Optional.of(end(record, false, false));
            case COMMIT_PREPARED -> Optional.of(end(record, true, true));
            case ABORT_PREPARED -> Optional.of(end(record, false, true));
            case PREPARE -> Optional.of(prepare(record));
            case ASSIGNMENT -> {
                DataCursor data = record.data();
                long top = data.u32();
                yield Optional.of(
                        new WalEvent.SubtransactionsAssigned(top, data.numbers(data.count(4))));
            }
            default -> Optional.empty();
        };
    }

    private static WalEvent end(WalRecord record, boolean committed, boolean prepared) {
        DataCursor data = record.data();
        var time = data.time();
        int parts = (record.info() & HAS_INFO) != 0 ? data.i32() : 0;
        if ((parts & HAS_DATABASE) != 0) {
            data.skip(8);
        }
        List<Long> subtransactions =
                (parts & HAS_SUBTRANSACTIONS) != 0 ? data.numbers(data.count(4)) : List.of();
        List<RelationFile> dropped =
                (parts & HAS_FILES) != 0 ? data.files(data.count(12)) : List.of();
        List<WalEvent.RelationId> relations =
                (parts & HAS_DROPPED_STATISTICS) != 0 && record.format().hasDroppedStatistics()
                        ? statistics(data, record.format())
                        : List.of();
        if (committed && (parts & HAS_INVALIDATIONS) != 0) {
            data.skip(16L * data.count(16));
        }
        long xid = record.xid();
        Optional<String> gid = Optional.empty();
        if ((parts & HAS_TWO_PHASE) != 0) {
            xid = data.u32();
            if ((parts & HAS_GID) != 0) {
                gid = Optional.of(data.text());
            }
        }
        Optional<WalEvent.Origin> origin = Optional.empty();
        if ((parts & HAS_ORIGIN) != 0) {
            var lsn = data.lsn();
            origin = Optional.of(new WalEvent.Origin(lsn, data.time()));
        }
        return new WalEvent.TransactionEnd(
                committed, prepared, xid, time, subtransactions, dropped, relations, gid, origin);
    }

    private static List<WalEvent.RelationId> statistics(DataCursor data, WalFormat format) {
        int each = format.droppedStatisticsBytes();
        int count = data.count(each);
        List<WalEvent.RelationId> relations = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int kind = data.i32();
            long database = data.u32();
            long oid = data.u32();
            data.skip(each - 12L);
            if (kind == RELATION_STATISTICS) {
                relations.add(new WalEvent.RelationId(database, oid));
            }
        }
        return List.copyOf(relations);
    }

    private static WalEvent prepare(WalRecord record) {
        DataCursor data = record.data();
        data.skip(8); // magic and length of the state file
        long xid = data.u32();
        long database = data.u32();
        var time = data.time();
        data.skip(4); // owner
        int subtransactions = data.i32();
        int onCommit = data.i32();
        int onAbort = data.i32();
        if (record.format().hasDroppedStatistics()) {
            data.skip(8);
        }
        data.skip(5); // invalidations
        data.skip(1);
        int gidBytes = data.u16();
        data.skip(16); // origin
        String gid = data.text(gidBytes);
        data.align8();
        List<Long> xids = data.numbers(subtransactions);
        data.align8();
        List<RelationFile> commitFiles = data.files(onCommit);
        data.align8();
        List<RelationFile> abortFiles = data.files(onAbort);
        return new WalEvent.TransactionPrepared(
                xid, gid, time, database, xids, commitFiles, abortFiles);
    }
}
