package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ServerHost;
import dev.mainstay.postgres.protocol.SqlSession;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Starts the server of a restored directory, waits until it has recovered and looks whether it is
/// well. It listens on a Unix socket in its data directory, where only its owner gets to, and on
/// TCP only where that is asked for.
public final class RestoredServer {
    /// The server's standard output and error, in the data directory.
    public static final String LOG = "mainstay-recovery.log";

    private static final Duration EVER = Duration.ofDays(30);
    private static final int SOCKET_PATH = 90;
    private static final int LOG_LINES = 10;
    private static final int SHUTDOWN_TRIES = 600;
    private static final String NOT_IN_RECOVERY = "55000";

    /// Where the server listens.
    ///
    /// @param addresses as in `listen_addresses`; empty for the Unix socket alone
    public record Listening(String addresses, int port) {}

    /// What came of it.
    ///
    /// @param state in words: what the server does now
    /// @param position how far it replayed; unknown if nobody could log in
    /// @param lastCommit the last transaction that was replayed
    /// @param databases that could be connected to
    /// @param notes what could not be found out, and why
    public record Outcome(
            String state,
            Optional<Lsn> position,
            Optional<Instant> lastCommit,
            List<String> databases,
            List<String> notes) {
        public Outcome {
            databases = List.copyOf(databases);
            notes = List.copyOf(notes);
        }
    }

    private final RestorePlan plan;
    private final PostgresServer server;
    private final ConnectionSpec connection;
    private final Progress progress;
    private final Waiter pause;

    /// @param connection how to log in to the source; the host is replaced
    public RestoredServer(
            RestorePlan plan,
            Path binDirectory,
            Listening listening,
            ConnectionSpec connection,
            Progress progress) {
        this.plan = plan;
        this.progress = progress;
        this.pause = Waiter.sleeping(Duration.ofMillis(100));
        Path directory = plan.request().directory();
        Path sockets =
                directory.toString().length() < SOCKET_PATH
                        ? directory
                        : Path.of(System.getProperty("java.io.tmpdir"));
        this.connection = connection.withHost(new ServerHost.Unix(sockets, listening.port()));
        this.server =
                PostgresServer.of(
                        new PostgresServer.Options(
                                binDirectory,
                                directory,
                                listening.addresses(),
                                listening.port(),
                                Optional.of(sockets),
                                new RestoredConfiguration(plan).settings(),
                                directory.resolve(LOG)));
    }

    public PostgresServer server() {
        return server;
    }

    /// Starts and waits; the server is left running, unless it was to shut down at the target.
    ///
    /// @throws MainstayException RESTORE_START_FAILED with the end of the server's log
    public Outcome start() {
        progress.begin("recovering", 0);
        try {
            server.start(EVER);
            return await();
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.INTERRUPTED) {
                throw failed;
            }
            if (isShutDownAtTarget()) {
                return new Outcome(
                        "shut down at the target",
                        Optional.of(control().checkpoint().lsn()),
                        Optional.empty(),
                        List.of(),
                        List.of());
            }
            throw new MainstayException(
                    ErrorCode.RESTORE_START_FAILED,
                    "the restored server did not come up: " + failed.getMessage(),
                    failed);
        } finally {
            progress.end();
        }
    }

    /// Connections end before the server does.
    private boolean isShutDownAtTarget() {
        if (plan.request().recovery().action() != RestoreRequest.Action.SHUTDOWN) {
            return false;
        }
        for (int tries = 0; server.isRunning() && tries < SHUTDOWN_TRIES; tries++) {
            pause.await(1);
        }
        return !server.isRunning() && control().state() == ControlFile.State.SHUT_DOWN_IN_RECOVERY;
    }

    private ControlFile control() {
        return ControlFile.read(plan.request().directory(), pause);
    }

    private Outcome await() {
        try (Connection sql = SqlSession.openSql(connection, "mainstay restore")) {
            String state = awaitRecovered(sql);
            return outcome(state, sql);
        } catch (SQLException lost) {
            throw SqlSession.failure("waiting for the end of recovery", lost);
        } catch (MainstayException refused) {
            if (refused.code() != ErrorCode.SERVER_LOGIN_REFUSED) {
                throw refused;
            }
            return new Outcome(
                    awaitByControlFile(),
                    Optional.empty(),
                    Optional.empty(),
                    List.of(),
                    List.of("not checked, since the login was refused: " + refused.getMessage()));
        }
    }

    private String awaitRecovered(Connection sql) throws SQLException {
        try (Statement statement = sql.createStatement()) {
            while (true) {
                if (text(statement, "SELECT pg_is_in_recovery()").equals("f")) {
                    return "recovered, accepting connections";
                }
                if (isPaused(statement)) {
                    return "paused at the target";
                }
                if (plan.request().recovery().standby()) {
                    return "a standby in recovery";
                }
                pause.await(1);
            }
        }
    }

    private static boolean isPaused(Statement statement) throws SQLException {
        try {
            return text(statement, "SELECT pg_get_wal_replay_pause_state()").equals("paused");
        } catch (SQLException failed) {
            if (NOT_IN_RECOVERY.equals(failed.getSQLState())) {
                return false; // it ended since that was asked
            }
            throw failed;
        }
    }

    /// Without a login only the control file tells, and it does not know of pauses.
    private String awaitByControlFile() {
        while (server.isRunning()) {
            if (control().state() == ControlFile.State.IN_PRODUCTION) {
                return "recovered, accepting connections";
            }
            if (plan.request().recovery().standby()
                    || plan.request().recovery().action() == RestoreRequest.Action.PAUSE) {
                return "in recovery";
            }
            pause.await(1);
        }
        throw new MainstayException(
                ErrorCode.RESTORE_START_FAILED, "the server ended: " + logEnd());
    }

    private String logEnd() {
        try {
            List<String> lines = Files.readAllLines(plan.request().directory().resolve(LOG));
            return String.join(
                    "\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
        } catch (java.io.IOException unreadable) {
            return "its log cannot be read: " + unreadable;
        }
    }

    private Outcome outcome(String state, Connection sql) throws SQLException {
        List<String> databases = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        try (Statement statement = sql.createStatement()) {
            Optional<Lsn> position =
                    Optional.of(text(statement, "SELECT pg_last_wal_replay_lsn()"))
                            .filter(lsn -> !lsn.isEmpty())
                            .map(Lsn::parse);
            Optional<Instant> time = Optional.empty();
            try (ResultSet row = statement.executeQuery("SELECT pg_last_xact_replay_timestamp()")) {
                if (row.next()) {
                    time =
                            Optional.ofNullable(row.getObject(1, OffsetDateTime.class))
                                    .map(OffsetDateTime::toInstant);
                }
            }
            try (ResultSet rows =
                    statement.executeQuery(
                            "SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1")) {
                while (rows.next()) {
                    databases.add(rows.getString(1));
                }
            }
            databases.removeIf(database -> !isReachable(database, notes));
            return new Outcome(state, position, time, databases, notes);
        }
    }

    private boolean isReachable(String database, List<String> notes) {
        try (Connection sql =
                        SqlSession.openSql(connection.withDatabase(database), "mainstay restore");
                Statement statement = sql.createStatement()) {
            return !text(statement, "SELECT count(*) FROM pg_class").isEmpty();
        } catch (SQLException | MainstayException failed) {
            notes.add("database " + database + " cannot be used: " + failed.getMessage());
            return false;
        }
    }

    /// Empty for null.
    private static String text(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            String value = row.next() ? row.getString(1) : null;
            return value == null ? "" : value;
        }
    }
}
