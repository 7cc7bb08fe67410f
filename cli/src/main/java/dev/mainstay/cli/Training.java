package dev.mainstay.cli;

import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/// What the launcher runs once to make its start cache (JEP 514): typical command lines, so that
/// their classes are loaded and their code is profiled. Nothing is printed and nothing is kept.
final class Training {
    private Training() {}

    public static void main(String[] arguments) {
        PrintStream nowhere =
                new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        Terminal terminal =
                new Terminal(
                        new ByteArrayInputStream(new byte[0]),
                        nowhere,
                        nowhere,
                        false,
                        false,
                        false,
                        Terminal.DEFAULT_COLUMNS,
                        Map.of(),
                        Path.of("/nonexistent"));
        List<List<String>> lines =
                List.of(
                        List.of("--help"),
                        List.of("--version"),
                        List.of("version", "--help"),
                        List.of("version", "--output", "json"),
                        List.of("versoin"));
        for (List<String> line : lines) {
            new CommandRunner(
                            terminal,
                            InstantSource.system(),
                            new Interruption(Duration.ZERO, nowhere))
                    .run(line);
        }
    }
}
