package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// `init`, its key file, and what commands say of keys and places that do not fit.
class InitCommandTest {
    private final Console console = new Console();
    @TempDir private Path folder;
    private Path key = Path.of("");

    @BeforeEach
    void configuration() throws IOException {
        key = folder.resolve("repository.key");
        configure("repository", key);
    }

    private void configure(String repository, Path key) throws IOException {
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                repository:
                  url: file://%s
                  key: { file: %s }
                """
                        .formatted(folder.resolve(repository), key));
    }

    private int run(String... arguments) {
        return console.run(folder, arguments);
    }

    private String out() {
        return console.out();
    }

    private String err() {
        return console.err();
    }

    @Test
    void jsonIsOneDocumentAndTheAdviceGoesBesideIt() {
        assertThat(run("--output", "json", "init")).isZero();
        assertThat(out().lines()).singleElement().asString().startsWith("{\"summary\":\"created");
        assertThat(err()).contains("Keep a copy of " + key);
    }

    @Test
    void aKeyFileOpenToOthersIsUsedWithAWarning() throws IOException {
        assertThat(run("init")).isZero();
        assertThat(run("backups")).isZero();
        assertThat(err()).isEmpty();
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
        for (String[] command :
                new String[][] {{"backups"}, {"--output", "json", "backups"}, {"verify"}}) {
            assertThat(run(command)).isZero();
            assertThat(err())
                    .contains(
                            "WARNING: others than its owner may read or change key file " + key,
                            "HINT: run: chmod 600 " + key);
            assertThat(out()).doesNotContain("WARNING");
        }
        configure("another", key);
        assertThat(run("init")).isZero();
        assertThat(err()).contains("WARNING: others than its owner");
    }

    @Test
    void theWrongKeyIsNamed() throws IOException {
        assertThat(run("init")).isZero();
        Path other = folder.resolve("other.key");
        configure("another", other);
        assertThat(run("init")).isZero();
        configure("repository", other);
        assertThat(run("backups")).isEqualTo(1);
        assertThat(err())
                .contains(
                        "ERROR: [MS-0301] key file "
                                + other
                                + " does not open the repository file://"
                                + folder.resolve("repository"));
    }

    @Test
    void aLostKeyIsNotReplacedByOneThatDoesNotFit() throws IOException {
        assertThat(run("init")).isZero();
        Files.move(key, folder.resolve("copy.key"));
        assertThat(run("init")).isEqualTo(1);
        assertThat(err()).contains("ERROR: [MS-0202] ");
        assertThat(key).doesNotExist();
    }

    @Test
    void aUrlThatLeadsToAFileIsThatToEveryCommand() throws IOException {
        Files.writeString(folder.resolve("repository"), "something else");
        for (String command : List.of("backups", "verify", "init")) {
            assertThat(run(command)).isEqualTo(1);
            assertThat(err()).contains("ERROR: [MS-0104] ", " is a file").doesNotContain("MS-0201");
        }
        assertThat(key).doesNotExist();
    }
}
