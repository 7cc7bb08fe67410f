package dev.mainstay.engine.check;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// What a server says about archiving and replication, read at one moment.
///
/// @param settings those the role may read
/// @param receiver whether a stream is open that calls itself by the slot's name, as ours does
/// @param slots how many replication slots there are, of any name
record ServerView(
        Map<String, String> settings,
        Optional<Slot> slot,
        boolean receiver,
        int slots,
        Archiver archiver) {
    /// @param holder process that streams from the slot itself and is none of ours
    /// @param lagBytes what the server keeps for it; empty if it keeps nothing
    /// @param safeBytes how much more may be written before it is lost; empty without a limit
    record Slot(
            String type,
            String status,
            Optional<Integer> holder,
            OptionalLong lagBytes,
            OptionalLong safeBytes) {}

    /// What `pg_stat_archiver` counts.
    record Archiver(
            long failures,
            Optional<String> lastFailed,
            Optional<Instant> failedAt,
            Optional<Instant> archivedAt) {
        boolean isFailing() {
            return failedAt.isPresent()
                    && archivedAt.map(archived -> failedAt.get().isAfter(archived)).orElse(true);
        }
    }

    static ServerView read(Connection connection, String slotName) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            Map<String, String> settings = new HashMap<>();
            try (ResultSet row =
                    statement.executeQuery(
                            "SELECT name, coalesce(setting, '') FROM pg_catalog.pg_settings WHERE"
                                    + " name IN ('archive_mode', 'archive_command',"
                                    + " 'archive_library', 'synchronous_commit',"
                                    + " 'synchronous_standby_names', 'max_replication_slots')")) {
                while (row.next()) {
                    settings.put(row.getString(1), row.getString(2));
                }
            }
            return new ServerView(
                    Map.copyOf(settings),
                    slot(connection, slotName),
                    count(
                                    connection,
                                    "SELECT count(*) FROM pg_catalog.pg_stat_replication"
                                            + " WHERE application_name = ?",
                                    slotName)
                            > 0,
                    count(
                            connection,
                            "SELECT count(*) FROM pg_catalog.pg_replication_slots"
                                    + " WHERE slot_name <> ?",
                            slotName),
                    archiver(statement));
        }
    }

    String setting(String name) {
        return settings.getOrDefault(name, "");
    }

    private static int count(Connection connection, String query, String name) throws SQLException {
        try (PreparedStatement count = connection.prepareStatement(query)) {
            count.setString(1, name);
            try (ResultSet row = count.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    /// Backends of other roles hide their names from a role without pg_read_all_stats; such a
    /// holder is none of ours either.
    private static Optional<Slot> slot(Connection connection, String name) throws SQLException {
        try (PreparedStatement find =
                connection.prepareStatement(
                        "SELECT s.slot_type, coalesce(s.wal_status, 'lost'),"
                                + " CASE WHEN coalesce(a.application_name, '') NOT IN"
                                + " ('mainstay slot', s.slot_name) THEN s.active_pid END,"
                                + " CASE WHEN s.restart_lsn IS NOT NULL THEN"
                                + " pg_catalog.pg_wal_lsn_diff(CASE WHEN"
                                + " pg_catalog.pg_is_in_recovery() THEN"
                                + " pg_catalog.pg_last_wal_replay_lsn() ELSE"
                                + " pg_catalog.pg_current_wal_lsn() END, s.restart_lsn) END,"
                                + " s.safe_wal_size FROM pg_catalog.pg_replication_slots s"
                                + " LEFT JOIN pg_catalog.pg_stat_activity a"
                                + " ON a.pid = s.active_pid WHERE s.slot_name = ?")) {
            find.setString(1, name);
            try (ResultSet row = find.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                int pid = row.getInt(3);
                Optional<Integer> holder = row.wasNull() ? Optional.empty() : Optional.of(pid);
                return Optional.of(
                        new Slot(
                                row.getString(1),
                                row.getString(2),
                                holder,
                                number(row, 4),
                                number(row, 5)));
            }
        }
    }

    private static OptionalLong number(ResultSet row, int column) throws SQLException {
        long value = row.getLong(column);
        return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(value);
    }

    private static Archiver archiver(Statement statement) throws SQLException {
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT failed_count, last_failed_wal, last_failed_time,"
                                + " last_archived_time FROM pg_catalog.pg_stat_archiver")) {
            row.next();
            return new Archiver(
                    row.getLong(1),
                    Optional.ofNullable(row.getString(2)),
                    time(row, 3),
                    time(row, 4));
        }
    }

    private static Optional<Instant> time(ResultSet row, int column) throws SQLException {
        return Optional.ofNullable(row.getObject(column, OffsetDateTime.class))
                .map(OffsetDateTime::toInstant);
    }
}
