package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// A PostgreSQL server process on a data directory.
///
/// The `postgres` program is started directly, in a session of its own, and outlives this JVM. When
/// the JVM is root the server runs as the owner of the data directory (see [ServerUser]). What is
/// said about a running server comes from its `postmaster.pid`, so an instance also speaks for a
/// server that somebody else started on the same directory.
public final class PostgresServer {
    /// How a server is asked to stop; PostgreSQL's own words.
    public enum StopMode {
        /// Waits until the last client has gone.
        SMART("TERM"),
        /// Ends transactions and disconnects clients.
        FAST("INT"),
        /// Ends at once, as in a crash; the next start recovers from WAL.
        IMMEDIATE("QUIT");

        private final String signal;

        StopMode(String signal) {
            this.signal = signal;
        }
    }

    /// What a server is started with.
    ///
    /// @param binDirectory holds the `postgres` program
    /// @param listenAddresses as in `listen_addresses`; empty for the Unix socket alone
    /// @param port of TCP, and in the name of the Unix socket
    /// @param socketDirectory where the Unix socket is made; empty for none
    /// @param settings become `-c name=value` and so override every configuration file
    /// @param log standard output and error are appended to it, opened with the server's rights
    public record Options(
            Path binDirectory,
            Path dataDirectory,
            String listenAddresses,
            int port,
            Optional<Path> socketDirectory,
            Map<String, String> settings,
            Path log) {
        public Options {
            settings = Map.copyOf(settings);
        }
    }

    private static final long POLL_NANOS = 10_000_000;
    private static final int LOG_LINES = 20;
    private static final int LOG_BYTES = 16 * 1024;

    private final Options options;

    private PostgresServer(Options options) {
        this.options = options;
    }

    public static PostgresServer of(Options options) {
        return new PostgresServer(options);
    }

    /// The process of the server that runs on `dataDirectory`, whoever started it.
    public static OptionalLong runningPid(Path dataDirectory) {
        return Postmaster.running(dataDirectory)
                .map(p -> OptionalLong.of(p.pid()))
                .orElse(OptionalLong.empty());
    }

    /// Whether the server on `dataDirectory`, whoever started it, accepts connections and is no
    /// longer in recovery, unless that is a hot standby's.
    public static boolean isReady(Path dataDirectory) {
        return Postmaster.running(dataDirectory)
                .filter(p -> p.status().equals("ready"))
                .isPresent();
    }

    public Options options() {
        return options;
    }

    public boolean isRunning() {
        return pid().isPresent();
    }

    public OptionalLong pid() {
        return runningPid(options.dataDirectory());
    }

    /// Starts the server and returns when it accepts connections, or, in a recovery without hot
    /// standby, when replay is under way. A server that is not that far after `timeout` is stopped
    /// again.
    ///
    /// @throws MainstayException SERVER_START_FAILED naming the log and its last lines
    public void start(Duration timeout) {
        if (isRunning()) {
            throw new MainstayException(
                    ErrorCode.SERVER_START_FAILED,
                    "a server is already running on " + options.dataDirectory(),
                    "stop it first",
                    null);
        }
        long logStart = logSize();
        Process process = spawn();
        boolean decided = await(() -> isUp(process) || !process.isAlive(), timeout);
        if (decided && isUp(process)) {
            return;
        }
        if (!decided) {
            pid().ifPresent(this::killAll);
            process.destroyForcibly();
            throw failed("not ready after " + timeout.toSeconds() + " s, stopped", "", logStart);
        }
        throw failed("ended with status " + exitStatus(process), output(process), logStart);
    }

    /// Stops the server if it runs and returns when its process has ended.
    ///
    /// @throws MainstayException SERVER_STOP_FAILED if it still runs after `timeout`
    public void stop(StopMode mode, Duration timeout) {
        OptionalLong running = pid();
        if (running.isEmpty()) {
            return;
        }
        long pid = running.getAsLong();
        signal(mode.signal, List.of(pid));
        if (!await(() -> !Postmaster.isAlive(pid), timeout)) {
            throw new MainstayException(
                    ErrorCode.SERVER_STOP_FAILED,
                    "server "
                            + pid
                            + " on "
                            + options.dataDirectory()
                            + " still runs after "
                            + timeout.toSeconds()
                            + " s; its log is "
                            + options.log());
        }
    }

    /// Kills the server and all its processes as a power failure would (signal 9), and returns when
    /// none is left, so that the next start finds neither its shared memory nor its port in use.
    public void kill() {
        pid().ifPresent(this::killAll);
    }

