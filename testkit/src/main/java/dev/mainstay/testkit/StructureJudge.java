package dev.mainstay.testkit;

import dev.mainstay.postgres.cluster.ServerUser;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The judges of structure: PostgreSQL's own programs and extensions that look for damage. Each
/// method returns complaints, one a line; an empty list means none. The cluster is left as it was:
/// extensions are created, and unlogged tables written to, in transactions that are rolled back.
public final class StructureJudge {
    private static final String STORED =
            " FROM pg_class c WHERE pg_relation_filenode(c.oid) IS NOT NULL"
                    + " AND relpersistence <> 't' AND relkind IN ";

    private static final String UNLOGGED = " AND relpersistence = 'u'";

    private final TestCluster cluster;
    private final List<String> complaints = new ArrayList<>();

    private StructureJudge(TestCluster cluster) {
        this.cluster = cluster;
    }

    /// Asks everything a running server can be asked, in every database: reads every page of every
    /// fork (which checks checksums), checks heaps, B-tree (and from 18 GIN) indexes, visibility
    /// maps, and reads and writes unlogged tables. Not during recovery.
    public static List<String> judge(TestCluster cluster) {
        StructureJudge judge = new StructureJudge(cluster);
        for (String database : cluster.rows("postgres", TestCluster.DATABASES)) {
            judge.database(database);
        }
        return judge.complaints;
    }

    /// Runs Debian's `pg_checksums --check` on a stopped cluster of version 15.
    public static List<String> checksums(Path dataDirectory) {
        return program(
                List.of(
                        DebianPrograms.assume("pg_checksums").toString(),
                        "--check",
                        "-D",
                        dataDirectory.toString()));
    }

    /// Has Debian's `pg_checksums` switch page checksums off in a stopped cluster of version 15.
    public static List<String> disableChecksums(Path dataDirectory) {
        return program(
                List.of(
                        DebianPrograms.assume("pg_checksums").toString(),
                        "--disable",
                        "-D",
                        dataDirectory.toString()));
    }

    /// Runs Debian's `pg_verifybackup` on a directory that holds a `backup_manifest`.
    public static List<String> verifyBackup(Path directory, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(DebianPrograms.assume("pg_verifybackup").toString());
        command.addAll(List.of(arguments));
        command.add(directory.toString());
        return program(command);
    }

    private void database(String database) {
        try (Connection connection = cluster.connect(database)) {
            connection.setAutoCommit(false);
            createExtensions(connection);
            pages(connection);
            heaps(connection);
            indexes(connection);
            for (String table :
                    names(connection, "c.oid::regclass" + STORED + "('r')" + UNLOGGED)) {
                unlogged(connection, table);
            }
            connection.rollback();
        } catch (SQLException e) {
            complaints.add(database + ": " + e.getMessage());
        }
    }

    private static void createExtensions(Connection connection) throws SQLException {
        try (Statement sql = connection.createStatement()) {
            sql.execute("SET LOCAL lock_timeout = '30s'");
            sql.execute("CREATE SCHEMA mainstay_judge");
            for (String extension : List.of("amcheck", "pg_visibility", "pg_prewarm")) {
                if (!has(connection, extension)) {
                    sql.execute("CREATE EXTENSION " + extension + " SCHEMA mainstay_judge");
                }
                sql.execute(
                        "SELECT set_config('search_path', current_setting('search_path') || ', '"
                                + " || extnamespace::regnamespace, true)"
                                + " FROM pg_extension WHERE extname = '"
                                + extension
                                + "'");
            }
        }
    }

    /// Reading a page into shared buffers verifies it; pg_prewarm does so for every fork.
    private void pages(Connection connection) throws SQLException {
        String relations = STORED + "('r', 'i', 'S', 't', 'm')";
        for (String fork : List.of("main", "fsm", "vm", "init")) {
            String present = " AND pg_relation_size(c.oid, '" + fork + "') > 0";
            ask(
                    connection,
                    "reading the " + fork + " fork",
                    names(connection, "c.oid" + relations + present),
                    "SELECT NULL FROM unnest(%s) AS r, LATERAL pg_prewarm(r::regclass, 'buffer', '"
                            + fork
                            + "')");
        }
    }

    private void heaps(Connection connection) throws SQLException {
        List<String> heaps =
                names(connection, "c.oid" + STORED + "('r', 't', 'm')" + method("heap"));
        ask(
                connection,
                "verify_heapam",
                heaps,
                "SELECT concat_ws(' ', r::regclass, 'block', blkno, 'item', offnum, msg)"
                        + " FROM unnest(%s) AS r, LATERAL verify_heapam(r::regclass)");
        for (String check : List.of("pg_check_visible", "pg_check_frozen")) {
            ask(
                    connection,
                    check,
                    heaps,
                    "SELECT r::regclass || ' tuple ' || t::text FROM unnest(%s) AS r, LATERAL "
                            + check
                            + "(r::regclass) AS t");
        }
    }

