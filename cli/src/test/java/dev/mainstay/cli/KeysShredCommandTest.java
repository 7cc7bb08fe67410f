package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.IOException;
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

/// What every command says of a source that was shredded, on a copy of a golden repository.
class KeysShredCommandTest {
    private static final Path GOLDEN = Path.of("../core/src/test/resources/golden/format-1");

    private final Console console = new Console();
    @TempDir private Path folder;

    @BeforeEach
    void copy() throws IOException {
        Path from = GOLDEN.resolve("key-file/repository");
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path to = folder.resolve("repository").resolve(from.relativize(file).toString());
                Files.createDirectories(Objects.requireNonNull(to.getParent()));
                Files.copy(file, to);
            }
        }
        Files.copy(GOLDEN.resolve("repository.key"), folder.resolve("key"));
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                repository: { url: "file://%s", key: { file: key } }
                retention: { full: { count: 1 } }
                copies: { disk: { url: "file://%s" } }
                sources: { orders: { postgres: { url: postgresql://h } } }
                """
                        .formatted(folder.resolve("repository"), folder.resolve("copy")));
    }

    private void succeeds(String... arguments) {
        assertThat(console.run(folder, arguments)).as(console.out() + console.err()).isZero();
    }

    private void refuses(String code, String... arguments) {
        assertThat(console.run(folder, arguments)).as(console.out()).isNotZero();
        assertThat(console.err()).contains(code);
    }

    private void release() throws IOException {
        try (Stream<Path> slots = Files.walk(folder.resolve("repository/slots"))) {
            String oldest =
                    slots.filter(Files::isRegularFile)
                            .map(file -> file.getFileName().toString())
                            .sorted()
                            .findFirst()
                            .orElseThrow();
            succeeds("backups", "release", oldest);
        }
    }

    @Test
    void itIsSaidEverywhereThatItIsGoneOnPurpose() throws IOException {
        succeeds("copy");
        String[] shred = {
            "keys", "shred", "orders", "--reason", "they left", "--confirm", "orders"
        };
        refuses("MS-0314", shred);
        release();
        succeeds("copy");
        refuses("MS-0406", "keys", "shred", "orders", "--reason", "they left");
        refuses("MS-0406", "keys", "shred", "orders", "--reason", "x", "--confirm", "order");
        refuses("MS-0405", "keys", "shred", "orders", "--reason", " ", "--confirm", "orders");
        succeeds("backups", "orders");
        succeeds(shred);
        assertThat(console.out()).contains("destroyed", "old versions", "--copy");
        succeeds("backups");
        assertThat(console.out()).contains("no backups yet", "orders", "they left");
        for (String command : List.of("backups orders", "restore orders --to x", "expire orders")) {
            refuses("MS-0309", command.split(" "));
            assertThat(console.err()).contains("they left");
        }
        succeeds("verify");
        assertThat(console.out()).contains("they left");
        refuses("MS-0309", "verify", "orders");
        succeeds("keys", "list");
        assertThat(console.out()).contains("they left");
        succeeds("expire", "--yes");
        succeeds("prune", "--yes");
        assertThat(folder.resolve("repository/packs")).doesNotExist();
        succeeds("verify");
        succeeds("copy");
        assertThat(console.out()).contains("source orders can still be read in disk");
        succeeds("verify", "orders", "--from", "disk");
        succeeds(
                "keys",
                "shred",
                "orders",
                "--reason",
                "too",
                "--confirm",
                "orders",
                "--copy",
                "disk");
        refuses("MS-0309", "backups", "orders", "--from", "disk");
        succeeds("copy");
        assertThat(console.out()).doesNotContain("can still be read");
    }

    @Test
    void onATerminalTheNameIsTyped() throws IOException {
        release();
        assertThat(typed("y")).isEqualTo(1);
        assertThat(console.err()).contains("Type 'orders'", "MS-0406");
        assertThat(typed("orders")).isZero();
    }

    private int typed(String answer) {
        Terminal terminal =
                console.terminal(
                        new ByteArrayInputStream((answer + "\n").getBytes(StandardCharsets.UTF_8)),
                        true,
                        Map.of(),
                        folder);
        return new CommandRunner(
                        terminal,
                        InstantSource.fixed(Instant.EPOCH),
                        new Interruption(Duration.ZERO, terminal.err()))
                .run(List.of("keys", "shred", "orders", "--reason", "they left"));
    }
}
