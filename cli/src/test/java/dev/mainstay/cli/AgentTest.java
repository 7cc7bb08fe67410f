package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.Waiter;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/// A real agent in this process, asked by the real launcher and client. The JDK is a script that
/// says that it was run and fails, so what goes well was done by the agent.
class AgentTest {
    private final Console console = new Console();
    private final ConcurrentLinkedQueue<String> notes = new ConcurrentLinkedQueue<>();
    @TempDir private Path folder;
    private Path launcher = Path.of("");
    private Path jar = Path.of("");
    private Path data = Path.of("");
    private AgentPlace place = new AgentPlace(Path.of(""));
    private Optional<AgentDesk> desk = Optional.empty();
    private Optional<AgentListener> agent = Optional.empty();
    private int started;

    private record Answer(int code, String text) {
        Answer exits(int expected) {
            assertThat(code).as(text).isEqualTo(expected);
            return this;
        }
    }

    @BeforeEach
    void site() throws IOException {
        assumeThat(AgentClient.program(System.getProperty("os.arch"))).isPresent();
        Path home = Files.createDirectory(folder.resolve("installed"));
        launcher = home.resolve("mainstay");
        Files.copy(
                Path.of("..", "mainstay").toAbsolutePath().normalize(),
                launcher,
                StandardCopyOption.COPY_ATTRIBUTES);
        jar = Files.writeString(home.resolve("mainstay.jar"), "no jar");
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"25\"\n");
        Files.writeString(java, "#!/bin/sh\necho java ran\nexit 1\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        data = Files.createDirectory(folder.resolve("data"));
        Files.createDirectories(data.resolve("pg_wal"));
        Files.createDirectory(data.resolve("global"));
        try (TrainingServer server = new TrainingServer(line -> line)) {
            Files.write(
                    data.resolve(ControlFile.PATH),
                    Arrays.copyOf(server.control(), ControlFile.SIZE_BYTES));
        }
        configure("repository");
        assertThat(console.run(folder, "init")).isZero();
        place = new AgentPlace(folder.resolve("agent"));
        listen();
    }