    private void killAll(long pid) {
        signal("STOP", List.of(pid)); // no new children while they are being listed
        List<Long> all = new ArrayList<>(List.of(pid));
        ProcessHandle.of(pid).stream()
                .flatMap(ProcessHandle::descendants)
                .map(ProcessHandle::pid)
                .forEach(all::add);
        signal("KILL", all);
        Duration patience = Duration.ofSeconds(60);
        if (!await(() -> all.stream().noneMatch(Postmaster::isAlive), patience)) {
            throw new MainstayException(
                    ErrorCode.SERVER_STOP_FAILED, "server " + pid + " survives signal 9");
        }
    }

    private Process spawn() {
        ServerUser user = ServerUser.of(options.dataDirectory());
        List<String> command = new ArrayList<>();
        if (ServerUser.isInstalled("setsid")) { // Ctrl-C in our terminal is not meant for it
            command.add("setsid");
        }
        // The shell opens the log with the server's rights, not with ours, which may be root's.
        String shell = "log=\"$1\"; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null";
        command.addAll(List.of("/bin/sh", "-c", shell, "sh", options.log().toString()));
        command.addAll(serverCommand());
        try {
            Process process = user.process(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            return process;
        } catch (IOException e) {
            throw new MainstayException(
                    ErrorCode.SERVER_START_FAILED, "cannot start " + command + ": " + e, e);
        }
    }

    private List<String> serverCommand() {
        Path program = options.binDirectory().resolve("postgres");
        if (!Files.isExecutable(program)) {
            throw new MainstayException(
                    ErrorCode.SERVER_START_FAILED,
                    "there is no server program " + program,
                    "name the directory that holds the postgres program",
                    null);
        }
        List<String> command = new ArrayList<>();
        command.addAll(List.of(program.toString(), "-D", options.dataDirectory().toString()));
        options.settings().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(s -> command.addAll(List.of("-c", s.getKey() + "=" + s.getValue())));
        command.addAll(List.of("-c", "listen_addresses=" + options.listenAddresses()));
        command.addAll(List.of("-c", "port=" + options.port()));
        String sockets = options.socketDirectory().map(Path::toString).orElse("");
        command.addAll(List.of("-c", "unix_socket_directories=" + sockets));
        return command;
    }

    /// Up, and the very server this call started: a stale pid file of a crash names another one.
    private boolean isUp(Process process) {
        return Postmaster.running(options.dataDirectory())
                .filter(Postmaster::isUp)
                .filter(
                        p ->
                                p.pid() == process.pid()
                                        || process.descendants()
                                                .anyMatch(child -> child.pid() == p.pid()))
                .isPresent();
    }

    private MainstayException failed(String what, String output, long logStart) {
        StringBuilder text = new StringBuilder("the server on ");
        text.append(options.dataDirectory()).append(' ').append(what);
        text.append("; its log ").append(options.log()).append(" ends with:");
        for (String line : lastLines(output, logStart)) {
            text.append("\n  ").append(line);
        }
        return new MainstayException(ErrorCode.SERVER_START_FAILED, text.toString());
    }

    private List<String> lastLines(String output, long logStart) {
        List<String> lines = new ArrayList<>(output.lines().toList());
        try (RandomAccessFile log = new RandomAccessFile(options.log().toFile(), "r")) {
            long from = Math.max(logStart, log.length() - LOG_BYTES);
            log.seek(from);
            byte[] tail = new byte[Math.toIntExact(log.length() - from)];
            log.readFully(tail);
            lines.addAll(new String(tail, StandardCharsets.UTF_8).lines().toList());
        } catch (IOException e) {
            lines.add("(unreadable: " + e + ")");
        }
        return lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size());
    }

    private long logSize() {
        try {
            return Files.size(options.log());
        } catch (IOException absent) {
            return 0;
        }
    }

    /// Only what came before the log took over, such as a program that could not be run.
    private static String output(Process process) {
        try {
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    private static int exitStatus(Process process) {
        return process.exitValue();
    }

    /// The JDK sends only two kinds of signals; every shell sends them all.
    private static void signal(String name, List<Long> pids) {
        List<String> command = new ArrayList<>();
        command.addAll(List.of("/bin/sh", "-c", "kill -\"$@\"", "sh", name));
        pids.forEach(pid -> command.add(Long.toString(pid)));
        try {
            Process kill =
                    new ProcessBuilder(command)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            kill.waitFor(); // fails for a process that has ended meanwhile, which is as good
        } catch (IOException e) {
            throw new MainstayException(
                    ErrorCode.SERVER_STOP_FAILED, "cannot send signal " + name + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "interrupted", e);
        }
    }

    private static boolean await(BooleanSupplier condition, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (!condition.getAsBoolean()) {
            if (Thread.currentThread().isInterrupted()) {
                throw new MainstayException(
                        ErrorCode.INTERRUPTED, "interrupted while waiting for a server");
            }
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }
}
