package dev.mainstay.testkit;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// What one writer of a [Workload] does, drawn from its random numbers. Statements depend on
/// nothing else, so that a seed names a history.
final class WorkloadSteps {
    @FunctionalInterface
    private interface Step {
        void run(Statement sql) throws SQLException;
    }

    private record Kind(String name, int weight, Step step) {}

    private final int number;
    private final String schema;
    private final Random random;
    private final List<Kind> kinds = new ArrayList<>();
    private int made;

    WorkloadSteps(int number, Random random) {
        this.number = number;
        this.schema = "workload_" + number;
        this.random = random;
        rows();
        transactions();
        storage();
        objects();
    }

    void createSchema(Connection connection) throws SQLException {
        try (Statement sql = connection.createStatement()) {
            sql.execute("SET client_min_messages = warning");
            sql.execute("SET lock_timeout = '20s'");
            sql.execute("CREATE SCHEMA IF NOT EXISTS " + schema);
            sql.execute("SET search_path = " + schema);
            sql.execute(
                    """
                    CREATE TABLE IF NOT EXISTS account (id bigserial PRIMARY KEY, owner text,
                      amount numeric, note text) WITH (fillfactor = 90);
                    CREATE INDEX IF NOT EXISTS account_owner ON account (owner);
                    CREATE TABLE IF NOT EXISTS fat (id int PRIMARY KEY, body text);
                    ALTER TABLE fat ALTER body SET STORAGE EXTERNAL;
                    CREATE UNLOGGED TABLE IF NOT EXISTS scratch (id int NOT NULL, body text);
                    CREATE INDEX IF NOT EXISTS scratch_id ON scratch (id);
                    CREATE TABLE IF NOT EXISTS shape (id int, tags int[], spot point, at timestamptz);
                    CREATE INDEX IF NOT EXISTS shape_gin ON shape USING gin (tags);
                    CREATE INDEX IF NOT EXISTS shape_gist ON shape USING gist (spot);
                    CREATE INDEX IF NOT EXISTS shape_spgist ON shape USING spgist (spot);
                    CREATE INDEX IF NOT EXISTS shape_brin ON shape USING brin (at);
                    CREATE INDEX IF NOT EXISTS shape_hash ON shape USING hash (id);
                    CREATE SEQUENCE IF NOT EXISTS ticket;
                    CREATE MATERIALIZED VIEW IF NOT EXISTS wealth AS
                      SELECT owner, sum(amount) AS amount FROM account GROUP BY owner;
                    """);
        }
    }

    /// Performs one step.
    ///
    /// @return its kind
    String next(Connection connection) throws SQLException {
        int at = random.nextInt(kinds.stream().mapToInt(Kind::weight).sum());
        for (Kind kind : kinds) {
            at -= kind.weight();
            if (at < 0) {
                try (Statement sql = connection.createStatement()) {
                    kind.step().run(sql);
                } catch (SQLException e) {
                    endTransaction(connection);
                    throw new SQLException(kind.name() + ": " + e.getMessage(), e.getSQLState(), e);
                }
                return kind.name();
            }
        }
        throw new IllegalStateException("weights do not add up");
    }

    private static void endTransaction(Connection connection) {
        try (Statement sql = connection.createStatement()) {
            sql.execute("ROLLBACK");
        } catch (SQLException broken) {
            return; // the connection is gone, and the transaction with it
        }
    }

    private void add(String name, int weight, Step step) {
        kinds.add(new Kind(name, weight, step));
    }

