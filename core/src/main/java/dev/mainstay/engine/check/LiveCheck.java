package dev.mainstay.engine.check;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.cluster.Amcheck;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.storage.wrap.Throttle;

import org.jspecify.annotations.Nullable;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Has amcheck look through the databases of a running server: the rows of every table and the
/// order of every B-tree index. Nothing is written and nobody is kept waiting but who wants to
/// drop, truncate or rewrite the relation that is being looked at; tables are looked at piece by
/// piece, so that no snapshot lives long.
public final class LiveCheck {
    /// Bytes a second of relations where nothing else is said: a disk of today hardly notices.
    private static final ByteSize GENTLE = ByteSize.of(32L << 20);

    private static final int PIECE_BLOCKS = 4096;
    private static final int REPORTED = 1000;
    private static final String LOCK_NOT_AVAILABLE = "55P03";
    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    /// @param databases looked through
    /// @param damage what amcheck says of it, the first 1,000 findings
    /// @param notes what was not looked at, and why
    public record Report(
            List<String> databases,
            long tables,
            long indexes,
            ByteSize size,
            List<String> damage,
            List<String> notes) {
        public Report {
            databases = List.copyOf(databases);
            damage = List.copyOf(damage);
            notes = List.copyOf(notes);
        }

        /// @throws MainstayException CLUSTER_DAMAGED
        public void demandWell(String source) {
            if (!damage.isEmpty()) {
                throw new MainstayException(
                        ErrorCode.CLUSTER_DAMAGED,
                        "amcheck finds the running cluster of "
                                + source
                                + " damaged: "
                                + damage.getFirst()
                                + (damage.size() == 1
                                        ? ""
                                        : ", and " + (damage.size() - 1) + " more"));
            }
        }
    }

    private final ConnectionSpec connection;
    private final Throttle throttle;
    private final Progress progress;
    private final List<String> databases = new ArrayList<>();
    private final List<String> without = new ArrayList<>();
    private final List<String> damage = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private long tables;
    private long indexes;
    private long bytes;
    private volatile @Nullable Statement running;

    /// @param connection of a role that may execute amcheck's functions
    /// @param rate bytes a second of relations
    public LiveCheck(ConnectionSpec connection, ByteSize rate, Progress progress) {
        this.connection = connection;
        this.throttle = Throttle.of(Optional.of(rate));
        this.progress = progress;
    }

    /// The rate of a source: as backups read it, or gently.
    public static ByteSize rate(PostgresSettings settings) {
        return settings.limits().maxRate().orElse(GENTLE);
    }

    /// Looks through all databases that have the extension.
    ///
    /// @throws MainstayException AMCHECK_MISSING if none has, SERVER_RIGHT_MISSING, INTERRUPTED, or
    ///   what the server says
    public Report run() {
        ExecutorService worker =
                Executors.newSingleThreadExecutor(Thread.ofPlatform().name("amcheck").factory());
        try {
            Future<Report> report = worker.submit(this::lookAtAll);
            return report.get();
        } catch (InterruptedException stopped) {
            end(worker);
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped", stopped);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof MainstayException known
                    ? known
                    : new MainstayException(
                            ErrorCode.INTERNAL, "looking failed: " + failed.getCause(), failed);
        } finally {
            worker.shutdown();
        }
    }

    /// The driver does not hear that its thread is interrupted, and an index may take long.
    private void end(ExecutorService worker) {
        worker.shutdownNow();
        boolean ended = false;
        while (!ended) {
            Statement now = running;
            try {
                if (now != null) {
                    now.cancel();
                }
                ended = worker.awaitTermination(100, TimeUnit.MILLISECONDS);
            } catch (SQLException _) {
                // it ended by itself, or its server did
            } catch (InterruptedException _) {
                // it is being stopped already
            }
        }
    }

