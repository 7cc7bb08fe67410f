package dev.mainstay.cli;

import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What the launcher runs once to make its start cache (JEP 514): typical command lines, so that
/// their classes are loaded and their code is profiled. Nothing is printed and nothing is kept.
final class Training {
    private Training() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("mainstay-training");
        try {
            Path config = folder.resolve("mainstay.yaml");
            Files.writeString(
                    config,
                    """
                    repository:
                      url: file://%s/repository
                      key: { file: %s/repository.key }
                    sources:
                      training:
                        postgres:
                          url: postgresql://nobody@127.0.0.1:1/postgres
                    """
                            .formatted(folder, folder));
            lines(config, folder);
            fetch(config, folder);
        } finally {
            remove(folder);
        }
    }

    private static void lines(Path config, Path folder) {
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
                        folder);
        String at = config.toString();
        List<List<String>> lines =
                List.of(
                        List.of("--help"),
                        List.of("--version"),
                        List.of("version", "--help"),
                        List.of("version", "--output", "json"),
                        List.of("versoin"),
                        List.of("--config", at, "init"),
                        List.of("--config", at, "backups"),
                        List.of("--config", at, "--output", "json", "backups"),
                        List.of("--config", at, "wal", "get", "00000002.history", "x"),
                        List.of("--config", at, "wal", "push", "x"));
        for (List<String> line : lines) {
            new CommandRunner(
                            terminal,
                            InstantSource.system(),
                            new Interruption(Duration.ZERO, nowhere))
                    .run(line);
        }
    }

    /// What `wal push` and `wal get` do behind their command lines.
    private static void fetch(Path config, Path folder) {
        WalSegment segment = new WalSegment(TimelineId.of(1), 1, 16 << 20);
        SystemId system = SystemId.of(1);
        try (Repository repository =
                RepositoryAccess.open(
                        new ConfigurationReader(Map.of()).read(config).repository(),
                        Ground.ofThisHost())) {
            ProtectedSource source = repository.sourceOrAdd("training");
            source.wal(system, 1).put(segment, new byte[segment.sizeBytes()]);
            new WalGet(source, system, segment.sizeBytes(), true)
                    .get(segment.fileName(), folder.resolve("segment"));
        }
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
