package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Has amcheck look through a database: every table's rows and every B-tree index against its
/// table. The extension is made for that in a schema of its own and dropped again, unless the
/// database has it.
public final class StructureCheck {
    private static final String SCHEMA = "mainstay_amcheck";
    private static final int REPORTED = 10;

    /// @param damage the first findings
    /// @param note why nothing or not everything was looked at
    public record Result(long tables, long indexes, List<String> damage, Optional<String> note) {
        /// @param what was checked, for the message
        /// @throws MainstayException RESTORE_DATABASE_DAMAGED
        public void demandWell(String what) {
            if (!damage.isEmpty()) {
                throw new MainstayException(
                        ErrorCode.RESTORE_DATABASE_DAMAGED,
                        "amcheck finds " + what + " damaged: " + String.join("; ", damage));
            }
        }
    }

    private final Statement statement;
    private final List<String> damage = new ArrayList<>();

    private StructureCheck(Statement statement) {
        this.statement = statement;
    }

    /// @param sql of a superuser; commits by itself
    /// @param relations SQL condition on `c` (pg_class) for tables; indexes follow their tables
    public static Result run(Connection sql, String relations) throws SQLException {
        try (Statement statement = sql.createStatement()) {
            return new StructureCheck(statement).run(relations);
        }
    }

    private Result run(String relations) throws SQLException {
        if (texts("SELECT name FROM pg_catalog.pg_available_extensions WHERE name = 'amcheck'")
                .isEmpty()) {
            return new Result(
                    0, 0, List.of(), Optional.of("not checked: amcheck is not installed here"));
        }
        List<String> installed =
                texts(
                        "SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e"
                                + " JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
                                + " WHERE e.extname = 'amcheck'");
        if (!installed.isEmpty()) {
            return check(installed.getFirst(), relations);
        }
        statement.execute("CREATE SCHEMA " + SCHEMA);
        try {
            statement.execute("CREATE EXTENSION amcheck SCHEMA " + SCHEMA);
            return check(SCHEMA, relations);
        } finally {
            statement.execute("DROP SCHEMA " + SCHEMA + " CASCADE");
        }
    }

    private Result check(String schema, String relations) throws SQLException {
        List<String> tables =
                texts(
                        "SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 't', 'm')"
                                + " AND c.relam = 2 AND c.relpersistence <> 't' AND ("
                                + relations
                                + ")");
        for (String table : tables) {
            find(
                    "SELECT pg_catalog.concat_ws(' ', "
                            + table
                            + "::pg_catalog.regclass, 'block', blkno, 'item', offnum, msg) FROM "
                            + schema
                            + ".verify_heapam("
                            + table
                            + "::pg_catalog.regclass) LIMIT "
                            + REPORTED);
        }
        List<String> indexes =
                texts(
                        "SELECT i.indexrelid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x"
                            + " ON x.oid = i.indexrelid JOIN pg_catalog.pg_class c ON c.oid ="
                            + " i.indrelid WHERE x.relkind = 'i' AND x.relam = 403 AND i.indisready"
                            + " AND i.indisvalid AND x.relpersistence <> 't' AND ("
                                + relations
                                + ")");
        for (String index : indexes) {
            find(
                    "SELECT NULL::text FROM (SELECT "
                            + schema
                            + ".bt_index_check("
                            + index
                            + "::pg_catalog.regclass, true)) AS checked");
        }
        return new Result(tables.size(), indexes.size(), damage, Optional.empty());
    }

    private void find(String query) throws SQLException {
        if (damage.size() >= REPORTED) {
            return;
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped");
        }
        try {
            texts(query).forEach(damage::add);
        } catch (SQLException found) {
            String state = String.valueOf(found.getSQLState());
            if (!state.startsWith("XX")) {
                throw found;
            }
            damage.add(String.valueOf(found.getMessage()));
        }
    }

    /// Values that are not null.
    private List<String> texts(String query) throws SQLException {
        List<String> texts = new ArrayList<>();
        try (ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                String text = row.getString(1);
                if (text != null) {
                    texts.add(text);
                }
            }
        }
        return texts;
    }
}