    private void rows() {
        add("insert", 12, sql -> sql.execute(insertAccounts(1 + random.nextInt(200))));
        add(
                "update",
                10,
                sql ->
                        sql.execute(
                                "UPDATE account SET amount = amount + 1, owner = 'o' || (id + "
                                        + random.nextInt(100)
                                        + ") % 50 WHERE id % 17 = "
                                        + random.nextInt(17)));
        add(
                "update in place",
                8,
                sql ->
                        sql.execute(
                                "UPDATE account SET amount = amount * 1.01 WHERE id % 29 = "
                                        + random.nextInt(29)));
        add(
                "delete",
                5,
                sql -> sql.execute("DELETE FROM account WHERE id % 23 = " + random.nextInt(23)));
        add(
                "toast",
                4,
                sql ->
                        sql.execute(
                                "INSERT INTO fat SELECT "
                                        + random.nextInt(60)
                                        + ", string_agg(md5((i + "
                                        + random.nextInt(1000)
                                        + ")::text), '') FROM generate_series(1, "
                                        + (10 + random.nextInt(1500))
                                        + ") AS i ON CONFLICT (id) DO UPDATE SET body ="
                                        + " excluded.body"));
        add(
                "shapes",
                5,
                sql ->
                        sql.execute(
                                "INSERT INTO shape SELECT i, ARRAY[i % 7, i % 11], point(i % 101, i"
                                        + " % 103), timestamptz '2026-01-01' + i * interval '1 min'"
                                        + " FROM generate_series("
                                        + series(random.nextInt(100_000), 50)
                                        + ") AS i"));
        add(
                "reshape",
                2,
                sql -> sql.execute("DELETE FROM shape WHERE id % 13 = " + random.nextInt(13)));
        add(
                "scratch",
                4,
                sql ->
                        sql.execute(
                                "INSERT INTO scratch SELECT i, md5(i::text) FROM generate_series("
                                        + series(random.nextInt(1000), 100)
                                        + ") AS i"));
        add(
                "ticket",
                4,
                sql ->
                        sql.execute(
                                "SELECT nextval('ticket') FROM generate_series(1, "
                                        + (1 + random.nextInt(40))
                                        + ")"));
        add(
                "setval",
                1,
                sql ->
                        sql.execute(
                                "SELECT setval('ticket', " + (1 + random.nextInt(10_000)) + ")"));
        add("large object", 3, this::largeObject);
    }

    private void transactions() {
        add(
                "rollback",
                3,
                sql ->
                        execute(
                                sql,
                                "BEGIN",
                                insertAccounts(50),
                                "SAVEPOINT a",
                                insertAccounts(5),
                                "ROLLBACK"));
        add(
                "subtransactions",
                4,
                sql -> {
                    sql.execute("BEGIN");
                    int count =
                            random.nextInt(8) == 0 ? 70 : 1 + random.nextInt(6); // 64 are cached
                    for (int i = 0; i < count; i++) {
                        execute(sql, "SAVEPOINT s" + i, insertAccounts(2));
                        if (random.nextInt(3) == 0) {
                            sql.execute("ROLLBACK TO s" + i);
                        }
                    }
                    sql.execute("COMMIT");
                });
        add(
                "multixact",
                3,
                sql -> {
                    String some = " WHERE id % 31 = " + random.nextInt(31);
                    execute(
                            sql,
                            "BEGIN",
                            "SELECT id FROM account" + some + " FOR KEY SHARE",
                            "SAVEPOINT a",
                            "UPDATE account SET note = 'm'" + some,
                            "COMMIT");
                });
        add("prepared transaction", 3, this::preparedTransaction);
        add(
                "message",
                1,
                sql ->
                        sql.execute(
                                "SELECT pg_logical_emit_message(true, 'workload', 'm"
                                        + random.nextInt()
                                        + "')"));
    }

    private void storage() {
        add("vacuum", 3, sql -> sql.execute("VACUUM account, shape, fat"));
        add("vacuum freeze", 1, sql -> sql.execute("VACUUM (FREEZE, ANALYZE) account"));
        add("vacuum full", 1, sql -> sql.execute("VACUUM FULL " + pick("account", "fat", "shape")));
        add("cluster", 1, sql -> sql.execute("CLUSTER account USING account_pkey"));
        add("reindex", 1, sql -> sql.execute("REINDEX TABLE " + pick("account", "fat", "shape")));
        add("truncate", 1, sql -> sql.execute("TRUNCATE " + pick("scratch", "fat", "shape")));
        add(
                "truncate undone",
                1,
                sql -> execute(sql, "BEGIN", "TRUNCATE account", insertAccounts(3), "ROLLBACK"));
        add("refresh", 1, sql -> sql.execute("REFRESH MATERIALIZED VIEW wealth"));
        add("checkpoint", 1, sql -> sql.execute("CHECKPOINT"));
        add(
                "logged, unlogged",
                1,
                sql ->
                        execute(
                                sql,
                                "ALTER TABLE scratch SET LOGGED",
                                "ALTER TABLE scratch SET UNLOGGED"));
    }

