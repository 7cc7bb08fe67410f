package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.postgres.cluster.ServerVersion;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ServerHost;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.ProtectedSource;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A server on a restored directory that nobody but this process uses: it recovers to the target
/// and opens there, on a Unix socket in a directory closed to others, and does nothing by itself.
/// It reads no configuration but its own, archives nothing, connects to nothing, runs no workers
/// and loads no libraries that replay does not need.
///
/// It never outlives this process: a shell holds the end of a pipe, and kills it when the pipe
/// closes, whatever became of us.
public final class PrivateServer implements AutoCloseable {
    /// In the name of the socket.
    public static final int PORT = 5432;

    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final int LOG_LINES = 12;

    /// A shell starts what it puts into the background with SIGQUIT ignored, and a server that has
    /// just been started has not yet said otherwise: the signal is repeated until it was heard.
    private static final String WATCH =
            """
            log="$1"; shift
            exec 3<&0 </dev/null
            "$@" >>"$log" 2>&1 3<&- &
            server=$!
            {
              while read -r _ <&3; do :; done
              while kill -QUIT $server 2>/dev/null; do sleep 1; done
            } &
            watch=$!
            wait $server
            status=$?
            kill -KILL $watch 2>/dev/null
            exit $status
            """;

    /// @param run an empty directory for socket and configuration; short, and on a file system with
    ///   room for some WAL segments
    /// @param preload what replay needs to be loaded; usually nothing
    /// @param keeps the directory goes on to be used: everything is durable, and the server stops
    ///   in good order
    /// @param roles who may exist in the restored cluster, to begin a search for a superuser
    public record Options(
            Path binDirectory, Path run, String preload, boolean keeps, List<String> roles) {}

    private final RestorePlan plan;
    private final KeptDatabases kept;
    private final Options options;
    private final Progress progress;
    private final Path log;
    private final PostgresServer server;
    private @Nullable Process process;
    private @Nullable String superuser;

    public PrivateServer(RestorePlan plan, KeptDatabases kept, Options options, Progress progress) {
        this.plan = plan;
        this.kept = kept;
        this.options = options;
        this.progress = progress;
        this.log = options.run.resolve("server.log");
        this.server =
                PostgresServer.of(
                        new PostgresServer.Options(
                                options.binDirectory,
                                directory(),
                                "",
                                PORT,
                                Optional.of(options.run),
                                Map.of(),
                                log));
    }

    private Path directory() {
        return plan.request().directory();
    }

