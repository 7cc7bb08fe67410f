package dev.mainstay.it;

import dev.mainstay.testkit.TestCluster;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// What a campaign of incrementals does to a cluster beyond a [dev.mainstay.testkit.Workload]: all
/// that changes files in a way of its own. Drawn from random numbers, in the schema `campaign` and
/// in databases `campaign_N`.
final class IncrementalSteps {
    private static final List<String> CONFLICTS = List.of("40001", "40P01", "55P03", "55006");

    @FunctionalInterface
    private interface Step {
        void run() throws SQLException;
    }

    private record Kind(String name, Step step) {}

    private final TestCluster cluster;
    private final Random random;
    private final List<Kind> kinds = new ArrayList<>();

    IncrementalSteps(TestCluster cluster, Random random) {
        this.cluster = cluster;
        this.random = random;
        rows();
        files();
        indexes();
        databases();
    }

    /// Once for each history.
    static void prepare(TestCluster cluster, Path space) {
        cluster.sql(
                "CREATE SCHEMA campaign",
                "CREATE TABLESPACE space LOCATION '" + space + "'",
                "CREATE TABLE campaign.wide (id bigint, k int, tags int[], spot point, at"
                        + " timestamptz, body text)",
                "INSERT INTO campaign.wide " + rows(1, 4000),
                "ALTER TABLE campaign.wide ADD PRIMARY KEY (id)",
                "CREATE INDEX wide_hash ON campaign.wide USING hash (k)",
                "CREATE INDEX wide_gin ON campaign.wide USING gin (tags)",
                "CREATE INDEX wide_gist ON campaign.wide USING gist (spot)",
                "CREATE INDEX wide_spgist ON campaign.wide USING spgist (spot)",
                "CREATE INDEX wide_brin ON campaign.wide USING brin (at) WITH (pages_per_range=4)",
                "CREATE UNLOGGED TABLE campaign.scratch (id int, body text)",
                "CREATE INDEX scratch_id ON campaign.scratch (id)",
                "CREATE SEQUENCE campaign.ticket",
                "CREATE DATABASE campaign_template TEMPLATE template0");
        cluster.sqlIn(
                "campaign_template",
                "CREATE TABLE t AS SELECT i, md5(i::text) AS body FROM generate_series(1, 3000) i",
                "CREATE INDEX t_i ON t (i)");
    }

    /// Performs one step.
    ///
    /// @return its kind
    String next() throws SQLException {
        Kind kind = kinds.get(random.nextInt(kinds.size()));
        try {
            kind.step().run();
        } catch (SQLException failed) {
            if (!CONFLICTS.contains(String.valueOf(failed.getSQLState()))) {
                throw new SQLException(kind.name() + ": " + failed.getMessage(), failed);
            }
            return kind.name() + " (in vain: " + failed.getSQLState() + ")";
        }
        return kind.name();
    }

    /// Sets hints and nothing else: reads everything twice, by way of indexes too.
    void hints() throws SQLException {
        execute(
                "postgres",
                "SELECT count(*) FROM campaign.wide",
                "SELECT count(*) FROM workload_0.account",
                "SET enable_seqscan = off",
                "SET enable_bitmapscan = off",
                "SELECT count(body) FROM campaign.wide WHERE id > 0",
                "SELECT count(body) FROM campaign.wide WHERE k = 5",
                "SELECT count(note) FROM workload_0.account WHERE owner > ''");
    }

    private void add(String name, Step step) {
        kinds.add(new Kind(name, step));
    }

    private void add(String name, String... statements) {
        add(name, () -> execute("postgres", statements));
    }