    private void indexes(Connection connection) throws SQLException {
        String valid =
                " AND (SELECT indisvalid AND indisready FROM pg_index WHERE indexrelid = c.oid)";
        ask(
                connection,
                "bt_index_parent_check",
                names(connection, "c.oid" + STORED + "('i')" + valid + method("btree")),
                "SELECT NULL FROM unnest(%s) AS r,"
                        + " LATERAL bt_index_parent_check(r::regclass, true, true)");
        if (cluster.major() >= 18) {
            ask(
                    connection,
                    "gin_index_check",
                    names(connection, "c.oid" + STORED + "('i')" + valid + method("gin")),
                    "SELECT NULL FROM unnest(%s) AS r, LATERAL gin_index_check(r::regclass)");
        }
    }

    private static String method(String name) {
        return " AND relam = (SELECT oid FROM pg_am WHERE amname = '" + name + "')";
    }

    /// An unlogged table after a restore has nothing but its init fork's pages; damage shows when
    /// it is used. Columns that demand a value get some value of their type.
    private void unlogged(Connection connection, String table) throws SQLException {
        String demanding =
                " FROM pg_attribute JOIN pg_type t ON t.oid = atttypid WHERE attnotnull AND NOT"
                        + " atthasdef AND attidentity = '' AND attnum > 0 AND NOT attisdropped"
                        + " AND attrelid = '"
                        + table.replace("'", "''")
                        + "'::regclass ORDER BY attnum";
        List<String> columns = names(connection, "quote_ident(attname)" + demanding);
        List<String> values =
                names(
                        connection,
                        "format('CAST(%L AS %s)', CASE typcategory WHEN 'N' THEN '0'"
                                + " WHEN 'D' THEN 'now' WHEN 'B' THEN 'f' WHEN 'A' THEN '{}'"
                                + " ELSE '' END, format_type(atttypid, atttypmod))"
                                + demanding);
        String row =
                columns.isEmpty()
                        ? " DEFAULT VALUES"
                        : " ("
                                + String.join(", ", columns)
                                + ") VALUES ("
                                + String.join(", ", values)
                                + ")";
        tryQuery(connection, "reading " + table, "SELECT NULL FROM " + table, false);
        tryQuery(connection, "writing " + table, "INSERT INTO " + table + row, false);
    }

    /// Asks about all relations in one query, and if that fails about each, to name the guilty.
    ///
    /// @param query its `%s` stands for the relations; every row that is not null is a complaint
    private void ask(Connection connection, String judge, List<String> oids, String query)
            throws SQLException {
        if (oids.isEmpty() || tryQuery(connection, judge, query.formatted(array(oids)), true)) {
            return;
        }
        for (String oid : oids) {
            String name = names(connection, oid + "::regclass").getFirst();
            tryQuery(connection, judge + " " + name, query.formatted(array(List.of(oid))), false);
        }
    }

    private static String array(List<String> oids) {
        return "ARRAY[" + String.join(", ", oids) + "]::oid[]";
    }

    /// A violated constraint is no complaint: who refuses a row has been able to look at the table.
    ///
    /// @param silent leaves it to the caller to ask again
    /// @return whether the query came to its end
    private boolean tryQuery(Connection connection, String judge, String query, boolean silent)
            throws SQLException {
        Savepoint savepoint = connection.setSavepoint();
        List<String> found = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            if (statement.execute(query)) {
                ResultSet result = statement.getResultSet();
                while (result.next()) {
                    Optional.ofNullable(result.getString(1)).ifPresent(found::add);
                }
            }
            connection.releaseSavepoint(savepoint);
            for (String complaint : found) {
                complaints.add(connection.getCatalog() + ": " + judge + ": " + complaint);
            }
            return true;
        } catch (SQLException e) {
            connection.rollback(savepoint);
            if (!silent && !String.valueOf(e.getSQLState()).startsWith("23")) {
                complaints.add(connection.getCatalog() + ": " + judge + ": " + e.getMessage());
            }
            return false;
        }
    }

    private static boolean has(Connection connection, String extension) throws SQLException {
        return !names(connection, "1 FROM pg_extension WHERE extname = '" + extension + "'")
                .isEmpty();
    }

    private static List<String> names(Connection connection, String selection) throws SQLException {
        List<String> result = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT " + selection)) {
            while (rows.next()) {
                result.add(String.valueOf(rows.getString(1)));
            }
        }
        return result;
    }

    private static List<String> program(List<String> command) {
        try {
            Path subject = Path.of(command.getLast());
            boolean ours =
                    Files.getAttribute(subject, "unix:uid").equals(0) || !ServerUser.isRoot();
            ProcessBuilder builder =
                    ours ? new ProcessBuilder(command) : ServerUser.of(subject).process(command);
            Process process = builder.redirectErrorStream(true).start();
            List<String> said =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .toList();
            int status = process.waitFor();
            if (status == 0) {
                return List.of();
            }
            return said.isEmpty() ? List.of(command.getFirst() + " ended with " + status) : said;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
