package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.Await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The real program in processes of its own, as the launcher starts it but for the jar: unless
/// another one is given the class path is this JVM's.
final class Program {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int KILLED = 128 + 9;

    private final Path folder;
    private final Path configuration;
    private final List<String> options = new ArrayList<>();
    private String classPath = System.getProperty("java.class.path");
    private int started;

    /// @param folder for what the processes print
    Program(Path folder, Path configuration) {
        this.folder = folder;
        this.configuration = configuration;
    }

    /// An option for the JVM.
    Program with(String option) {
        options.add(option);
        return this;
    }

    /// From a jar.
    Program of(Path jar) {
        classPath = jar.toString();
        return this;
    }

    Child start(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(
                List.of(
                        "-Xmx320m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:-UsePerfData",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        classPath,
                        "dev.mainstay.cli.Mainstay",
                        "--config",
                        configuration.toString()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output-" + ++started);
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectInput(new java.io.File("/dev/null"))
                        .redirectOutput(output.toFile());
        builder.environment()
                .keySet()
                .removeIf(
                        name ->
                                name.startsWith("PG")
                                        || name.startsWith("MAINSTAY_")
                                        || name.startsWith("JAVA_")
                                        || name.startsWith("JDK_"));
        try {
            return new Child(String.join(" ", arguments), builder.start(), output);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /// Runs to the end and demands success.
    String run(String... arguments) {
        try (Child child = start(arguments)) {
            assertThat(child.awaitEnd()).as("%s", child).isZero();
            return child.output();
        }
    }

    /// A process. Closing it kills it, if it still runs.
    static final class Child implements AutoCloseable {
        private final String what;
        private final Process process;
        private final Path output;

        private Child(String what, Process process, Path output) {
            this.what = what;
            this.process = process;
            this.output = output;
        }

        long pid() {
            return process.pid();
        }

        boolean isAlive() {
            return process.isAlive();
        }

        /// Everything it has printed so far.
        String output() {
            try {
                return Files.readString(output);
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }

        /// Signal 9.
        ///
        /// @return whether it had not ended by itself before
        boolean kill() {
            process.destroyForcibly();
            return awaitEnd() == KILLED;
        }

        /// The ordinary stop, by a signal that can be caught.
        void stop() {
            process.destroy();
            assertThat(awaitEnd()).as("%s", this).isZero();
        }

        /// A signal that can be caught.
        void signal() {
            process.destroy();
        }

        int awaitEnd() {
            try {
                if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                    throw new AssertionError("still runs after " + PATIENCE + ": " + this);
                }
                return process.exitValue();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while waiting for " + what, interrupted);
            }
        }

        /// Waits for what only a process that lives can bring about.
        void await(String event, java.util.concurrent.Callable<Boolean> condition) {
            Await.until(
                    event,
                    PATIENCE,
                    () -> {
                        assertThat(isAlive()).as("waiting for %s: %s", event, this).isTrue();
                        return condition.call();
                    });
        }

        @Override
        public String toString() {
            return "mainstay " + what + " said:\n" + output();
        }

        @Override
        public void close() {
            process.destroyForcibly();
            awaitEnd();
        }
    }
}