    private Report lookAtAll() {
        for (String database : names()) {
            look(database);
        }
        if (databases.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.AMCHECK_MISSING,
                    "no database of " + connection + " has the extension amcheck");
        }
        if (!without.isEmpty()) {
            notes.add(
                    "without the extension amcheck nothing was looked at in "
                            + String.join(", ", without));
        }
        return new Report(databases, tables, indexes, ByteSize.of(bytes), damage, notes);
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        ask(
                connection.database(),
                statement -> {
                    try (ResultSet row =
                            statement.executeQuery(
                                    "SELECT datname FROM pg_catalog.pg_database WHERE datallowconn"
                                            + " AND datconnlimit <> -2 ORDER BY 1")) {
                        while (row.next()) {
                            names.add(row.getString(1));
                        }
                    }
                });
        return names;
    }

    private interface Questions {
        void ask(Statement statement) throws SQLException;
    }

    private void ask(String database, Questions questions) {
        try (Connection sql =
                        SqlSession.openSql(connection.withDatabase(database), "mainstay amcheck");
                Statement statement = sql.createStatement()) {
            running = statement;
            questions.ask(statement);
        } catch (SQLException failed) {
            demandGoOn();
            throw SqlSession.failure("looking through database " + database, failed);
        } finally {
            running = null;
        }
    }

    private static void demandGoOn() {
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped");
        }
    }

    private void look(String database) {
        ask(
                database,
                statement -> {
                    Optional<Amcheck> amcheck = Amcheck.installed(statement);
                    if (amcheck.isEmpty()) {
                        without.add(database);
                        return;
                    }
                    statement.execute("SET lock_timeout = '5s'; SET statement_timeout = 0");
                    try {
                        look(database, statement, amcheck.get());
                    } catch (SQLException failed) {
                        if (INSUFFICIENT_PRIVILEGE.equals(failed.getSQLState())) {
                            throw mayNot(database, amcheck.get(), failed);
                        }
                        throw failed;
                    }
                    databases.add(database);
                });
    }

    private MainstayException mayNot(String database, Amcheck amcheck, SQLException failed) {
        return new MainstayException(
                ErrorCode.SERVER_RIGHT_MISSING,
                "looking through database " + database + ": " + failed.getMessage(),
                "as a superuser in "
                        + database
                        + ": GRANT EXECUTE ON FUNCTION "
                        + amcheck.schema()
                        + ".verify_heapam, "
                        + amcheck.schema()
                        + ".bt_index_check(regclass, boolean) TO \""
                        + connection.user().replace("\"", "\"\"")
                        + "\"",
                failed);
    }

    private void look(String database, Statement statement, Amcheck amcheck) throws SQLException {
        boolean standby = truth(statement, "SELECT pg_catalog.pg_is_in_recovery()");
        String condition = standby ? "c.relpersistence <> 'u'" : "true";
        long blockSize = number(statement, "SELECT pg_catalog.current_setting('block_size')::int");
        progress.begin(
                "checking " + database,
                number(
                        statement,
                        "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())"));
        try {
            for (Amcheck.Relation heap : amcheck.tables(condition)) {
                look(
                        database,
                        heap,
                        () -> {
                            long blocks = amcheck.blocks(heap);
                            for (long first = 0; first < blocks; first += PIECE_BLOCKS) {
                                long end = Math.min(blocks, first + PIECE_BLOCKS);
                                await((end - first) * blockSize);
                                found(database, amcheck.table(heap, first, end - 1));
                            }
                        });
                tables++;
            }
            for (Amcheck.Relation tree : amcheck.indexes(condition)) {
                look(
                        database,
                        tree,
                        () -> {
                            await(amcheck.blocks(tree) * blockSize);
                            found(database, amcheck.index(tree, false));
                        });
                indexes++;
            }
        } finally {
            progress.end();
        }
    }

    private static boolean truth(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() && row.getBoolean(1);
        }
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    private interface Look {
        void look() throws SQLException;
    }

    /// Even to ask for a relation's size is to wait for whoever has locked it.
    private void look(String database, Amcheck.Relation relation, Look look) throws SQLException {
        demandGoOn();
        try {
            look.look();
        } catch (SQLException failed) {
            if (!LOCK_NOT_AVAILABLE.equals(failed.getSQLState())) {
                throw failed;
            }
            notes.add(
                    "somebody had locked "
                            + relation.name()
                            + " of database "
                            + database
                            + ": not all of it was looked at");
        }
    }

    private void await(long size) {
        throttle.await(size);
        demandGoOn();
        bytes += size;
        progress.advance(size);
    }

    private void found(String database, List<String> complaints) {
        for (String each : complaints) {
            if (damage.size() < REPORTED) {
                damage.add("database " + database + ": " + each);
            }
        }
    }
}