    private void rows() {
        add("grow", () -> execute("postgres", insert(200 + random.nextInt(1500))));
        add(
                "update",
                () ->
                        execute(
                                "postgres",
                                "UPDATE campaign.wide SET k = k + 1 WHERE id % 50 = "
                                        + random.nextInt(50)));
        add(
                "update in place",
                () ->
                        execute(
                                "postgres",
                                "UPDATE campaign.wide SET body = md5(body) WHERE id % 40 = "
                                        + random.nextInt(40)));
        add("hints", this::hints);
        add(
                "truncated tail",
                "DELETE FROM campaign.wide WHERE id > (SELECT max(id) * 2 / 3 FROM campaign.wide)",
                "VACUUM campaign.wide");
        add(
                "thinned out",
                "DELETE FROM campaign.wide WHERE id % 10 <> 0",
                "VACUUM campaign.wide",
                "INSERT INTO campaign.wide "
                        + rows(1_000_000, 1_002_000)
                        + " ON CONFLICT DO NOTHING");
        add("frozen", "VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) campaign.wide");
        add("truncated", "TRUNCATE campaign.wide", insert(2000));
        add(
                "copied",
                () -> {
                    Path file = cluster.home().path().resolve("copied-" + random.nextInt());
                    boolean freeze = random.nextBoolean();
                    execute(
                            "postgres",
                            "COPY (SELECT * FROM campaign.wide LIMIT 3000) TO '" + file + "'",
                            "DROP TABLE IF EXISTS campaign.copied",
                            "BEGIN",
                            "CREATE TABLE campaign.copied (LIKE campaign.wide INCLUDING ALL)",
                            "COPY campaign.copied FROM '" + file + "'" + (freeze ? " FREEZE" : ""),
                            "COMMIT");
                });
        add(
                "sequence",
                () ->
                        execute(
                                "postgres",
                                "SELECT nextval('campaign.ticket') FROM generate_series(1, "
                                        + (1 + random.nextInt(80))
                                        + ")"));
        add("sequence restarted", "ALTER SEQUENCE campaign.ticket RESTART WITH 5");
        add(
                "prepared table",
                () -> {
                    String gid = "campaign_" + random.nextInt(3);
                    if (ask("EXISTS (SELECT FROM pg_prepared_xacts WHERE gid = '" + gid + "')")) {
                        boolean commit = random.nextBoolean();
                        execute(
                                "postgres",
                                (commit ? "COMMIT" : "ROLLBACK") + " PREPARED '" + gid + "'");
                    } else {
                        String table = "campaign.prepared_" + random.nextInt(1_000_000);
                        execute(
                                "postgres",
                                "BEGIN",
                                "CREATE TABLE " + table + " AS " + rows(1, 500),
                                "PREPARE TRANSACTION '" + gid + "'");
                    }
                });
    }

    private void files() {
        add("full vacuum", "VACUUM FULL campaign.wide");
        add("clustered", "CLUSTER campaign.wide USING wide_pkey");
        add("index rebuilt", () -> execute("postgres", "REINDEX INDEX " + index()));
        add(
                "index rebuilt concurrently",
                () -> execute("postgres", "REINDEX INDEX CONCURRENTLY " + index()));
        add(
                "catalog moved",
                () ->
                        execute(
                                "postgres",
                                "VACUUM FULL " + pick("pg_class", "pg_attribute", "pg_depend")));
        add("shared catalog vacuumed", "VACUUM pg_database, pg_authid, pg_shdepend");
        add(
                "table moved",
                () ->
                        execute(
                                "postgres",
                                "ALTER TABLE campaign.wide SET TABLESPACE "
                                        + pick("space", "pg_default"),
                                "ALTER INDEX "
                                        + index()
                                        + " SET TABLESPACE "
                                        + pick("space", "pg_default")));
        add("logged", "ALTER TABLE campaign.scratch SET LOGGED");
        add("unlogged", "ALTER TABLE campaign.scratch SET UNLOGGED");
        add(
                "scratch filled",
                "INSERT INTO campaign.scratch SELECT i, md5(i::text) FROM generate_series(1, 500)"
                        + " i");
        add(
                "table made, truncated and filled",
                "DROP TABLE IF EXISTS campaign.made",
                "BEGIN",
                "CREATE TABLE campaign.made AS " + rows(1, 2000),
                "SAVEPOINT a",
                "TRUNCATE campaign.made",
                pick("ROLLBACK TO a", "RELEASE a"),
                "INSERT INTO campaign.made " + rows(5000, 5300),
                "COMMIT");
        add(
                "table made and forgotten",
                "BEGIN",
                "CREATE TABLE campaign.forgotten AS " + rows(1, 1000),
                "CREATE INDEX ON campaign.forgotten USING gist (spot)",
                "ROLLBACK");
        add("checkpoint", "CHECKPOINT");
        add(
                "setting",
                () ->
                        execute(
                                "postgres",
                                "ALTER SYSTEM SET work_mem = '" + (4 + random.nextInt(9)) + "MB'"));
    }

