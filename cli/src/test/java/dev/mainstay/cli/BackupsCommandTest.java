package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

    @Test
    void whatIsHeldIsRemovedOnlyOnceItIsReleasedAndSomebodyAgreed() throws IOException {
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                retention: { full: { count: 0 }, incremental: { count: 0 }, minimum: 1 }
                sources: { orders: { postgres: { url: postgresql://h } } }
                """,
                StandardOpenOption.APPEND);
        String old = slots().getFirst().getFileName().toString();
        String newest = slots().getLast().getFileName().toString();
        assertThat(run("backups", "hold", old)).isEqualTo(2);
        assertThat(run("backups", "hold", old, "--reason", "an audit")).as(console.err()).isZero();
        assertThat(run("backups")).isZero();
        assertThat(out()).contains("an audit");
        assertThat(run("expire", "--plan")).as(console.err()).isZero();
        assertThat(out()).contains("held: an audit").doesNotContain("goes");
        assertThat(run("backups", "release", old)).as(console.err()).isZero();
        assertThat(run("backups", "release", old)).isEqualTo(1);
        assertThat(run("expire", "orders", "--plan", "--output", "json")).isZero();
        assertThat(out()).startsWith("{").contains("\"goes\"", "not among the newest 0 full");
        assertThat(run("expire")).isEqualTo(1);
        assertThat(console.err()).contains("MS-0406", old);
        assertThat(slots()).hasSize(2);
        assertThat(run("expire", "--yes")).as(console.err()).isZero();
        assertThat(out()).contains("1 backup removed", old);
        assertThat(run("backups")).isZero();
        assertThat(out()).contains(newest).doesNotContain(old);
        assertThat(run("verify")).as(out() + console.err()).isZero();
        assertThat(run("backups", "hold", old, "--reason", "too late")).isEqualTo(1);
        assertThat(console.err()).contains("MS-0208");
    }
}
