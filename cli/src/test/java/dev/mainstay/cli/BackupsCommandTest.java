package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// `backups` on a copy of a golden repository.
class BackupsCommandTest {
    private static final Path GOLDEN =
            Path.of("../core/src/test/resources/golden/format-1/open/repository");

    private final Console console = new Console();
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
        return console.run(folder, arguments);
    }

    private String out() {
        return console.out();
    }

    private List<Path> slots() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("repository/slots"))) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    @Test
    void aDamagedBackupIsListedAsDamagedBesideTheOthers() throws IOException {
        assertThat(run("backups")).as(console.err()).isZero();
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
        assertThat(console.err()).contains("MS-0206");
    }
}
