package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.PostgresVersions;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/// `mainstay demo` as a process: the story is true, and nothing of it stays.
class DemoTest {
    @TempDir Path folder;
    private Path stage;

    @BeforeEach
    void prepare() throws IOException {
        // the server's user has to reach it
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        stage = Files.createDirectory(folder.resolve("stage"));
        Path archives = Files.createDirectory(folder.resolve("archives"));
        Path archive = PostgresVersions.archive(17);
        Files.copy(archive, archives.resolve(archive.getFileName()));
    }

    private Program program(Path configuration) {
        return new Program(folder, configuration)
                .with("-Djava.io.tmpdir=" + stage)
                .with("-Dmainstay.demo.archives=" + folder.resolve("archives"));
    }

    @Test
    void theTableComesBackAndWhatIsKeptIsARepository() throws IOException {
        String told = program(folder.resolve("none.yaml")).run("demo", "--size", "8MiB", "--keep");
        assertThat(told)
                .contains("the table is back")
                .contains("exactly what was there")
                .contains("dropped at")
                .containsPattern("rpo: +\\S+")
                .containsPattern("rto: +\\S+");
        List<Path> kept = children(stage);
        assertThat(kept).hasSize(1);
        assertThat(told).contains("everything was kept in " + kept.getFirst());
        Path configuration = folder.resolve("kept.yaml");
        Files.writeString(
                configuration,
                """
                repository:
                  url: file://%1$s/repository
                  key: { file: %1$s/repository.key }
                """
                        .formatted(kept.getFirst()));
        assertThat(program(configuration).run("backups", "demo"))
                .contains("full")
                .contains("incremental");
        assertThat(program(configuration).run("verify")).doesNotContain("ERROR");
        assertThat(servers()).isZero();
    }

    @Test
    void anInterruptionLeavesNothing() throws IOException {
        try (Program.Child demo =
                program(folder.resolve("none.yaml")).start("demo", "--size", "8MiB")) {
            demo.await("a server of the demo", () -> demo.output().contains("1. started"));
            demo.signal();
            assertThat(demo.awaitEnd()).as("%s", demo).isNotZero();
        }
        assertThat(children(stage)).isEmpty();
        Await.until("the servers end", Duration.ofSeconds(20), () -> servers() == 0);
    }

    private static List<Path> children(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith("mainstay-demo-"))
                    .toList();
        }
    }

    /// Processes that run on something in this test's folder.
    private long servers() {
        return ProcessHandle.allProcesses()
                .filter(
                        process ->
                                process.info()
                                        .commandLine()
                                        .filter(line -> line.contains("/postgres "))
                                        .filter(line -> line.contains(stage.toString()))
                                        .isPresent())
                .count();
    }
}
