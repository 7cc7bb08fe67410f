package dev.mainstay.postgres.wal;

import java.util.Locale;

/// The resource managers, in the order of their ids, which 14 to 18 share
/// (src/include/access/rmgrlist.h).
enum Rmgr {
    XLOG(0, "XLOG"),
    TRANSACTION(1, "Transaction"),
    STORAGE(2, "Storage"),
    CLOG(3, "CLOG"),
    DATABASE(4, "Database"),
    TABLESPACE(5, "Tablespace"),
    MULTIXACT(6, "MultiXact"),
    RELMAP(7, "RelMap"),
    STANDBY(8, "Standby"),
    HEAP2(9, "Heap2"),
    HEAP(10, "Heap"),
    BTREE(11, "Btree"),
    HASH(12, "Hash"),
    GIN(13, "Gin"),
    GIST(14, "Gist"),
    SEQUENCE(15, "Sequence"),
    SPGIST(16, "SPGist"),
    BRIN(17, "BRIN"),
    COMMIT_TS(18, "CommitTs"),
    REPLICATION_ORIGIN(19, "ReplicationOrigin"),
    GENERIC(20, "Generic"),
    LOGICAL_MESSAGE(21, "LogicalMessage");

    static final int FIRST_CUSTOM = 128;
    private static final Rmgr[] ALL = values();

    private final int id;
    private final String printed;

    Rmgr(int id, String printed) {
        this.id = id;
        this.printed = printed;
    }

    int id() {
        return id;
    }

    static boolean isKnown(int id) {
        return id < ALL.length;
    }

    static boolean isValid(int id, WalFormat format) {
        return id < ALL.length || (id >= FIRST_CUSTOM && format.hasCustomManagers());
    }

    /// As PostgreSQL's tools print it.
    static String name(int id) {
        return id < ALL.length ? ALL[id].printed : String.format(Locale.ROOT, "custom%03d", id);
    }
}
