package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.CatalogEntry.Collation;
import dev.mainstay.postgres.cluster.CatalogEntry.Database;
import dev.mainstay.postgres.cluster.CatalogEntry.Extension;
import dev.mainstay.postgres.cluster.CatalogEntry.Relation;
import dev.mainstay.postgres.cluster.CatalogEntry.Server;
import dev.mainstay.postgres.cluster.CatalogEntry.Tablespace;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;

/// What a cluster contains, by name: read from the live server while a backup is taken, so that
/// reports, table recovery and the search for anomalies can tell later which file was which table.
///
/// Entries are delivered one by one and none is kept: a million tables need no more memory than ten
/// thousand. First the server, then for each database its relations, extensions and collations, and
/// the database itself. Every database is read in one transaction; different ones at different
/// times.
///
/// The connected role needs CONNECT on the databases and nothing else.
public final class CatalogSnapshot {
    private static final int FETCH_ROWS = 5_000;
    private static final String NOT_ALLOWED = "the database allows no connections";

    private final int blockSizeBytes;
    private final Consumer<? super CatalogEntry> consumer;

    private CatalogSnapshot(int blockSizeBytes, Consumer<? super CatalogEntry> consumer) {
        this.blockSizeBytes = blockSizeBytes;
        this.consumer = consumer;
    }

    /// Reads the whole cluster. A database that cannot be connected to, or fails while it is read,
    /// does not end this: its entry says so.
    ///
    /// @param server to any database of the cluster; stays open
    /// @param connect opens a connection to the database of the given name, or throws a
    ///   [MainstayException]; the connection is closed here
    /// @throws MainstayException BACKUP_SERVER_STOPPED or SERVER_QUERY_FAILED if the list of
    ///   databases cannot be read; INTERRUPTED; and whatever `consumer` throws
    public static void read(
            Connection server,
            Function<String, Connection> connect,
            Consumer<? super CatalogEntry> consumer) {
        Server description;
        List<Listed> databases;
        try (Statement statement = server.createStatement()) {
            String encoding =
                    BackupSession.value(statement, "SELECT pg_catalog.getdatabaseencoding()");
            Names names = Names.of(encoding);
            description = server(statement, names);
            databases = databases(statement, names, description.versionNum());
        } catch (SQLException e) {
            throw ServerFailure.of("read the list of databases", e);
        }
        consumer.accept(description);
        CatalogSnapshot snapshot = new CatalogSnapshot(description.blockSizeBytes(), consumer);
        for (Listed listed : databases) {
            Optional<String> unread =
                    listed.allowsConnections
                            ? snapshot.contents(listed.database, connect)
                            : Optional.of(NOT_ALLOWED);
            consumer.accept(withUnread(listed.database, unread));
        }
    }

    /// Names come as bytes: a driver refuses rows in which one is no UTF-8, which SQL_ASCII
    /// permits, and so do names in shared catalogs, which have the encoding of whoever gave them.
    private enum Names {
        CONVERTED("pg_catalog.namesend(", ")"),
        RAW("pg_catalog.convert_to(", "::text, 'SQL_ASCII')");

        private final String before;
        private final String after;

        Names(String before, String after) {
            this.before = before;
            this.after = after;
        }

        static Names of(String databaseEncoding) {
            return databaseEncoding.equals("SQL_ASCII") ? RAW : CONVERTED;
        }

        String bytes(String column) {
            return before + column + after;
        }
    }

    private record Listed(Database database, boolean allowsConnections) {}

