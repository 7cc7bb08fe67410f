package dev.mainstay.server;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.job.JobDesk;
import dev.mainstay.testkit.Await;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A server in a process of its own, that can be killed.
final class ServerProcess implements AutoCloseable {
    /// Time as a server has it: `speed` times as fast as outside since an instant, for all processes alike.
    record Time(Instant since, int speed) implements InstantSource {
        @Override
        public Instant instant() {
            Instant outside = Clock.systemUTC().instant();
            return since.plus(Duration.between(since, outside).multipliedBy(speed));
        }

        Ground ground() {
            Ground host = Ground.ofThisHost();
            return speed == 1 ? host : new Ground(this, host.random());
        }

        /// In real time the same server would need minutes to notice what happens here in seconds.
        JobDesk.Pace pace() {
            return speed == 1
                    ? JobDesk.Pace.USUAL
                    : new JobDesk.Pace(
                            Duration.ofMillis(300),
                            Duration.ofMillis(700),
                            15 * speed, // ten seconds
                            Duration.ofMillis(200),
                            Duration.ofMillis(700));
        }
    }

    private final Process process;
    private final Path output;

    private ServerProcess(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /// What runs in the process: until its standard input ends.
    public static void main(String[] arguments) throws IOException {
        Time time = new Time(Instant.parse(arguments[1]), Integer.parseInt(arguments[2]));
        Surroundings surroundings =
                new Surroundings(
                        new ConfigurationReader(Map.of()).read(Path.of(arguments[0])),
                        Map.of(),
                        time.ground());
        try (MainstayServer _ = MainstayServer.start(surroundings, time.pace());
                InputStream until = System.in) {
            System.err.println("server started");
            while (until.read() >= 0) {}
        }
        System.err.println("server stopped");
    }

    static ServerProcess start(Path configuration, Path output) throws IOException {
        return start(configuration, output, new Time(Instant.EPOCH, 1));
    }

    static ServerProcess start(Path configuration, Path output, Time time) throws IOException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx256m",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow",
                                "-cp",
                                System.getProperty("java.class.path"),
                                ServerProcess.class.getName()));
        command.addAll(
                List.of(
                        configuration.toString(),
                        time.since().toString(),
                        Integer.toString(time.speed())));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.redirectErrorStream(true).redirectOutput(output.toFile());
        ServerProcess server = new ServerProcess(builder.start(), output);
        server.await("server started");
        return server;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    long pid() {
        return process.pid();
    }

    String log() throws IOException {
        return Files.readString(output, StandardCharsets.UTF_8);
    }

    void await(String text) {
        Await.until(
                text,
                Duration.ofSeconds(90),
                () -> {
                    if (!process.isAlive() && !log().contains(text)) {
                        throw new AssertionError("the server ended:\n" + log());
                    }
                    return log().contains(text);
                });
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /// Stops it as it should be.
    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        try {
            Await.until("the server to stop", () -> !process.isAlive());
        } finally {
            process.destroyForcibly();
        }
    }
}
