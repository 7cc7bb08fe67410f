package dev.mainstay.postgres.cluster;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What PostgreSQL's extension amcheck finds in the relations of one database. Not thread-safe.
public final class Amcheck {
    /// Findings of one call that are told.
    private static final int REPORTED = 10;

    /// A caller named something that is not there: here, blocks beyond a table's end.
    private static final String INVALID_PARAMETER = "22023";

    private final Statement statement;
    private final String schema;

    private Amcheck(Statement statement, String schema) {
        this.statement = statement;
        this.schema = schema;
    }

    /// A table, a materialised view, a TOAST table or an index.
    ///
    /// @param name as SQL writes it
    public record Relation(long oid, String name) {}

    /// Whether a database could be given the extension.
    public static boolean isAvailable(Statement statement) throws SQLException {
        return !texts(
                        statement,
                        "SELECT name FROM pg_catalog.pg_available_extensions WHERE name ="
                                + " 'amcheck'")
                .isEmpty();
    }

    /// The schema that holds the extension, as SQL writes it.
    public String schema() {
        return schema;
    }

    /// The extension, if the database has it.
    ///
    /// @param statement the caller's, who closes it
    public static Optional<Amcheck> installed(Statement statement) throws SQLException {
        return texts(
                        statement,
                        "SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e"
                                + " JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
                                + " WHERE e.extname = 'amcheck'")
                .stream()
                .findFirst()
                .map(schema -> new Amcheck(statement, schema));
    }

    /// Everything with rows in heap pages; of others' temporary tables nothing can be read.
    ///
    /// @param condition SQL on `c` (pg_class)
    public List<Relation> tables(String condition) throws SQLException {
        return relations(
                "pg_catalog.pg_class c WHERE c.relkind IN ('r', 't', 'm') AND c.relam = 2 AND"
                        + " c.relpersistence <> 't' AND ("
                        + condition
                        + ")",
                "c");
    }

    /// Valid B-tree indexes.
    ///
    /// @param condition SQL on `c` (pg_class), the table of an index
    public List<Relation> indexes(String condition) throws SQLException {
        return relations(
                "pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN"
                        + " pg_catalog.pg_class c ON c.oid = i.indrelid WHERE x.relkind = 'i' AND"
                        + " x.relam = 403 AND i.indisready AND i.indisvalid AND x.relpersistence <>"
                        + " 't' AND ("
                        + condition
                        + ")",
                "x");
    }

    private List<Relation> relations(String from, String of) throws SQLException {
        List<Relation> found = new ArrayList<>();
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT %1$s.oid, %1$s.oid::pg_catalog.regclass::text FROM %2$s ORDER BY 1"
                                .formatted(of, from))) {
            while (row.next()) {
                found.add(new Relation(row.getLong(1), row.getString(2)));
            }
        }
        return List.copyOf(found);
    }

    /// How many blocks a relation's main fork has; of one that is gone, 0. Waits for whoever has
    /// locked it.
    public long blocks(Relation relation) throws SQLException {
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT coalesce(pg_catalog.pg_relation_size("
                                + relation.oid()
                                + "), 0) / pg_catalog.current_setting('block_size')::int")) {
            row.next();
            return row.getLong(1);
        }
    }

    /// What is wrong with a table's rows.
    public List<String> table(Relation table) throws SQLException {
        return found(table, heap(table, ""));
    }

    /// What is wrong with the rows in some blocks of a table; of blocks that it does not have any
    /// more, nothing.
    ///
    /// @param last counted from 0
    public List<String> table(Relation table, long first, long last) throws SQLException {
        try {
            return found(table, heap(table, ", startblock := " + first + ", endblock := " + last));
        } catch (SQLException beyond) {
            if (!INVALID_PARAMETER.equals(beyond.getSQLState())) {
                throw beyond;
            }
            long end = blocks(table);
            if (end > last) {
                throw beyond;
            }
            return end <= first ? List.of() : table(table, first, end - 1);
        }
    }

    private String heap(Relation table, String more) {
        return "SELECT pg_catalog.concat_ws(' ', "
                + literal(table.name())
                + ", 'block', blkno, 'item', offnum, msg) FROM "
                + schema
                + ".verify_heapam("
                + table.oid()
                + "::pg_catalog.oid::pg_catalog.regclass"
                + more
                + ") LIMIT "
                + REPORTED;
    }

    /// What is wrong with an index.
    ///
    /// @param rows whether to prove that it leads to every row of its table, which reads that too
    public List<String> index(Relation index, boolean rows) throws SQLException {
        return found(
                index,
                "SELECT NULL::text FROM (SELECT "
                        + schema
                        + ".bt_index_check("
                        + index.oid()
                        + "::pg_catalog.oid::pg_catalog.regclass, "
                        + rows
                        + ")) AS checked");
    }

    /// Damage that keeps the server from reading on is an error of its own class, as are relations
    /// that were dropped meanwhile.
    private List<String> found(Relation relation, String query) throws SQLException {
        try {
            return texts(statement, query);
        } catch (SQLException found) {
            if (!String.valueOf(found.getSQLState()).startsWith("XX")) {
                throw found;
            }
            return isThere(relation)
                    ? List.of(relation.name() + ": " + found.getMessage())
                    : List.of();
        }
    }

    private boolean isThere(Relation relation) throws SQLException {
        return !texts(
                        statement,
                        "SELECT relname FROM pg_catalog.pg_class WHERE oid = " + relation.oid())
                .isEmpty();
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    /// Values that are not null.
    private static List<String> texts(Statement statement, String query) throws SQLException {
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
