package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/// `backups` on a copy of a golden repository.
class BackupsCommandTest {
    private static final Path GOLDEN =
            Path.of("../core/src/test/resources/golden/format-1/open/repository");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    @TempDir private Path folder;

    @BeforeEach
    void copy() throws IOException {
        try (Stream<Path> files = Files.walk(GOLDEN)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path to = folder.resolve("repository").resolve(GOLDEN.relativize(file).toString());
                Files.createDirectories(Objects.requireNonNull(to.getParent()));
                Files.copy(file, to);
            }
        }
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                "repository: { url: \"file://"
                        + folder.resolve("repository")
                        + "\", encryption: none }\n");
    }

    private int run(String... arguments) {
        out.reset();
        err.reset();
        Terminal terminal =
                new Terminal(
                        new ByteArrayInputStream(new byte[0]),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        false,
                        false,
                        false,
                        200,
                        Map.of(),
                        folder);
        return new CommandRunner(
                        terminal,
                        InstantSource.fixed(Instant.EPOCH),
                        new Interruption(Duration.ZERO, terminal.err()))
                .run(List.of(arguments));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private List<Path> slots() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("repository/slots"))) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    @Test
    void aDamagedBackupIsListedAsDamagedBesideTheOthers() throws IOException {
        assertThat(run("backups")).as(err.toString(StandardCharsets.UTF_8)).isZero();
        assertThat(out()).doesNotContain("damaged", "warnings");
        Path damaged = slots().getFirst();
        Files.write(damaged, new byte[10]);
        for (List<String> command : List.of(List.of("backups"), List.of("backups", "orders"))) {
            assertThat(run(command.toArray(String[]::new))).isZero();
            assertThat(out())
                    .contains(
                            slots().getLast().getFileName().toString(),
                            damaged.getFileName().toString(),
                            "damaged",
                            "MS-0206",
                            "mainstay verify");
        }
        assertThat(run("backups", "show", slots().getLast().getFileName().toString())).isZero();
        assertThat(run("backups", "show", damaged.getFileName().toString())).isEqualTo(1);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("MS-0206");
    }
}