    private static Server server(Statement statement, Names names) throws SQLException {
        List<Tablespace> tablespaces = new ArrayList<>();
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT oid, "
                                + names.bytes("spcname")
                                + " FROM pg_catalog.pg_tablespace ORDER BY oid")) {
            while (row.next()) {
                tablespaces.add(new Tablespace(row.getLong(1), name(row, 2)));
            }
        }
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT pg_catalog.version(),"
                                + " pg_catalog.current_setting('server_version_num')::int4,"
                                + " pg_catalog.current_setting('block_size')::int4,"
                                + " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_roles)")) {
            row.next();
            return new Server(
                    text(row, 1), row.getInt(2), row.getInt(3), row.getInt(4), tablespaces);
        }
    }

    private static List<Listed> databases(Statement statement, Names names, int versionNum)
            throws SQLException {
        ServerVersion version = ServerVersion.ofServerVersionNum(versionNum);
        List<Listed> databases = new ArrayList<>();
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT d.oid, "
                                + names.bytes("d.datname")
                                + ", d.dattablespace,"
                                + " pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate,"
                                + " d.datctype, d.datallowconn AND d.datconnlimit <> -2, "
                                + version.databaseProviderColumn()
                                + ", "
                                + version.databaseLocaleColumn()
                                + ", "
                                + version.databaseCollationVersionColumns()
                                + " FROM pg_catalog.pg_database d ORDER BY d.oid")) {
            while (row.next()) {
                Database database =
                        new Database(
                                row.getLong(1),
                                name(row, 2),
                                row.getLong(3),
                                text(row, 4),
                                text(row, 5),
                                text(row, 6),
                                letter(row, 8),
                                Optional.ofNullable(row.getString(9)),
                                Optional.ofNullable(row.getString(10)),
                                Optional.ofNullable(row.getString(11)),
                                Optional.empty());
                databases.add(new Listed(database, row.getBoolean(7)));
            }
        }
        return databases;
    }

    /// Why not all of it could be read; empty if it could.
    private Optional<String> contents(Database database, Function<String, Connection> connect) {
        Connection connection;
        try {
            connection = connect.apply(database.name());
        } catch (MainstayException e) {
            if (e.code() == ErrorCode.INTERRUPTED) {
                throw e;
            }
            return Optional.of(e.code().id() + " " + e.getMessage());
        }
        try (connection) {
            connection.setAutoCommit(true);
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET search_path = pg_catalog"); // nobody else's operators
                statement.execute("SET statement_timeout = 0");
            }
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setReadOnly(true);
            connection.setAutoCommit(false); // without it the driver would fetch all rows at once
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(FETCH_ROWS);
                relations(statement, database);
                extensions(statement, database);
                collations(statement, database);
            }
            connection.rollback();
            return Optional.empty();
        } catch (SQLException e) {
            return Optional.of("cannot read its catalogs: " + e.getMessage());
        }
    }

    private void relations(Statement statement, Database database) throws SQLException {
        Names names = Names.of(database.encoding());
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT c.oid, coalesce(f.node, 0::oid),"
                                + " CASE WHEN c.reltablespace = 0 AND f.node IS NOT NULL THEN "
                                + database.tablespaceOid()
                                + "::oid ELSE c.reltablespace END, "
                                + names.bytes("n.nspname")
                                + ", "
                                + names.bytes("c.relname")
                                + ", c.relkind, c.relpersistence,"
                                + " c.relpages::int8 & 4294967295, c.reltuples::float8"
                                + " FROM pg_catalog.pg_class c"
                                + " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                                + " CROSS JOIN LATERAL"
                                + " (SELECT pg_catalog.pg_relation_filenode(c.oid) AS node) f")) {
            while (row.next()) {
                long pages = row.getLong(8);
                double rows = row.getDouble(9);
                consumer.accept(
                        new Relation(
                                database.oid(),
                                row.getLong(1),
                                row.getLong(2),
                                row.getLong(3),
                                name(row, 4),
                                name(row, 5),
                                letter(row, 6),
                                letter(row, 7),
                                pages,
                                rows < 0 ? OptionalLong.empty() : OptionalLong.of((long) rows),
                                pages * blockSizeBytes));
            }
        }
    }

    private void extensions(Statement statement, Database database) throws SQLException {
        Names names = Names.of(database.encoding());
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT "
                                + names.bytes("n.nspname")
                                + ", "
                                + names.bytes("e.extname")
                                + ", e.extversion"
                                + " FROM pg_catalog.pg_extension e"
                                + " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
                                + " ORDER BY e.extname")) {
            while (row.next()) {
                consumer.accept(
                        new Extension(database.oid(), name(row, 1), name(row, 2), text(row, 3)));
            }
        }
    }

    /// PostgreSQL brings about a thousand collations with it, of which hardly any is ever used.
    private void collations(Statement statement, Database database) throws SQLException {
        Names names = Names.of(database.encoding());
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT c.oid, "
                                + names.bytes("n.nspname")
                                + ", "
                                + names.bytes("c.collname")
                                + ", c.collprovider,"
                                + " c.collversion, pg_catalog.pg_collation_actual_version(c.oid)"
                                + " FROM pg_catalog.pg_collation c"
                                + " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace"
                                + " WHERE n.nspname IS DISTINCT FROM 'pg_catalog'"
                                + " OR c.oid IN (SELECT attcollation FROM pg_catalog.pg_attribute)"
                                + " ORDER BY c.oid")) {
            while (row.next()) {
                consumer.accept(
                        new Collation(
                                database.oid(),
                                row.getLong(1),
                                name(row, 2),
                                name(row, 3),
                                letter(row, 4),
                                Optional.ofNullable(row.getString(5)),
                                Optional.ofNullable(row.getString(6))));
            }
        }
    }

    private static Database withUnread(Database d, Optional<String> unread) {
        return new Database(
                d.oid(),
                d.name(),
                d.tablespaceOid(),
                d.encoding(),
                d.collate(),
                d.ctype(),
                d.provider(),
                d.locale(),
                d.collationVersion(),
                d.actualCollationVersion(),
                unread);
    }

    /// Empty for a schema that is missing.
    private static String name(ResultSet row, int column) throws SQLException {
        byte[] bytes = row.getBytes(column);
        return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
    }

    private static String text(ResultSet row, int column) throws SQLException {
        return Objects.requireNonNull(row.getString(column), "a null from the server");
    }

    private static char letter(ResultSet row, int column) throws SQLException {
        String text = text(row, column);
        return text.isEmpty() ? ' ' : text.charAt(0);
    }
}