    private void objects() {
        add(
                "index",
                2,
                sql -> {
                    String name = "extra_" + random.nextInt(3);
                    String concurrently = random.nextBoolean() ? " CONCURRENTLY " : " ";
                    execute(
                            sql,
                            "DROP INDEX IF EXISTS " + name,
                            "CREATE INDEX" + concurrently + name + " ON account (amount, note)");
                });
        add(
                "table",
                3,
                sql -> {
                    String name = "table_" + random.nextInt(5);
                    String drop = "DROP TABLE IF EXISTS " + name;
                    String create =
                            "CREATE TABLE "
                                    + name
                                    + " AS SELECT i, md5(i::text) AS body FROM generate_series(1, "
                                    + (1 + random.nextInt(2000))
                                    + ") AS i";
                    execute(
                            sql,
                            "BEGIN",
                            drop,
                            create,
                            random.nextInt(5) == 0 ? "ROLLBACK" : "COMMIT");
                });
        add("drop table", 1, sql -> sql.execute("DROP TABLE IF EXISTS table_" + random.nextInt(5)));
        add(
                "alter table",
                1,
                sql ->
                        execute(
                                sql,
                                "BEGIN",
                                "ALTER TABLE account ADD extra int DEFAULT 7",
                                "ALTER TABLE account ALTER extra TYPE text",
                                "ALTER TABLE account DROP extra",
                                "COMMIT"));
        add(
                "temporary table",
                1,
                sql ->
                        execute(
                                sql,
                                "CREATE TEMP TABLE temporary AS SELECT * FROM account",
                                "DROP TABLE temporary"));
        add(
                "database",
                1,
                sql -> {
                    String name = "workload_db_" + number;
                    sql.execute("DROP DATABASE IF EXISTS " + name);
                    if (random.nextInt(3) > 0) {
                        sql.execute("CREATE DATABASE " + name + " TEMPLATE template0");
                    }
                });
        add(
                "role",
                1,
                sql -> {
                    String name = "workload_role_" + number;
                    execute(sql, "DROP ROLE IF EXISTS " + name, "CREATE ROLE " + name);
                });
    }

    private void largeObject(Statement sql) throws SQLException {
        int id = 900_000 + number * 100 + random.nextInt(5);
        String known = " FROM pg_largeobject_metadata WHERE oid = " + id;
        sql.execute("SELECT lo_unlink(oid)" + known);
        if (random.nextInt(4) > 0) {
            String body =
                    "decode(repeat(md5('"
                            + random.nextInt()
                            + "'), "
                            + (1 + random.nextInt(400))
                            + "), 'hex')";
            sql.execute("SELECT lo_from_bytea(" + id + ", " + body + ")");
        }
    }

    /// Leaves one open now and then; a later step ends it.
    private void preparedTransaction(Statement sql) throws SQLException {
        String gid = schema;
        String end = random.nextBoolean() ? "COMMIT" : "ROLLBACK";
        boolean leaveOpen = random.nextInt(3) == 0;
        String note = "p" + ++made;
        if (!ask(sql, "SELECT current_setting('max_prepared_transactions') <> '0'")) {
            return;
        }
        if (ask(sql, "SELECT EXISTS (SELECT FROM pg_prepared_xacts WHERE gid = '" + gid + "')")) {
            sql.execute(end + " PREPARED '" + gid + "'");
            return;
        }
        // A table that no step locks strongly, so that nothing waits for a transaction left open.
        execute(
                sql,
                "CREATE TABLE IF NOT EXISTS prepared (note text)",
                "BEGIN",
                "INSERT INTO prepared VALUES ('" + note + "')",
                "PREPARE TRANSACTION '" + gid + "'");
        if (!leaveOpen) {
            sql.execute(end + " PREPARED '" + gid + "'");
        }
    }

    private String insertAccounts(int count) {
        return "INSERT INTO account (owner, amount, note) SELECT 'o' || i % 50, i * 1.5,"
                + " md5(i::text) FROM generate_series("
                + series(random.nextInt(1_000_000), count)
                + ") AS i";
    }

    private static String series(int from, int count) {
        return from + ", " + (from + count - 1);
    }

    private String pick(String... names) {
        return names[random.nextInt(names.length)];
    }

    private static boolean ask(Statement sql, String question) throws SQLException {
        try (ResultSet result = sql.executeQuery(question)) {
            return result.next() && result.getBoolean(1);
        }
    }

    private static void execute(Statement sql, String... statements) throws SQLException {
        for (String statement : statements) {
            sql.execute(statement);
        }
    }
}