    private void configure(String repository) throws IOException {
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                repository:
                  url: file://%s
                  key: { file: %s/key-of-${WHICH:repository} }
                  compression: zstd:1
                sources:
                  orders:
                    postgres:
                      url: postgresql://backup@127.0.0.1:1/postgres
                """
                        .formatted(folder.resolve(repository), folder));
    }

    private void listen() throws IOException {
        AgentDesk fresh =
                new AgentDesk(launcher, List.of(launcher, jar), InstantSource.system(), notes::add);
        desk = Optional.of(fresh);
        agent = AgentListener.open(place, fresh, notes::add);
        assertThat(agent).isPresent();
    }

    @AfterEach
    void close() {
        agent.ifPresent(AgentListener::close);
        desk.ifPresent(AgentDesk::close);
    }

    private Process start(Path output, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", launcher.toString()));
        command.addAll(List.of("--config", folder.resolve("mainstay.yaml").toString(), "wal"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(data.toFile())
                        .redirectErrorStream(true)
                        .redirectInput(new java.io.File("/dev/null"))
                        .redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(n -> n.startsWith("MAINSTAY_"));
        builder.environment().put("MAINSTAY_CACHE", "off");
        builder.environment().put("MAINSTAY_JAVA_HOME", folder.resolve("jdk").toString());
        builder.environment().put("MAINSTAY_AGENT", place.folder().toString());
        return builder.start();
    }

    private Answer run(String... arguments) throws IOException, InterruptedException {
        Path output = folder.resolve("output-" + ++started);
        return answer(start(output, arguments), output);
    }

    private static Answer answer(Process process, Path output)
            throws IOException, InterruptedException {
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Answer(process.exitValue(), Files.readString(output));
    }

    /// A segment of this cluster that begins as PostgreSQL's do, in `pg_wal`.
    private String segment(int number, int seed) throws IOException {
        ControlFile control = ControlFile.read(data, Waiter.sleeping(Duration.ofMillis(1)));
        int size = control.layout().walSegmentSizeBytes();
        WalSegment segment = new WalSegment(TimelineId.of(1), number, size);
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        Arrays.fill(bytes, size / 8, size, (byte) 0);
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) 0xD110)
                .putShort((short) 2)
                .putInt(1)
                .putLong(segment.start().value())
                .putLong(0)
                .putLong(Long.parseUnsignedLong(control.systemId().toString()))
                .putInt(size)
                .putInt(8192);
        Files.write(data.resolve("pg_wal/" + segment.fileName()), bytes);
        return segment.fileName();
    }

    private Path wal(String name) {
        return data.resolve("pg_wal").resolve(name);
    }

    @Test
    void whatIsPushedIsFetchedAndWhatIsNotThereIsProvedAbsent()
            throws IOException, InterruptedException {
        run("push", "pg_wal/" + segment(6, 1)).exits(0);
        Files.delete(wal(segment(6, 1)));
        String name = segment(7, 1);
        assertThat(run("get", name, "pg_wal/RECOVERYXLOG").exits(1).text())
                .startsWith(name + " is not in the repository")
                .doesNotContain("java");
        assertThat(run("push", "pg_wal/" + name).exits(0).text()).startsWith("stored " + name);
        assertThat(run("push", "pg_wal/" + name).exits(0).text()).contains("stored before: yes");
        assertThat(run("--output", "json", "get", name, "pg_wal/RECOVERYXLOG").exits(0).text())
                .isEqualTo("{\"summary\":\"fetched " + name + "\",\"file\":\"" + name + "\"}\n");
        assertThat(wal("RECOVERYXLOG")).hasSameBinaryContentAs(wal(name));
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(wal("RECOVERYXLOG"))))
                .isEqualTo("rw-r-----");
        assertThat(data.resolve("pg_wal").toFile().list()).hasSize(2);
        run("get", "00000002.history", "pg_wal/RECOVERYHISTORY").exits(1);
        assertThat(notes).isEmpty();
    }

    @Test
    void aRecoveryIsFedAheadAndPgRewindIsNot() throws IOException, InterruptedException {
        for (int number = 1; number <= 5; number++) {
            run("push", "pg_wal/" + segment(number, number)).exits(0);
        }
        Path ahead = wal(".mainstay-ahead~");
        for (int number = 1; number <= 4; number++) {
            String name = segment(number, number);
            Files.move(wal(name), folder.resolve(name));
            run("get", name, "pg_wal/" + name).exits(0);
            assertThat(wal(name)).hasSameBinaryContentAs(folder.resolve(name));
            assertThat(ahead).doesNotExist();
        }
        for (int number = 1; number <= 5; number++) {
            String name = segment(number, number);
            run("get", name, "pg_wal/RECOVERYXLOG").exits(0);
            assertThat(wal("RECOVERYXLOG")).hasSameBinaryContentAs(wal(name));
        }
        assertThat(ahead).isEmptyDirectory();
        run("get", segment(6, 6), "pg_wal/RECOVERYXLOG").exits(1);
        run("push", "pg_wal/" + segment(6, 6)).exits(0);
        run("get", segment(6, 6), "pg_wal/RECOVERYXLOG").exits(0);
        agent.orElseThrow().close();
        desk.orElseThrow().close();
        assertThat(ahead).doesNotExist();
        assertThat(notes).isEmpty();
    }

    @Test
    void everyErrorIsLeftToAProcessOfItsOwn() throws IOException, InterruptedException {
        String name = segment(7, 1);
        run("push", "pg_wal/" + name).exits(0);
        segment(7, 2);
        assertThat(run("push", "pg_wal/" + name).exits(1).text()).isEqualTo("java ran\n");
        assertThat(notes).singleElement().asString().contains("[MS-0701]", "push pg_wal/" + name);
        assertThat(run("push", "pg_wal/nothing").exits(1).text()).isEqualTo("java ran\n");
        assertThat(run("get", name, "nowhere/RECOVERYXLOG").exits(126).text())
                .isEqualTo("java ran\n");
        assertThat(run("get", "--source", "other", name, "x").exits(126).text())
                .isEqualTo("java ran\n");
        assertThat(run("push").exits(1).text()).isEqualTo("java ran\n");
        run("get", "--", name, "x").exits(0);
        Files.writeString(data.resolve("standby.signal"), "");
        Files.move(folder.resolve("repository"), folder.resolve("away"));
        assertThat(run("get", name, "pg_wal/RECOVERYXLOG").exits(126).text())
                .as("a standby's, too: a process of its own may still find it")
                .isEqualTo("java ran\n");
        Files.move(folder.resolve("away"), folder.resolve("repository"));
        run("get", name, "pg_wal/RECOVERYXLOG").exits(0);
    }

    @Test
    void theConfigurationOfTheCallCountsNotThatOfTheAgentsBegin()
            throws IOException, InterruptedException {
        String name = segment(7, 1);
        run("push", "pg_wal/" + name).exits(0);
        configure("another");
        assertThat(run("get", name, "x").exits(126).text()).isEqualTo("java ran\n");
        Files.delete(folder.resolve("key-of-repository"));
        assertThat(console.run(folder, "init")).isZero();
        run("push", "pg_wal/" + segment(9, 1)).exits(0);
        assertThat(run("get", name, "x").exits(1).text()).startsWith(name + " is not in");
        run("get", segment(9, 1), "x").exits(0);
    }

    @Test
    void aRepositoryThatWasMadeAnewInItsPlaceIsNotWrittenWithOldKeys()
            throws IOException, InterruptedException {
        run("push", "pg_wal/" + segment(7, 1)).exits(0);
        try (var files = Files.walk(folder.resolve("repository"))) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                if (!file.equals(folder.resolve("repository"))) {
                    Files.delete(file);
                }
            }
        }
        assertThat(console.run(folder, "init")).isZero();
        assertThat(run("push", "pg_wal/" + segment(8, 1)).exits(1).text()).isEqualTo("java ran\n");
        assertThat(notes).singleElement().asString().contains("holds another repository");
    }

    @Test
    void anotherInstallationIsNotAnswered() throws IOException, InterruptedException {
        String name = segment(7, 1);
        Path other = Files.createDirectory(folder.resolve("other"));
        Path own = launcher;
        launcher = Files.copy(own, other.resolve("mainstay"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.writeString(other.resolve("mainstay.jar"), "no jar");
        assertThat(run("push", "pg_wal/" + name).exits(1).text()).isEqualTo("java ran\n");
        launcher = folder.resolve("link");
        Files.createSymbolicLink(launcher, own);
        run("push", "pg_wal/" + name).exits(0);
        Files.writeString(jar, "a newer jar");
        assertThat(run("push", "pg_wal/" + name).exits(1).text()).isEqualTo("java ran\n");
        assertThat(notes).singleElement().asString().contains("restart this process");
    }

    @Test
    void sixteenClientsAtOnceAllGetTheirOwnAnswer() throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            String name = segment(100 + i % 8, i % 8);
            Path output = folder.resolve("parallel-" + i);
            processes.add(
                    i % 4 == 3
                            ? start(output, "get", "0000000" + (i / 4 + 2) + ".history", "h" + i)
                            : start(output, "push", "pg_wal/" + name));
        }
        for (int i = 0; i < 16; i++) {
            Answer answer = answer(processes.get(i), folder.resolve("parallel-" + i));
            assertThat(answer.text()).doesNotContain("java");
            answer.exits(i % 4 == 3 ? 1 : 0);
        }
        for (int i = 0; i < 8; i++) {
            if (i % 4 != 3) {
                run("get", segment(100 + i, i), "out" + i).exits(0);
            }
        }
        assertThat(notes).isEmpty();
    }

    @Test
    void theSocketIsForItsOwnerAloneAndThereIsOneAgent() throws IOException, InterruptedException {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place.folder())))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place.socket())))
                .isEqualTo("rw-------");
        run("push", "pg_wal/" + segment(6, 1)).exits(0);
        AgentDesk second = new AgentDesk(launcher, List.of(), InstantSource.system(), notes::add);
        assertThat(AgentListener.open(place, second, notes::add)).isEmpty();
        run("get", "00000002.history", "x").exits(1);
        agent.orElseThrow().close();
        assertThat(place.socket()).doesNotExist();
        assertThat(run("get", "00000002.history", "x").exits(126).text()).isEqualTo("java ran\n");
        Files.writeString(place.socket(), "left by something else");
        listen();
        run("get", "00000002.history", "x").exits(1);
        second.close();
    }

    @Test
    void aFolderThatOthersMayWriteIsRefused() throws IOException {
        Path open = Files.createDirectory(folder.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwx---"));
        AgentDesk other = new AgentDesk(launcher, List.of(), InstantSource.system(), notes::add);
        assertThatThrownBy(() -> AgentListener.open(new AgentPlace(open), other, notes::add))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        refused -> assertThat(refused.code()).isEqualTo(ErrorCode.WAL_AGENT_PLACE));
        Path link = folder.resolve("link");
        Files.createSymbolicLink(link, place.folder());
        assertThatThrownBy(() -> AgentListener.open(new AgentPlace(link), other, notes::add))
                .isInstanceOf(MainstayException.class);
        other.close();
    }

    @Test
    void anotherUserIsRefusedByTheKernelsWord() throws IOException, InterruptedException {
        assumeThat(System.getProperty("user.name")).isEqualTo("root");
        assumeThat(Path.of("/usr/bin/setpriv")).exists();
        run("push", "pg_wal/" + segment(6, 1)).exits(0);
        // Opened wide, so that nothing but the check of the peer stands in the way.
        for (Path each : List.of(place.folder(), folder)) {
            Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Files.setPosixFilePermissions(place.socket(), PosixFilePermissions.fromString("rwxrwxrwx"));
        Files.setPosixFilePermissions(place.client(), PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> ask =
                List.of(
                        place.client().toString(),
                        place.socket().toString(),
                        AgentRequest.PROTOCOL,
                        launcher.toString(),
                        data.toString(),
                        data + "/x.mainstay~1",
                        "--config",
                        folder.resolve("mainstay.yaml").toString(),
                        "wal",
                        "get",
                        "00000002.history",
                        data + "/x");
        assertThat(raw(ask)).contains("= 44");
        List<String> other = new ArrayList<>(List.of("setpriv", "--reuid=65534", "--clear-groups"));
        other.addAll(ask);
        assertThat(raw(other)).isEmpty();
        assertThat(notes).contains("WARNING: another user was refused");
    }

    private static String raw(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return text;
    }
}
