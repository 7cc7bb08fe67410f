package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The launcher at the root of the tree, with JDKs that are shell scripts.
class LauncherTest {
    private static final String STOPPED =
            """
            ERROR: [MS-0407] stopped by a signal before it began
            HINT: run the command again
            """;

    @TempDir private Path folder;
    private Path launcher = Path.of("");
    private Path jdk = Path.of("");

    private record Answer(int code, String text) {}

    @BeforeEach
    void installation() throws IOException {
        Path home = Files.createDirectory(folder.resolve("in stalled"));
        launcher = home.resolve("mainstay");
        Files.copy(
                Path.of("..", "mainstay").toAbsolutePath().normalize(),
                launcher,
                StandardCopyOption.COPY_ATTRIBUTES);
        Files.writeString(home.resolve("mainstay.jar"), "no jar");
        jdk = jdk("jdk", "25.0.1", "exit 40");
    }

    private Path jdk(String name, String version, String script) throws IOException {
        Path home = folder.resolve(name);
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(
                home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        Path java = home.resolve("bin/java");
        Files.writeString(java, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        return home;
    }

    private Answer run(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", launcher.toString()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectInput(new java.io.File("/dev/null"))
                        .redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(n -> n.startsWith("MAINSTAY_"));
        builder.environment().remove("JAVA_HOME");
        builder.environment().put("MAINSTAY_CACHE", "off");
        builder.environment().put("MAINSTAY_AGENT", "off");
        builder.environment().put("MAINSTAY_JAVA_HOME", jdk.toString());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Answer(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @CsvSource({
        "exit 40, 0, 0",
        "exit 44, 1, 1",
        "exit 0, 126, 1",
        "exit 1, 126, 1",
        "exit 2, 126, 1",
        "exit 3, 126, 1",
        "exit 126, 126, 1",
        "exit 143, 126, 1",
        "kill -9 $$, 126, 1",
        "kill -15 $$, 126, 1",
        "kill -11 $$, 126, 1"
    })
    void onlyTheProgramItselfAnswersZeroOrOneToPostgresql(String script, int get, int push)
            throws IOException, InterruptedException {
        jdk = jdk("jdk", "25", script);
        assertThat(run(Map.of(), "wal", "get", "name", "path").code()).isEqualTo(get);
        assertThat(run(Map.of(), "--config", "a b", "wal", "get", "n", "p").code()).isEqualTo(get);
        assertThat(run(Map.of(), "wal", "push", "path").code()).isEqualTo(push);
    }

    @Test
    void otherCommandsAnswerWithTheProgramsOwnCode() throws IOException, InterruptedException {
        jdk = jdk("jdk", "25", "exit 2");
        assertThat(run(Map.of(), "backup", "orders").code()).isEqualTo(2);
        assertThat(run(Map.of(), "wal", "receive", "orders").code()).isEqualTo(2);
    }

    @Test
    void aMissingJarAbortsRecoveryInsteadOfEndingIt() throws IOException, InterruptedException {
        Files.delete(launcher.resolveSibling("mainstay.jar"));
        Files.writeString(launcher.resolveSibling("pom.xml"), "never built on behalf of wal");
        Answer get = run(Map.of(), "wal", "get", "name", "path");
        assertThat(get.code()).isEqualTo(126);
        assertThat(get.text()).contains("ERROR: [MS-0408]", "HINT: ").doesNotContain("building");
        assertThat(run(Map.of(), "wal", "push", "path").code()).isEqualTo(1);
    }

    @Test
    void aMissingJdkAbortsRecoveryInsteadOfEndingIt() throws IOException, InterruptedException {
        Map<String, String> gone = Map.of("MAINSTAY_JAVA_HOME", folder + "/gone");
        Answer get = run(gone, "wal", "get", "name", "path");
        assertThat(get.code()).isEqualTo(126);
        assertThat(get.text()).contains("is no JDK 25 or newer");
        assertThat(run(gone, "wal", "push", "path").code()).isEqualTo(1);
        assertThat(run(gone, "backups").code()).isEqualTo(1);
        Map<String, String> old =
                Map.of("MAINSTAY_JAVA_HOME", jdk("old", "1.8.0_402", "exit 40").toString());
        assertThat(run(old, "wal", "get", "name", "path").code()).isEqualTo(126);
    }

    @Test
    void aJvmThatCannotStartAbortsRecovery() throws IOException, InterruptedException {
        Map<String, String> real = Map.of("MAINSTAY_JAVA_HOME", System.getProperty("java.home"));
        assertThat(run(real, "wal", "get", "n", "p").code()).as("broken jar").isEqualTo(126);
        for (String options : List.of("-Xmx1m", "-XX:+NoSuchFlag", "-version", "--help")) {
            Map<String, String> environment =
                    Map.of(
                            "MAINSTAY_JAVA_HOME",
                            System.getProperty("java.home"),
                            "MAINSTAY_JAVA_OPTS",
                            options);
            assertThat(run(environment, "wal", "get", "n", "p").code()).as(options).isEqualTo(126);
            assertThat(run(environment, "wal", "push", "p").code()).as(options).isEqualTo(1);
        }
    }

    @Test
    void theFirstJdkThatIsNewEnoughIsTaken() throws IOException, InterruptedException {
        Path old = jdk("old", "17.0.15", "echo old");
        Path path = jdk("path", "26-ea", "echo path");
        Answer answer =
                run(
                        Map.of(
                                "MAINSTAY_JAVA_HOME",
                                "",
                                "JAVA_HOME",
                                old.toString(),
                                "PATH",
                                path + "/bin:" + System.getenv("PATH")),
                        "version");
        assertThat(answer.text()).isEqualTo("path\n");
    }

    @Test
    void argumentsArriveAsTheyAreAndOptionsOfTheUserComeLast()
            throws IOException, InterruptedException {
        jdk = jdk("jdk", "25", "for a in \"$@\"; do echo \"<$a>\"; done");
        Path link = folder.resolve("link");
        Files.createSymbolicLink(link, launcher);
        launcher = link;
        Answer answer =
                run(Map.of("MAINSTAY_JAVA_OPTS", "-Xmx1g -Da=*"), "backup", "a  b", "$HOME", "*");
        List<String> lines = answer.text().lines().toList();
        assertThat(lines).endsWith("<backup>", "<a  b>", "<$HOME>", "<*>");
        assertThat(lines).contains("<-Da=*>", "<-XX:+UseSerialGC>", "<-Dmainstay.tty=>");
        assertThat(lines.indexOf("<-Xmx1g>")).isGreaterThan(lines.indexOf("<-Xmx320m>"));
    }

    @Test
    void theStartCacheIsMadeOnceAndNeverForWal() throws IOException, InterruptedException {
        jdk =
                jdk(
                        "jdk",
                        "25",
                        """
                        for a in "$@"; do
                          case $a in
                            -XX:AOTMode=record) echo trained >>"$TRAINED";;
                            -XX:AOTConfiguration=*) echo configuration >"${a#*=}";;
                            -XX:AOTCache=*.aot.*) echo cache >"${a#*=}";;
                            -XX:AOTCache=*) echo "cache ${a#*=}";;
                          esac
                        done
                        exit 40
                        """);
        Path cache = folder.resolve("ca che");
        Path trained = folder.resolve("trained");
        Map<String, String> environment =
                Map.of("MAINSTAY_CACHE", cache.toString(), "TRAINED", trained.toString());
        assertThat(run(environment, "wal", "get", "n", "p")).isEqualTo(new Answer(0, ""));
        assertThat(cache).doesNotExist();
        assertThat(run(environment, "backups").text()).startsWith("cache " + cache);
        assertThat(run(environment, "wal", "get", "n", "p").text()).startsWith("cache " + cache);
        assertThat(run(environment, "backups").code()).isEqualTo(40);
        assertThat(trained).hasContent("trained");
        assertThat(cache.toFile().list()).singleElement().asString().endsWith(".aot");
        Files.writeString(launcher.resolveSibling("mainstay.jar"), "another jar");
        run(environment, "backups");
        assertThat(Files.readAllLines(trained)).hasSize(2);
    }

    /// A shell cannot catch what was ignored when it began: under nohup, or in the background.
    private static boolean reaches(String signal) throws IOException, InterruptedException {
        String script = "trap 'exit 7' " + signal + "; kill -" + signal + " $$; exit 0";
        return new ProcessBuilder("/bin/sh", "-c", script).start().waitFor() == 7;
    }

    @ParameterizedTest
    @CsvSource({"INT, record, 130", "INT, create, 130", "TERM, record, 143", "HUP, create, 129"})
    void aSignalDuringTrainingEndsItAtOnceAndLeavesNothing(String signal, String step, int code)
            throws IOException, InterruptedException {
        assumeThat(reaches(signal)).as("whoever runs this test lets signals through").isTrue();
        // The training tells its pid, then only signal 9 would end it in time.
        jdk =
                jdk(
                        "jdk",
                        "25",
                        """
                        for a in "$@"; do
                          case $a in
                            -XX:AOTMode=*) mode=${a#*=};;
                            -XX:AOTConfiguration=*) echo configuration >"${a#*=}";;
                          esac
                        done
                        [ "${mode:-}" = "$STEP" ] || exit 0
                        trap '' INT TERM HUP
                        echo $$ >"$TRAINER.new"
                        mv "$TRAINER.new" "$TRAINER"
                        kill -$SIGNAL $PPID
                        i=0
                        while [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done
                        """);
        Path cache = Files.createDirectory(folder.resolve("cache"));
        Path trainer = folder.resolve("trainer");
        long begin = System.nanoTime();
        Answer answer =
                run(
                        Map.of(
                                "MAINSTAY_CACHE",
                                cache.toString(),
                                "STEP",
                                step,
                                "SIGNAL",
                                signal,
                                "TRAINER",
                                trainer.toString()),
                        "backups");
        assertThat(answer.code()).isEqualTo(code);
        assertThat(answer.text()).isEqualTo(STOPPED);
        assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(50));
        assertThat(cache).isEmptyDirectory();
        assertThat(ProcessHandle.of(Long.parseLong(Files.readString(trainer).strip()))).isEmpty();
    }

    @Test
    void aCacheThatCannotBeMadeHurtsNobody() throws IOException, InterruptedException {
        Path file = Files.writeString(folder.resolve("file"), "");
        Answer answer = run(Map.of("MAINSTAY_CACHE", file + "/below"), "backups");
        assertThat(answer).isEqualTo(new Answer(40, ""));
    }
}
