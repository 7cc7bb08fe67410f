package dev.mainstay.cli;

import dev.mainstay.testkit.SecretScan;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/// Runs commands in this process and keeps what they print.
final class Console {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    /// @param people whether somebody sits at a terminal
    Terminal terminal(
            InputStream in, boolean people, Map<String, String> environment, Path folder) {
        return new Terminal(
                in,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                errors(),
                people,
                people,
                people,
                80,
                environment,
                folder);
    }

    PrintStream errors() {
        return new PrintStream(err, true, StandardCharsets.UTF_8);
    }

    /// Forgets what was printed before and runs a command to which nobody listens.
    int run(Path folder, String... arguments) {
        return run(folder, Map.of(), arguments);
    }

    int run(Path folder, Map<String, String> environment, String... arguments) {
        out.reset();
        err.reset();
        Terminal terminal =
                terminal(new ByteArrayInputStream(new byte[0]), false, environment, folder);
        int code =
                new CommandRunner(
                                terminal,
                                InstantSource.fixed(Instant.EPOCH),
                                new Interruption(Duration.ZERO, terminal.err()))
                        .run(List.of(arguments));
        SecretScan.demandNoneIn("what " + List.of(arguments) + " printed", out() + err());
        return code;
    }

    String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    String err() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
