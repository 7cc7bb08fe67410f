package dev.mainstay.engine.restore;

import dev.mainstay.base.Lsn;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// How far a server has replayed, as long as it was not started again.
///
/// @param lastCommit the last transaction that was replayed
public record ReplayEnd(Optional<Lsn> position, Optional<Instant> lastCommit) {
    public static ReplayEnd of(Connection sql) throws SQLException {
        try (Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT pg_catalog.pg_last_wal_replay_lsn(),"
                                        + " pg_catalog.pg_last_xact_replay_timestamp()")) {
            row.next();
            return new ReplayEnd(
                    Optional.ofNullable(row.getString(1)).map(Lsn::parse),
                    Optional.ofNullable(row.getObject(2, OffsetDateTime.class))
                            .map(OffsetDateTime::toInstant));
        }
    }

    /// Today's names of databases that were wanted by their names in the backup.
    static List<String> names(Connection sql, KeptDatabases kept, Set<String> wanted)
            throws SQLException {
        List<String> names = new ArrayList<>();
        try (Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT oid, datname FROM pg_catalog.pg_database"
                                        + " WHERE datallowconn AND datconnlimit <> -2")) {
            while (row.next()) {
                long oid = row.getLong(1);
                if (wanted.stream().anyMatch(name -> kept.oid(name).equals(Optional.of(oid)))) {
                    names.add(row.getString(2));
                }
            }
        }
        return names;
    }
}
