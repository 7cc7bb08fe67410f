package dev.mainstay.postgres.cluster;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// The settings of a server that backups and WAL depend on, in the units of `pg_settings`.
final class ServerSettings {
    private static final String NAMES =
            "'wal_level', 'full_page_writes', 'archive_mode', 'archive_command',"
                    + " 'archive_library', 'max_wal_senders', 'max_replication_slots',"
                    + " 'max_slot_wal_keep_size', 'wal_segment_size', 'block_size',"
                    + " 'data_checksums', 'data_directory'";
    private static final int SENDERS_NEEDED = 2;

    private final Map<String, String> values = new TreeMap<>();
    private final Set<String> pending = new HashSet<>();

    private ServerSettings() {}

    /// Those that the role may read.
    static ServerSettings read(Connection connection) throws SQLException {
        ServerSettings settings = new ServerSettings();
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT name, coalesce(setting, ''), pending_restart"
                                        + " FROM pg_catalog.pg_settings WHERE name IN ("
                                        + NAMES
                                        + ")")) {
            while (row.next()) {
                settings.values.put(row.getString(1), row.getString(2));
                if (row.getBoolean(3)) {
                    settings.pending.add(row.getString(1));
                }
            }
        }
        return settings;
    }

    Map<String, String> values() {
        return values;
    }

    Optional<String> value(String name) {
        return Optional.ofNullable(values.get(name));
    }

    List<Finding> findings() {
        List<Finding> findings = new ArrayList<>();
        if (is("wal_level", "minimal")) {
            restart(findings, "wal_level", "WAL lacks what recovery needs", "replica");
        }
        atLeast(findings, "max_wal_senders", SENDERS_NEEDED);
        atLeast(findings, "max_replication_slots", 1);
        if (is("full_page_writes", "off")) {
            findings.add(
                    Finding.warning(
                                    "setting-full_page_writes",
                                    "full_page_writes is off: a crash may tear pages",
                                    "set full_page_writes = on")
                            .fixedBy("ALTER SYSTEM SET full_page_writes = 'on'"));
        }
        if (is("data_checksums", "off")) {
            findings.add(
                    Finding.warning(
                            "setting-data_checksums",
                            "data checksums are off: damaged pages cannot be noticed",
                            "stop the server and run pg_checksums --enable"));
        }
        value("max_slot_wal_keep_size")
                .filter(mebibytes -> !mebibytes.equals("-1"))
                .ifPresent(
                        mebibytes ->
                                findings.add(
                                        Finding.warning(
                                                "setting-max_slot_wal_keep_size",
                                                "the server drops WAL that is not archived yet once"
                                                        + " there are "
                                                        + mebibytes
                                                        + " MiB of it",
                                                "make sure that this outlasts the longest outage of"
                                                        + " the repository")));
        return findings;
    }

    private void atLeast(List<Finding> findings, String name, int least) {
        if (value(name).filter(v -> Integer.parseInt(v) < least).isPresent()) {
            restart(findings, name, "too few to stream WAL", "10");
        }
    }

    private void restart(List<Finding> findings, String name, String why, String wanted) {
        String text = name + " is " + values.get(name) + ": " + why;
        String id = "setting-" + name;
        if (pending.contains(name)) {
            String todo = name + " is changed; restart the server";
            findings.add(Finding.error(id, text, todo).afterRestart());
            return;
        }
        String todo = "set " + name + " = " + wanted + " and restart the server";
        findings.add(
                Finding.error(id, text, todo)
                        .fixedBy("ALTER SYSTEM SET " + name + " = '" + wanted + "'")
                        .afterRestart());
    }

    private boolean is(String name, String value) {
        return value.equals(values.get(name));
    }
}
