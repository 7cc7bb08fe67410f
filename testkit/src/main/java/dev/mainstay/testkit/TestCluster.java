package dev.mainstay.testkit;

import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.cluster.PostgresServer.StopMode;
import dev.mainstay.postgres.cluster.ServerBinaries;
import dev.mainstay.postgres.cluster.ServerUser;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/// A real PostgreSQL cluster on this machine, with a server of its own on a loopback port and a
/// Unix socket. Closing it kills the server and deletes what this class made; so does the end of
/// the JVM.
///
/// The superuser is `postgres`. When the tests run as root, server and files belong to an
/// unprivileged user.
public final class TestCluster implements AutoCloseable {
    public static final String SUPERUSER = "postgres";

    /// Asks for the databases one can connect to; not to one whose drop was interrupted, which the
    /// server calls invalid.
    public static final String DATABASES =
            "SELECT datname FROM pg_database WHERE datallowconn AND datconnlimit <> -2";

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Set<TestCluster> OPEN = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> List.copyOf(OPEN).forEach(TestCluster::close)));
    }

    private final int major;
    private final ClusterOptions options;
    private final ServerDirectory home;
    private final Path dataDirectory;
    private final Map<String, String> overrides = new TreeMap<>();
    private int port = freePort();

    private TestCluster(int major, ClusterOptions options, ServerDirectory home, Path data) {
        this.major = major;
        this.options = options;
        this.home = home;
        this.dataDirectory = data;
        OPEN.add(this);
    }

    /// A new, running cluster with the standard options.
    public static TestCluster create(int major) {
        return create(major, ClusterOptions.standard());
    }

    /// A new, running cluster.
    ///
    /// @param major 14 to 18
    public static TestCluster create(int major, ClusterOptions options) {
        ServerDirectory home = ServerDirectory.create();
        TestCluster cluster = new TestCluster(major, options, home, home.directory("data"));
        try {
            cluster.initdb();
            cluster.start();
            return cluster;
        } catch (RuntimeException | Error e) {
            cluster.close();
            throw e;
        }
    }

    /// A data directory that something else made, such as a restore; not started yet. It is given
    /// to the server's user, left as it is otherwise, and not deleted. It has to lie where that
    /// user can get to: below a [ServerDirectory], not below JUnit's `@TempDir`.
    ///
    /// @param options their settings override those of the directory; checksums and sizes are
    ///   unused
    public static TestCluster adopt(int major, Path dataDirectory, ClusterOptions options) {
        ServerUser.giveToUnprivileged(dataDirectory);
        TestCluster cluster =
                new TestCluster(major, options, ServerDirectory.create(), dataDirectory);
        cluster.overrides.putAll(options.settings());
        return cluster;
    }

    public int major() {
        return major;
    }

    public ClusterOptions options() {
        return options;
    }

    public Path dataDirectory() {
        return dataDirectory;
    }

    public Path binDirectory() {
        return PostgresVersions.binaries(major).binDirectory();
    }

    /// Scratch space of this cluster's server, deleted with it; for tablespaces, archives and the
    /// like.
    public ServerDirectory home() {
        return home;
    }

    public Path socketDirectory() {
        return home.path();
    }

    public int port() {
        return port;
    }

    /// All that the server has written to its log.
    public String log() {
        try {
            return Files.exists(logFile()) ? Files.readString(logFile()) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path logFile() {
        return home.path().resolve("log");
    }

    public PostgresServer server() {
        return PostgresServer.of(
                new PostgresServer.Options(
                        binDirectory(),
                        dataDirectory,
                        "127.0.0.1",
                        port,
                        Optional.of(socketDirectory()),
                        overrides,
                        logFile()));
    }

    /// Starts the server and waits until it accepts connections. Another process may take the port
    /// while the server is down, or before its first start: then it gets a new one.
    public void start() {
        for (int attempt = 1; ; attempt++) {
            try {
                server().start(PATIENCE);
                return;
            } catch (MainstayException e) {
                String message = String.valueOf(e.getMessage());
                if (attempt == 5 || !message.contains("could not bind IPv4 address")) {
                    throw e;
                }
                port = freePort();
            }
        }
    }

    /// A clean (fast) stop.
    public void stop() {
        stop(StopMode.FAST);
    }

    public void stop(StopMode mode) {
        server().stop(mode, PATIENCE);
    }

    public void restart() {
        stop();
        start();
    }

    /// Kills every process of the server at once, as a power failure would.
    public void crash() {
        server().kill();
    }

    public boolean isRunning() {
        return server().isRunning();
    }

    /// Appends to postgresql.conf; the server has to be told ([#reload] or [#restart]).
    public void configure(Map<String, String> settings) {
        StringBuilder text = new StringBuilder();
        new TreeMap<>(settings)
                .forEach(
                        (name, value) ->
                                text.append(name)
                                        .append(" = '")
                                        .append(value.replace("'", "''"))
                                        .append("'\n"));
        append(dataDirectory.resolve("postgresql.conf"), text.toString());
    }

    public void reload() {
        sql("SELECT pg_reload_conf()");
    }

    /// A JDBC URL of `database`, without user and password.
    public String url(String database) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + database;
    }

    /// A connection of the superuser to `postgres`.
    public Connection connect() throws SQLException {
        return connect("postgres");
    }

    public Connection connect(String database) throws SQLException {
        return connect(database, SUPERUSER, options.password().orElse(""));
    }

    public Connection connect(String database, String user, String password) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("ApplicationName", "mainstay-test");
        return DriverManager.getConnection(url(database), properties);
    }

    /// Runs statements in `postgres`, each in a transaction of its own.
    public void sql(String... statements) {
        sqlIn("postgres", statements);
    }

    public void sqlIn(String database, String... statements) {
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage() + " in " + List.of(statements), e);
        }
    }

    /// The first column of the first row, as text.
    public String value(String query) {
        return rows("postgres", query).getFirst();
    }

    /// The first column of every row, as text; SQL's null becomes `null` the word.
    public List<String> rows(String database, String query) {
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(query)) {
            List<String> rows = new ArrayList<>();
            while (result.next()) {
                rows.add(String.valueOf(result.getString(1)));
            }
            return rows;
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage() + " in " + query, e);
        }
    }

    /// Ends the recovery of a standby or of a paused restore, and waits until writes are accepted.
    public void promote() {
        sql("SELECT pg_promote(true, 60)");
        Await.until("the end of recovery", () -> value("SELECT pg_is_in_recovery()").equals("f"));
    }

    /// A new, running standby of this server that streams from it over a replication slot.
    ///
    /// @param settings of the standby alone
    public TestCluster standby(String name, Map<String, String> settings) {
        ServerDirectory standbyHome = ServerDirectory.create();
        Path data = standbyHome.directory("data");
        TestCluster standby = new TestCluster(major, options, standbyHome, data);
        try {
            StandbyCopy.of(this, name).into(data);
            standby.configure(settings);
            standby.start();
            return standby;
        } catch (SQLException | IOException e) {
            standby.close();
            throw new IllegalStateException("no standby " + name + ": " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            standby.close();
            throw e;
        }
    }

    /// Waits until `standby` has replayed all that this server has written so far.
    public void awaitReplay(TestCluster standby) {
        String lsn = value("SELECT pg_current_wal_lsn()");
        Await.until(
                "replay of " + lsn,
                () ->
                        standby.value("SELECT pg_last_wal_replay_lsn() >= '" + lsn + "'::pg_lsn")
                                .equals("t"));
    }

    @Override
    public void close() {
        if (OPEN.remove(this)) {
            server().kill();
            home.close();
        }
    }

    private void initdb() {
        List<String> arguments = new ArrayList<>();
        arguments.addAll(List.of("-U", SUPERUSER, "-E", "UTF8", "--locale=C", "-N"));
        arguments.add("--wal-segsize=" + options.walSegmentMib());
        if (options.checksums()) {
            arguments.add("--data-checksums");
        } else if (major >= 18) {
            arguments.add("--no-data-checksums");
        }
        ServerBinaries binaries = PostgresVersions.binaries(major);
        if (options.password().isPresent()) {
            Path file = home.path().resolve("password");
            append(file, options.password().get());
            ServerUser.giveToUnprivileged(file);
            arguments.addAll(List.of("-A", "scram-sha-256", "--pwfile=" + file));
        } else {
            arguments.addAll(List.of("-A", "trust"));
        }
        arguments.addAll(options.initdbArguments());
        binaries.initdb(dataDirectory, arguments);
        configure(options.settings());
    }

    private static void append(Path file, String text) {
        try {
            Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Below the range the kernel gives to outgoing connections.
    private static int freePort() {
        int candidate;
        do {
            candidate = ThreadLocalRandom.current().nextInt(20_000, 32_000);
        } while (!isFree(candidate));
        return candidate;
    }

    private static boolean isFree(int port) {
        try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            return true;
        } catch (IOException taken) {
            return false;
        }
    }
}