    private void indexes() {
        add(
                "all kinds of indexes built",
                () -> {
                    String table = "campaign.built_" + random.nextInt(2);
                    execute(
                            "postgres",
                            "DROP TABLE IF EXISTS " + table,
                            "CREATE TABLE " + table + " AS " + rows(1, 3000),
                            "CREATE INDEX ON " + table + " (id)",
                            "CREATE INDEX ON " + table + " USING hash (k)",
                            "CREATE INDEX ON " + table + " USING gin (tags)",
                            "CREATE INDEX ON " + table + " USING gist (spot)",
                            "CREATE INDEX ON " + table + " USING spgist (spot)",
                            "CREATE INDEX ON " + table + " USING brin (at)");
                });
        add("gin cleaned", "SELECT gin_clean_pending_list('campaign.wide_gin')");
        add(
                "brin resummarised",
                "SELECT brin_desummarize_range('campaign.wide_brin', 0)",
                "SELECT brin_summarize_new_values('campaign.wide_brin')");
        add(
                "hash overflown",
                "INSERT INTO campaign.wide SELECT 2000000 + i + (SELECT count(*) FROM"
                        + " campaign.wide) * 10000, 5, ARRAY[i], point(i, i), now(), 'x' FROM"
                        + " generate_series(1, 1500) i ON CONFLICT DO NOTHING",
                "DELETE FROM campaign.wide WHERE k = 5 AND body = 'x'",
                "VACUUM campaign.wide");
    }

    private void databases() {
        add("database", this::database);
        add("database once more", this::database);
        add(
                "database again under its number",
                () -> {
                    if (cluster.major() >= 15) {
                        execute(
                                "postgres",
                                "DROP DATABASE IF EXISTS campaign_again",
                                "CREATE DATABASE campaign_again OID 77777" + template());
                        write("campaign_again");
                    }
                });
        add(
                "database moved",
                () -> {
                    if (ask("EXISTS (SELECT FROM pg_database WHERE datname = 'campaign_1')")) {
                        execute(
                                "postgres",
                                "ALTER DATABASE campaign_1 SET TABLESPACE "
                                        + pick("space", "pg_default"));
                        write("campaign_1");
                    }
                });
        add("database dropped", "DROP DATABASE IF EXISTS campaign_2");
    }

    private void database() throws SQLException {
        String name = "campaign_" + random.nextInt(3);
        String space = random.nextInt(3) == 0 ? " TABLESPACE space" : "";
        execute(
                "postgres",
                "DROP DATABASE IF EXISTS " + name,
                "CREATE DATABASE " + name + template() + space);
        if (random.nextBoolean()) {
            write(name);
        }
    }

    private String template() {
        String strategy = cluster.major() >= 15 ? " STRATEGY " + pick("wal_log", "file_copy") : "";
        return " TEMPLATE " + pick("template0", "template0", "campaign_template") + strategy;
    }

    private void write(String database) throws SQLException {
        execute(
                database,
                "CREATE TABLE IF NOT EXISTS t (i int, body text)",
                "INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, "
                        + (1 + random.nextInt(3000))
                        + ") i",
                "CREATE INDEX ON t (body)");
    }

    private static String rows(int from, int to) {
        return "SELECT i AS id, i % 97 AS k, ARRAY[i % 7, i % 11, i] AS tags, point(i % 101, i %"
                + " 103) AS spot, timestamptz '2026-01-01' + i * interval '1 min' AS at,"
                + " repeat(md5(i::text), 3) AS body FROM generate_series("
                + from
                + ", "
                + to
                + ") AS i";
    }

    private String insert(int count) {
        int from = random.nextInt(1_000_000_000);
        return "INSERT INTO campaign.wide " + rows(from, from + count) + " ON CONFLICT DO NOTHING";
    }

    private String index() {
        return "campaign."
                + pick(
                        "wide_pkey",
                        "wide_hash",
                        "wide_gin",
                        "wide_gist",
                        "wide_spgist",
                        "wide_brin");
    }

    private String pick(String... names) {
        return names[random.nextInt(names.length)];
    }

    private boolean ask(String question) {
        return cluster.value("SELECT " + question).equals("t");
    }

    private void execute(String database, String... statements) throws SQLException {
        try (Connection connection = cluster.connect(database);
                Statement sql = connection.createStatement()) {
            sql.execute("SET lock_timeout = '10s'");
            sql.execute("SET client_min_messages = warning");
            for (String statement : statements) {
                sql.execute(statement);
            }
        }
    }
}
