package dev.mainstay.it;

import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.TestCluster;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/// Changes a database in every way that logs differently: all kinds of index, all that rewrites,
/// truncates and vacuums, sequences, what is unlogged, frozen, toasted or rolled back.
final class OtherWork implements AutoCloseable {
    private static final List<String> SETUP =
            List.of(
                    "CREATE TABLE w (id bigserial PRIMARY KEY, n int, t text, p point, a int[])",
                    "CREATE INDEX ON w USING hash (n)",
                    "CREATE INDEX ON w USING gin (a)",
                    "CREATE INDEX ON w USING gist (p)",
                    "CREATE INDEX ON w USING spgist (p)",
                    "CREATE INDEX ON w USING brin (id)",
                    "CREATE INDEX ON w (t)",
                    "CREATE UNLOGGED TABLE u (n int PRIMARY KEY)",
                    "CREATE TABLE big (t text)",
                    "ALTER TABLE big ALTER t SET STORAGE EXTERNAL",
                    "INSERT INTO w (n, t, p, a) SELECT i, md5(i::text), point(i, i % 97),"
                            + " ARRAY[i % 50, i % 7] FROM generate_series(1, 3000) i",
                    "CREATE TABLE bulk AS SELECT i, repeat('x', 100) FROM"
                            + " generate_series(1, 3000) i",
                    "CREATE SEQUENCE s");
    private static final List<String> STEPS =
            List.of(
                    "INSERT INTO w (n, t, p, a) SELECT i, md5(i::text), point(i, i %% 97),"
                            + " ARRAY[i %% 50, i %% 7] FROM generate_series(1, 300) i",
                    "UPDATE w SET n = n + 1 WHERE id %% 11 = %1$d %% 11",
                    "DELETE FROM w WHERE id %% 13 = %1$d %% 13",
                    "VACUUM (INDEX_CLEANUP ON) w",
                    "INSERT INTO big SELECT repeat(md5(i::text), 400) FROM generate_series(1, 50)"
                            + " i",
                    "VACUUM bulk",
                    "SELECT nextval('s') FROM generate_series(1, 100)",
                    "DELETE FROM big",
                    "VACUUM big",
                    "UPDATE w SET t = t || 'z' WHERE id %% 17 = 0",
                    "INSERT INTO u SELECT i FROM generate_series(1, 500) i ON CONFLICT DO NOTHING",
                    "CREATE TABLE frozen_%1$d AS SELECT i FROM generate_series(1, 1000) i",
                    "VACUUM (FREEZE) frozen_%1$d",
                    "TRUNCATE u",
                    "REINDEX TABLE w",
                    "DELETE FROM w WHERE id > (SELECT max(id) - 100 FROM w)",
                    "VACUUM w",
                    "VACUUM FULL big",
                    "DROP TABLE frozen_%1$d",
                    "CLUSTER w USING w_pkey",
                    "CHECKPOINT");

    private final AtomicLong steps = new AtomicLong();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Thread thread;

    OtherWork(TestCluster cluster, String database, int round) {
        this.thread = Thread.ofVirtual().start(() -> work(cluster, database, round));
    }

    private void work(TestCluster cluster, String database, int firstRound) {
        try (Connection sql = cluster.connect(database);
                Statement statement = sql.createStatement()) {
            for (String each : SETUP) {
                statement.execute(each);
            }
            for (int round = firstRound; !closing.get(); round++) {
                for (String each : STEPS) {
                    step(statement, String.format(java.util.Locale.ROOT, each, round));
                    steps.incrementAndGet();
                    if (closing.get()) {
                        return;
                    }
                }
            }
        } catch (SQLException | RuntimeException failed) {
            failure.set(failed);
        }
    }

    /// VACUUM FULL may want to copy rows whose TOAST rows a VACUUM has removed already, while
    /// transactions in other databases hold back what it takes for dead: PostgreSQL's bug #18351.
    private static void step(Statement statement, String sql) throws SQLException {
        try {
            statement.execute(sql);
        } catch (SQLException failed) {
            if (!sql.startsWith("VACUUM FULL")
                    || !String.valueOf(failed.getMessage()).contains("missing chunk number")) {
                throw failed;
            }
        }
    }

    /// Waits for so many more steps.
    void await(int more) {
        long from = steps.get();
        Await.until(more + " steps", () -> failure.get() != null || steps.get() >= from + more);
        demandWell();
    }

    private void demandWell() {
        Throwable failed = failure.get();
        if (failed != null) {
            throw new IllegalStateException(failed);
        }
    }

    @Override
    public void close() {
        closing.set(true);
        Await.until("the work to end", () -> !thread.isAlive());
        demandWell();
    }
}
