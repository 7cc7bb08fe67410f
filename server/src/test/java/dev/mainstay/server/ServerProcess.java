package dev.mainstay.server;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.testkit.Await;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/// A server in a process of its own, that can be killed.
final class ServerProcess implements AutoCloseable {
    private final Process process;
    private final Path output;

    private ServerProcess(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /// What runs in the process: until its standard input ends.
    public static void main(String[] arguments) throws IOException {
        Surroundings surroundings =
                new Surroundings(
                        new ConfigurationReader(Map.of()).read(Path.of(arguments[0])),
                        Map.of(),
                        Ground.ofThisHost());
        try (MainstayServer _ = MainstayServer.start(surroundings);
                InputStream until = System.in) {
            System.err.println("server started");
            while (until.read() >= 0) {}
        }
        System.err.println("server stopped");
    }

    static ServerProcess start(Path configuration, Path output) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ServerProcess.class.getName(),
                        configuration.toString());
        builder.redirectErrorStream(true).redirectOutput(output.toFile());
        ServerProcess server = new ServerProcess(builder.start(), output);
        server.await("server started");
        return server;
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
