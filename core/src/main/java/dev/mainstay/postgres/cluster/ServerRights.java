package dev.mainstay.postgres.cluster;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/// What the backup's role may not do, each with the statement that grants it.
final class ServerRights {
    static final String SYSTEM_ID = "pg_control_system()";
    private final Connection connection;
    private final String role;

    private ServerRights(Connection connection, String role) {
        this.connection = connection;
        this.role = role;
    }

    /// What the receiver of WAL does with its slot; everybody may, unless somebody hardened it.
    private static final List<String> SLOT_FUNCTIONS =
            List.of(
                    "pg_create_physical_replication_slot(name, boolean, boolean)",
                    "pg_replication_slot_advance(name, pg_lsn)",
                    "pg_drop_replication_slot(name)");

    /// @param backupFunctions what the way files come calls for
    static List<Finding> missing(Connection connection, List<String> backupFunctions)
            throws SQLException {
        try (Statement statement = connection.createStatement()) {
            String role =
                    BackupSession.value(statement, "SELECT pg_catalog.quote_ident(current_user)");
            ServerRights rights = new ServerRights(connection, role);
            List<Finding> findings = new ArrayList<>();
            List<String> functions = new ArrayList<>(backupFunctions);
            functions.addAll(
                    List.of("pg_create_restore_point(text)", "pg_switch_wal()", SYSTEM_ID));
            functions.addAll(SLOT_FUNCTIONS);
            for (String function : functions) {
                rights.function(function, findings);
            }
            rights.settings(statement, findings);
            rights.replication(statement, findings);
            rights.databases(statement, findings);
            return findings;
        }
    }

    /// EXECUTE, in the connection's database.
    static boolean mayExecute(Connection connection, String function) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement(
                        "SELECT pg_catalog.has_function_privilege(?, 'EXECUTE')")) {
            query.setString(1, "pg_catalog." + function);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    private void function(String function, List<Finding> findings) throws SQLException {
        if (!mayExecute(connection, function)) {
            add(
                    findings,
                    "right-execute",
                    "may not execute " + function,
                    "GRANT EXECUTE ON FUNCTION pg_catalog." + function + " TO " + role);
        }
    }

    private void settings(Statement statement, List<Finding> findings) throws SQLException {
        if (!holds(statement, "SELECT pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')")) {
            add(
                    findings,
                    "right-settings",
                    "may not read all settings, such as data_directory",
                    "GRANT pg_read_all_settings TO " + role);
        }
    }

    private void replication(Statement statement, List<Finding> findings) throws SQLException {
        if (!holds(
                statement,
                "SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles"
                        + " WHERE rolname = current_user")) {
            add(
                    findings,
                    "right-replication",
                    "may not stream WAL",
                    "ALTER ROLE " + role + " REPLICATION");
        }
    }

    /// The catalog snapshot of a backup reads every database.
    private void databases(Statement statement, List<Finding> findings) throws SQLException {
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT pg_catalog.quote_ident(datname) FROM pg_catalog.pg_database"
                                + " WHERE datallowconn AND datconnlimit <> -2 AND NOT"
                                + " pg_catalog.has_database_privilege(oid, 'CONNECT')"
                                + " ORDER BY 1")) {
            while (row.next()) {
                String database = row.getString(1);
                add(
                        findings,
                        "right-connect",
                        "may not connect to database " + database,
                        "GRANT CONNECT ON DATABASE " + database + " TO " + role);
            }
        }
    }

    private void add(List<Finding> findings, String id, String lacks, String statement) {
        findings.add(
                Finding.error(id, "role " + role + " " + lacks, "run: " + statement)
                        .fixedBy(statement));
    }

    private static boolean holds(Statement statement, String query) throws SQLException {
        return BackupSession.value(statement, query).equals("t");
    }
}
