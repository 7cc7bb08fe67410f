package dev.mainstay.testkit;

import org.jspecify.annotations.Nullable;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Generated database activity: rows, TOAST, vacuum, rewrites, indexes of all kinds, tables and
/// databases that come and go, subtransactions, multixacts, prepared transactions where the server
/// allows them, unlogged tables, sequences, large objects.
///
/// On demand ([#run]) the statements follow from the seed alone. In the background ([#start]) each
/// writer's do, and only their order among each other is free; writers survive a crash of the
/// server and go on when it is back. Everything lies in schemas `workload_N` of the database
/// `postgres`.
public final class Workload implements AutoCloseable {
    private static final int PERMITS = 1000;
    private static final long RETRY_NANOS = 20_000_000;

    /// What concurrent writers do to each other in good order: conflicts, and locks not had in
    /// time.
    private static final List<String> CONFLICTS = List.of("40001", "40P01", "55P03", "55006");

    private final TestCluster cluster;
    private final long seed;

    /// A permit for each writer that is inside a step; fair, so that a pause is not starved.
    private final Semaphore gate = new Semaphore(PERMITS, true);

    private final AtomicLong steps = new AtomicLong();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final ConcurrentHashMap<String, Long> counts = new ConcurrentHashMap<>();
    private final List<Thread> writers = new ArrayList<>();
    private final Writer onDemand;
    private boolean paused;

    private Workload(TestCluster cluster, long seed) {
        this.cluster = cluster;
        this.seed = seed;
        this.onDemand = new Writer(0);
    }

    /// Makes the schema of the on-demand writer and nothing else yet.
    public static Workload of(TestCluster cluster, long seed) {
        Workload workload = new Workload(cluster, seed);
        workload.run(0);
        return workload;
    }

    /// Loads about `mib` MiB of table data that compresses about by half: numbers, times, digests
    /// as text. The table `loaded` is made if it is absent.
    public static void loadMiB(Connection connection, int mib) throws SQLException {
        try (Statement sql = connection.createStatement()) {
            sql.execute(
                    "CREATE TABLE IF NOT EXISTS loaded (id bigint, at timestamptz, owner int,"
                            + " digest text, note text)");
            // About 190 bytes a row on the page, tuple header and item pointer included.
            sql.execute(
                    "INSERT INTO loaded SELECT i, timestamptz '2026-01-01' + i * interval '1 s',"
                            + " i % 1000, md5(i::text), 'order ' || i % 97 || ' of customer '"
                            + " || i % 1000 || ', checked and delivered ' || md5((i * 7)::text)"
                            + " FROM generate_series(1, "
                            + (long) mib * 1024 * 1024 / 182
                            + ") AS i");
        }
    }

    /// Performs the next `count` steps in this thread.
    ///
    /// @throws IllegalStateException if the server refuses one
    public void run(int count) {
        try {
            Connection open = onDemand.prepare();
            for (int i = 0; i < count; i++) {
                onDemand.step(open);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "seed " + seed + ", step " + steps.get() + ": " + e.getMessage(), e);
        }
    }

    /// Lets `count` writers work in the background until [#close].
    public void start(int count) {
        for (int i = 0; i < count; i++) {
            Writer writer = new Writer(writers.size() + 1);
            writers.add(Thread.ofVirtual().name("workload-" + seed + "-" + i).start(writer));
        }
    }

    /// Returns when no writer is inside a transaction; none begins another until [#resume]. A
    /// prepared transaction may be left open, as it may be in life.
    public void pause() {
        gate.acquireUninterruptibly(PERMITS);
        paused = true;
    }

    public void resume() {
        paused = false;
        gate.release(PERMITS);
    }

    /// Steps that were performed so far.
    public long steps() {
        return steps.get();
    }

    /// How often each kind of step was performed.
    public ConcurrentHashMap<String, Long> counts() {
        return new ConcurrentHashMap<>(counts);
    }

    /// Stops the writers.
    ///
    /// @throws AssertionError if one of them met an error that neither a crash of the server nor
    ///   another writer explains
    @Override
    public void close() {
        closing.set(true);
        if (paused) {
            resume();
        }
        for (Thread writer : writers) {
            try {
                writer.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while writers end", e);
            }
        }
        onDemand.disconnect();
        if (!failures.isEmpty()) {
            AssertionError error = new AssertionError("the workload failed, seed " + seed);
            failures.forEach(error::addSuppressed);
            throw error;
        }
    }

    /// One connection, one schema, one stream of random numbers.
    private final class Writer implements Runnable {
        private final WorkloadSteps plan;
        private @Nullable Connection connection;

        Writer(int number) {
            plan = new WorkloadSteps(number, new Random(seed * 31 + number));
        }

        /// The connection; a new one if there is none or the server has gone since.
        Connection prepare() throws SQLException {
            Connection open = connection;
            if (open == null || !open.isValid(30)) {
                disconnect();
                open = cluster.connect();
                connection = open;
                plan.createSchema(open);
            }
            return open;
        }

        void step(Connection open) throws SQLException {
            String kind = plan.next(open);
            counts.merge(kind, 1L, Long::sum);
            steps.incrementAndGet();
        }

        @Override
        public void run() {
            while (!closing.get()) {
                gate.acquireUninterruptibly();
                try {
                    if (!closing.get()) {
                        step(prepare());
                    }
                } catch (SQLException e) {
                    recover(e);
                } catch (RuntimeException | Error e) {
                    failures.add(e);
                    return;
                } finally {
                    gate.release();
                }
            }
            disconnect();
        }

        private void recover(SQLException e) {
            String state = String.valueOf(e.getSQLState());
            if (state.startsWith("08") || state.startsWith("57")) {
                disconnect(); // the server is down or going down; wait for it
                LockSupport.parkNanos(RETRY_NANOS);
            } else if (!CONFLICTS.contains(state)) {
                failures.add(e);
                closing.set(true);
            }
        }

        void disconnect() {
            try (Connection _ = connection) {
                connection = null;
            } catch (SQLException alreadyBroken) {
                return; // which is what closing is for
            }
        }
    }
}
