package dev.mainstay.postgres.wal;

import java.util.HashMap;
import java.util.Map;

/// Which file holds the catalog `pg_class` in each database. It is a mapped catalog: initdb gives
/// it the file 1259, `VACUUM FULL` of it and the like move it, and the WAL says so with a new
/// relation map. Who knows a database's `pg_filenode.map` — a catalog snapshot does — says so here.
public final class PgClassFiles {
    private static final long INITIAL = 1259;

    private final Map<Long, Long> moved;

    private PgClassFiles(Map<Long, Long> moved) {
        this.moved = moved;
    }

    /// As initdb leaves it.
    public static PgClassFiles initial() {
        return new PgClassFiles(new HashMap<>());
    }

    /// @param byDatabase file number by database OID, where it is known to be another than at first
    public static PgClassFiles of(Map<Long, Long> byDatabase) {
        return new PgClassFiles(new HashMap<>(byDatabase));
    }

    PgClassFiles copy() {
        return of(moved);
    }

    boolean isPgClass(int database, int file) {
        if (moved.isEmpty()) {
            return file == INITIAL;
        }
        return of(Integer.toUnsignedLong(database)) == Integer.toUnsignedLong(file);
    }

    long of(long database) {
        return moved.getOrDefault(database, INITIAL);
    }

    void put(long database, long file) {
        moved.put(database, file);
    }

    /// Follows an event of the log.
    public void follow(WalEvent event) {
        if (event instanceof WalEvent.RelationMapUpdated map && map.database() != 0) {
            map.pgClass().ifPresent(file -> moved.put(map.database(), file));
        } else if (event instanceof WalEvent.DatabaseCreated created) {
            created.template()
                    .ifPresent(from -> moved.put(created.database(), of(from.database())));
        }
    }
}
