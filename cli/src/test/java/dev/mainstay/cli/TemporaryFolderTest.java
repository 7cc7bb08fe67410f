package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The native library has to be unpacked somewhere; processes of their own, since one loads it
/// once.
class TemporaryFolderTest {
    @TempDir private Path folder;
    private Path config = Path.of("");

    private record Answer(int code, String text) {}

    @BeforeEach
    void configuration() throws IOException {
        config =
                Files.writeString(
                        folder.resolve("mainstay.yaml"),
                        """
                        repository:
                          url: file://%s/repository
                          key: { file: %s/repository.key }
                        """
                                .formatted(folder, folder));
    }

    private Answer run(Path temporary, String... arguments)
            throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "-Djava.io.tmpdir=" + temporary,
                                "-XX:TieredStopAtLevel=1",
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow",
                                "-cp",
                                System.getProperty("java.class.path"),
                                "dev.mainstay.cli.Mainstay",
                                "--config",
                                config.toString()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectInput(new File("/dev/null"))
                        .redirectOutput(output.toFile())
                        .start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Answer(process.exitValue(), Files.readString(output));
    }

    @Test
    void oneThatCannotBeUsedIsNamedBeforeAnythingIsMade() throws IOException, InterruptedException {
        Path gone = folder.resolve("gone");
        Answer init = run(gone, "init");
        assertThat(init.code()).isEqualTo(1);
        assertThat(init.text())
                .contains(
                        "ERROR: [MS-1004] the zstd library cannot be unpacked into the temporary"
                                + " folder "
                                + gone
                                + ": it does not exist\n",
                        "HINT: ",
                        "-Djava.io.tmpdir=");
        assertThat(folder.resolve("repository")).doesNotExist();
        assertThat(folder.resolve("repository.key")).doesNotExist();
        Answer json = run(Files.writeString(folder.resolve("file"), ""), "init", "--output=json");
        assertThat(json.code()).isEqualTo(1);
        assertThat(json.text()).contains("{\"error\":{\"code\":\"MS-1004\"");
    }

    @Test
    void itIsEmptyAgainAndWithoutItTheRepositoryAnswersNothing()
            throws IOException, InterruptedException {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        assertThat(run(temporary, "init").code()).isZero();
        assertThat(temporary).isEmptyDirectory();
        Path gone = folder.resolve("gone");
        assertThat(run(gone, "backups").text()).contains("[MS-1004]");
        assertThat(run(gone, "wal", "get", "00000002.history", "x").code()).isEqualTo(126);
        assertThat(run(temporary, "backups")).isEqualTo(new Answer(0, "no backups yet\n"));
    }
}