    /// Starts, recovers and opens.
    ///
    /// @throws MainstayException RESTORE_START_FAILED with the end of the log,
    ///   RESTORE_DATABASE_DAMAGED if replay met pages of a database that is kept and not there,
    ///   INTERRUPTED, or what kept the log from being read; the server is stopped by [#close]
    public void recover(ProtectedSource source) {
        configure();
        WalGet archive =
                new WalGet(
                        source,
                        plan.details().systemId(),
                        plan.details().layout().walSegmentSize(),
                        true);
        progress.begin(
                "recovering", plan.replay().segments() * plan.details().layout().walSegmentSize());
        try (WalFeed feed =
                new WalFeed(archive, feed(), plan.replay().last(), this::give, progress)) {
            start(feed);
            await(feed);
        } finally {
            progress.end();
        }
        List<String> missing = InvalidPages.of(log, kept);
        if (!missing.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.RESTORE_DATABASE_DAMAGED,
                    "recovery found pages missing that it has to change: "
                            + String.join("; ", missing));
        }
    }

    private Path feed() {
        Path folder = options.run.resolve("feed");
        RestoreFiles.attempt("create " + folder, () -> give(Files.createDirectory(folder)));
        return folder;
    }

    /// What is thrown away need not keep what the source was told by ALTER SYSTEM.
    private void forgetSettings() {
        Path file = directory().resolve(RecoverySettings.FILE);
        RestoreFiles.attempt(
                "write " + file,
                () ->
                        Files.writeString(
                                file,
                                RecoverySettings.rewrite(
                                        "", RecoverySettings.of(plan), "for a private server"),
                                StandardCharsets.ISO_8859_1));
    }

    private void configure() {
        if (!options.keeps) {
            forgetSettings();
        }
        RestoreFiles.attempt(
                "write into " + options.run,
                () -> {
                    give(options.run);
                    for (String name : List.of("postgresql.conf", "pg_ident.conf")) {
                        give(Files.writeString(options.run.resolve(name), ""));
                    }
                    give(
                            Files.writeString(
                                    options.run.resolve("pg_hba.conf"), "local all all trust\n"));
                });
    }

    /// Makes a file the server's.
    private void give(Path path) {
        if (ServerUser.isRoot()) {
            RestoreFiles.attempt(
                    "give away " + path, () -> Files.setOwner(path, Files.getOwner(directory())));
        }
    }

    private void start(WalFeed feed) {
        if (server.isRunning()) {
            throw new MainstayException(
                    ErrorCode.RESTORE_SERVER_RUNNING, "a server is running on " + directory());
        }
        Map<String, String> settings = new LinkedHashMap<>();
        settings.putAll(
                PrivateSettings.of(
                        ServerVersion.ofServerVersionNum(plan.details().server().versionNum())
                                .major(),
                        ControlFile.read(directory(), Waiter.sleeping(Duration.ofMillis(100))),
                        options.run,
                        options.preload,
                        options.keeps));
        settings.put("restore_command", feed.command());
        if (!kept.isEverything()) {
            settings.put("ignore_invalid_pages", "on");
        }
        List<String> command = new ArrayList<>();
        if (Files.isExecutable(Path.of("/usr/bin/setsid"))) { // Ctrl-C is for us, not for it
            command.add("/usr/bin/setsid");
        }
        command.addAll(List.of("/bin/sh", "-c", WATCH, "sh", log.toString()));
        command.add(options.binDirectory.resolve("postgres").toString());
        command.addAll(List.of("-D", directory().toString()));
        settings.forEach((name, value) -> command.addAll(List.of("-c", name + "=" + value)));
        try {
            process =
                    ServerUser.of(directory())
                            .process(command)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.RESTORE_START_FAILED,
                    "cannot start " + command + ": " + failed,
                    failed);
        }
    }

    private void await(WalFeed feed) {
        Waiter pause = Waiter.sleeping(Duration.ofMillis(20));
        Process started = java.util.Objects.requireNonNull(process);
        while (!PostgresServer.isReady(directory())) {
            feed.demandWell();
            if (!started.isAlive()) {
                throw new MainstayException(
                        ErrorCode.RESTORE_START_FAILED,
                        "the restored server ended in recovery; its log ends with:\n"
                                + InvalidPages.tail(log, LOG_LINES),
                        "if a library or resource manager is missing, name it: --preload LIBRARIES",
                        null);
            }
            pause.await(1);
        }
    }

    /// A session of a superuser.
    ///
    /// @throws MainstayException SERVER_LOGIN_REFUSED if none is found
    public Connection connect(String database) {
        return SqlSession.openSql(spec(superuser(), database), "mainstay");
    }

    /// What the server said last.
    String logTail() {
        return InvalidPages.tail(log, LOG_LINES);
    }

    /// Where programs find the server.
    public Path socketDirectory() {
        return options.run;
    }

    private ConnectionSpec spec(String role, String database) {
        return ConnectionSpec.parse(
                        "postgresql://"
                                + URLEncoder.encode(role, StandardCharsets.UTF_8)
                                        .replace("+", "%20")
                                + "@/postgres",
                        Map.of())
                .withDatabase(database)
                .withHost(new ServerHost.Unix(options.run, PORT));
    }

    /// Any role can tell who is a superuser.
    public String superuser() {
        String known = superuser;
        if (known != null) {
            return known;
        }
        LinkedHashSet<String> roles = new LinkedHashSet<>(options.roles);
        roles.add("postgres");
        RestoreFiles.attempt(
                "see who owns " + directory(),
                () -> roles.add(Files.getOwner(directory()).getName()));
        for (String role : roles) {
            Optional<String> found = superuserKnownTo(role);
            if (found.isPresent()) {
                superuser = found.get();
                return found.get();
            }
        }
        throw new MainstayException(
                ErrorCode.SERVER_LOGIN_REFUSED,
                "no superuser of the restored cluster is known; none of these roles exists in it: "
                        + String.join(", ", roles),
                "name a role of the restored cluster: --role NAME",
                null);
    }

    private Optional<String> superuserKnownTo(String role) {
        try (Connection sql = SqlSession.openSql(spec(role, "template1"), "mainstay");
                Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper AND"
                                        + " rolcanlogin ORDER BY rolname <> current_user, oid")) {
            return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
        } catch (SQLException failed) {
            throw SqlSession.failure("asking for a superuser", failed);
        } catch (MainstayException refused) {
            if (refused.code() != ErrorCode.SERVER_LOGIN_REFUSED) {
                throw refused;
            }
            return Optional.empty();
        }
    }

    /// Stops the server, also when this thread was interrupted.
    ///
    /// @throws MainstayException SERVER_STOP_FAILED
    @Override
    public void close() {
        Process started = process;
        if (started == null) {
            return;
        }
        boolean interrupted = Thread.interrupted(); // stopping must not be cut short
        try {
            if (options.keeps && server.isRunning()) {
                server.stop(PostgresServer.StopMode.FAST, PATIENCE);
            }
            started.getOutputStream().close(); // the watching shell does the rest
            if (!started.waitFor(PATIENCE.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS)
                    || server.isRunning()) {
                server.kill();
                started.destroyForcibly();
            }
        } catch (IOException closed) {
            server.kill();
        } catch (InterruptedException again) {
            interrupted = true;
            server.kill();
        } finally {
            process = null;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
