package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.storage.local.LocalStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

final class LocalStoreRaceTest {
    private static final int PROCESSES = 16;
    private static final int NAMES = 1000;

    @TempDir private Path directory = Path.of("");

    @Test
    void ofSixteenProcessesThatRaceForEachNameExactlyOneWins() throws Exception {
        Path root = Files.createDirectory(directory.resolve("store"));
        List<Process> processes = new ArrayList<>();
        try {
            for (int id = 0; id < PROCESSES; id++) {
                processes.add(start(root, id));
            }
            for (Process process : processes) {
                assertThat(process.inputReader(US_ASCII).readLine()).isEqualTo("ready");
            }
            for (Process process : processes) {
                process.outputWriter(US_ASCII).append('\n').flush();
            }
            for (Process process : processes) {
                assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
                assertThat(process.exitValue()).isZero();
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
        checkWinners(root);
    }

    private Path result(int id) {
        return directory.resolve("won-" + id);
    }

    private Process start(Path root, int id) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx48m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        RacingProcess.class.getName(),
                        root.toString(),
                        Integer.toString(id),
                        Integer.toString(NAMES),
                        result(id).toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private void checkWinners(Path root) throws IOException {
        Map<String, Integer> winners = new HashMap<>();
        for (int id = 0; id < PROCESSES; id++) {
            for (String name : Files.readAllLines(result(id), US_ASCII)) {
                assertThat(winners.put(name, id)).as("two winners of %s", name).isNull();
            }
        }
        assertThat(winners).hasSize(NAMES);
        try (LocalStore store = LocalStore.open(root)) {
            assertThat(store.list("", "", NAMES + 1).objects()).hasSize(NAMES);
            winners.forEach(
                    (name, id) -> {
                        String content = RacingProcess.content(Integer.toString(id));
                        assertThat(store.size(name)).contains((long) content.length());
                        assertThat(new String(store.get(name, 0, content.length()), US_ASCII))
                                .isEqualTo(content);
                    });
        }
        try (var left = Files.list(root.resolve(".tmp~"))) {
            assertThat(left).isEmpty();
        }
    }
}
