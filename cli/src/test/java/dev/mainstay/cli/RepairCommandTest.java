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

/// `verify --repair` and `verify --scrub`, as people run them.
class RepairCommandTest {
    private static final Path GOLDEN = Path.of("../core/src/test/resources/golden/format-1");

    private final Console console = new Console();
    @TempDir private Path folder;

    @BeforeEach
    void copy() throws IOException {
        Path from = GOLDEN.resolve("key-file/repository");
        for (Path file : files(from)) {
            Path to = folder.resolve("repository").resolve(from.relativize(file).toString());
            Files.createDirectories(Objects.requireNonNull(to.getParent()));
            Files.copy(file, to);
        }
        Files.copy(GOLDEN.resolve("repository.key"), folder.resolve("key"));
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                repository: { url: "file://%s", key: { file: key } }
                copies: { disk: { url: "file://%s" }, gone: { url: "file://%s" } }
                verify: { every: 10d, budget: 1GiB }
                """
                        .formatted(
                                folder.resolve("repository"),
                                folder.resolve("copy"),
                                folder.resolve("unmounted")));
        succeeds("copy", "disk");
    }

    private static List<Path> files(Path below) throws IOException {
        try (Stream<Path> files = Files.walk(below)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.toString().contains(".tmp~"))
                    .sorted()
                    .toList();
        }
    }

    private Path first(String below) throws IOException {
        return files(folder.resolve("repository").resolve(below)).getFirst();
    }

    private void succeeds(String... arguments) {
        assertThat(console.run(folder, arguments)).as(console.out() + console.err()).isZero();
    }

    private void fails(String... arguments) {
        assertThat(console.run(folder, arguments)).as(console.out() + console.err()).isEqualTo(1);
    }

    private static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    @Test
    void whatIsDamagedIsPutRightFromTheCopiesThatAnswer() throws IOException {
        damage(first("packs/base"));
        damage(first("packs/metadata"));
        Files.delete(first("slots"));
        Files.delete(folder.resolve("repository/format"));
        fails("verify", "--output", "json");
        assertThat(console.out()).contains("MS-0203");
        succeeds("verify", "--repair");
        assertThat(console.out())
                .contains("4 objects put right; everything is readable")
                .contains("copied from disk", "gone", "MS-0201");
        for (Path file : files(folder.resolve("copy"))) {
            Path ours =
                    folder.resolve("repository").resolve(folder.resolve("copy").relativize(file));
            assertThat(Files.mismatch(ours, file)).as(ours.toString()).isEqualTo(-1);
        }
        succeeds("verify");
        succeeds("verify", "--repair", "--from", "disk");
        assertThat(console.out()).doesNotContain("put right");
        fails("verify", "--repair", "--from", "gone");
        assertThat(console.err()).contains("MS-0201");
    }

    @Test
    void whatNoCopyHasIsNamed() throws IOException {
        Path pack = first("packs/base");
        damage(pack);
        damage(folder.resolve("copy").resolve(folder.resolve("repository").relativize(pack)));
        fails("verify", "--repair");
        assertThat(console.out()).contains("MS-0904", "base/5/", pack.getFileName().toString());
        fails("verify", "--repair", "--output", "json");
        assertThat(console.out())
                .contains("\"ok\":false", "\"lostFiles\"", "\"pages\"", "\"repairedCount\":0");
        fails("verify");
        assertThat(console.out()).contains("MS-0901", "base/5/");
    }

    @Test
    void scrubbingGoesThroughAllOfIt() throws IOException {
        succeeds("verify", "--scrub", "--budget", "1B", "--output", "json");
        assertThat(console.out())
                .contains("\"scrubbedBytes\"", "\"scrubbedOfBytes\"", "longer than verify.every");
        succeeds("verify", "--scrub");
        assertThat(console.out()).doesNotContain("longer than verify.every");
        damage(first("packs/base"));
        boolean found = false;
        for (int run = 0; run < 100 && !found; run++) {
            found = console.run(folder, "verify", "--scrub", "--budget", "4KiB") == 1;
        }
        assertThat(found).isTrue();
        boolean repaired = false;
        for (int run = 0; run < 100 && !repaired; run++) {
            succeeds("verify", "--scrub", "--repair", "--budget", "4KiB");
            repaired = console.out().contains("1 object put right");
        }
        assertThat(repaired).isTrue();
        succeeds("verify");
    }

    @Test
    void whatDoesNotGoTogetherIsRefused() {
        for (String[] wrong :
                new String[][] {
                    {"verify", "--repair", "--as-of", "2026-11-21 05:00:00+00"},
                    {"verify", "--scrub", "--data", "10%"},
                    {"verify", "orders", "--scrub"},
                    {"verify", "--budget", "1GiB"},
                    {"verify", "--scrub", "--budget", "much"},
                    {"verify", "--repair", "--from", "dsik"}
                }) {
            assertThat(console.run(folder, wrong)).as(String.join(" ", wrong)).isNotZero();
            assertThat(console.err()).as(String.join(" ", wrong)).contains("MS-0405");
        }
    }
}
