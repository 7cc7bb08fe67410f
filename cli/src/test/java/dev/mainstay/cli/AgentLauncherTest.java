package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// What the launcher makes of agents of all kinds. The JDK is a script that says that it was run,
/// and answers 40 (done): whoever relies on an agent that must not be relied on is found out by the
/// missing word.
class AgentLauncherTest {
    private static final String JAVA = "java ran\n";

    @TempDir private Path folder;
    private Path launcher = Path.of("");
    private Path place = Path.of("");
    private ServerSocketChannel server;
    private final BlockingQueue<AgentRequest> requests = new LinkedBlockingQueue<>();

    private record Answer(int code, String text) {}

    /// What to do with a connection.
    private interface Behaviour {
        void serve(SocketChannel client) throws IOException;
    }

    AgentLauncherTest() throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    }

    @BeforeEach
    void installation() throws IOException {
        assumeThat(AgentClient.program(System.getProperty("os.arch"))).isPresent();
        Path home = Files.createDirectory(folder.resolve("in stalled"));
        launcher = home.resolve("mainstay");
        Files.copy(
                Path.of("..", "mainstay").toAbsolutePath().normalize(),
                launcher,
                StandardCopyOption.COPY_ATTRIBUTES);
        Files.writeString(home.resolve("mainstay.jar"), "no jar");
        jdk(40);
        place = Files.createDirectory(folder.resolve("a gent"));
        AgentClient.write(place.resolve("client"), impatient());
        server.bind(UnixDomainSocketAddress.of(place.resolve("socket")));
    }

    private void jdk(int code) throws IOException {
        Path home = folder.resolve("jdk");
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(home.resolve("release"), "JAVA_VERSION=\"25\"\n");
        Path java = home.resolve("bin/java");
        Files.writeString(java, "#!/bin/sh\necho java ran\nexit " + code + "\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /// The client, but it waits for two seconds only.
    private static byte[] impatient() {
        String name = System.getProperty("os.arch");
        byte[] program = AgentClient.program(name).orElseThrow();
        String text = new String(program, StandardCharsets.ISO_8859_1);
        String usual = name.equals("amd64") ? "\u00c7\u0004$\u0014" : "\u0089\u0002\u0080\u00d2";
        String short2 = name.equals("amd64") ? "\u00c7\u0004$\u0002" : "I\u0000\u0080\u00d2";
        assertThat(text).containsOnlyOnce(usual);
        return text.replace(usual, short2).getBytes(StandardCharsets.ISO_8859_1);
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    private void serve(Behaviour behaviour) {
        Thread.ofPlatform()
                .daemon()
                .start(
                        () -> {
                            while (true) {
                                try (SocketChannel client = server.accept()) {
                                    requests.add(AgentRequest.read(client));
                                    behaviour.serve(client);
                                } catch (IOException over) {
                                    return;
                                }
                            }
                        });
    }

    private void answer(String text) {
        answer(_ -> text);
    }

    private void answer(Function<AgentRequest, String> text) {
        serve(
                client -> {
                    String reply = text.apply(java.util.Objects.requireNonNull(requests.peek()));
                    ByteBuffer bytes = ByteBuffer.wrap(reply.getBytes(StandardCharsets.UTF_8));
                    while (bytes.hasRemaining()) {
                        client.write(bytes);
                    }
                });
    }

    private Answer run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new java.util.ArrayList<>(List.of("/bin/sh", launcher.toString()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectInput(new java.io.File("/dev/null"))
                        .redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(n -> n.startsWith("MAINSTAY_"));
        builder.environment().put("MAINSTAY_CACHE", "off");
        builder.environment().put("MAINSTAY_JAVA_HOME", folder.resolve("jdk").toString());
        builder.environment().put("MAINSTAY_AGENT", place.toString());
        builder.environment().put("ODD", "a\nb=c  d");
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Answer(process.exitValue(), Files.readString(output));
    }

    private Answer get() throws IOException, InterruptedException {
        return run("wal", "get", "0000", "pg wal/RECOVERYXLOG");
    }

    @Test
    void anAnswerIsPassedOnAndNoJvmIsStarted() throws IOException, InterruptedException {
        answer("\n\n1 stored  it\n1   file: x\\n%s\n2 WARNING: *\n= 40\n\n");
        assertThat(run("--config", "a b", "wal", "push", "--source", "o", "pg wal/1"))
                .isEqualTo(new Answer(0, "stored  it\n  file: x\\n%s\nWARNING: *\n"));
        AgentRequest request = requests.take();
        assertThat(request.protocol()).isEqualTo(AgentRequest.PROTOCOL);
        assertThat(request.program().toRealPath()).isEqualTo(launcher.toRealPath());
        assertThat(request.workingDirectory().toRealPath()).isEqualTo(folder.toRealPath());
        assertThat(request.fresh()).isEmpty();
        assertThat(request.command())
                .containsExactly("--config", "a b", "wal", "push", "--source", "o", "pg wal/1");
        assertThat(request.environment())
                .containsEntry("ODD", "a\nb=c  d")
                .containsEntry("MAINSTAY_CACHE", "off")
                .containsEntry("PATH", System.getenv("PATH"));
    }

    @Test
    void whatWasFetchedIsRenamedByTheLauncher() throws IOException, InterruptedException {
        Files.createDirectory(folder.resolve("pg wal"));
        answer(
                request -> {
                    try {
                        Files.writeString(folder.resolve(request.fresh()), "wal");
                    } catch (IOException failed) {
                        throw new java.io.UncheckedIOException(failed);
                    }
                    return "1 fetched\n= 40\n";
                });
        assertThat(get()).isEqualTo(new Answer(0, "fetched\n"));
        assertThat(folder.resolve("pg wal/RECOVERYXLOG")).hasContent("wal");
        assertThat(folder.resolve("pg wal").toFile().list()).hasSize(1);
        assertThat(requests.take().fresh()).matches("pg wal/RECOVERYXLOG\\.mainstay~[0-9]+");
    }

    @Test
    void doneWithoutAFileIsNotDone() throws IOException, InterruptedException {
        jdk(44);
        answer("1 fetched\n= 40\n");
        assertThat(get()).isEqualTo(new Answer(1, JAVA));
    }

    @Test
    void provedAbsentIsOneForGetAndNothingForPush() throws IOException, InterruptedException {
        answer("1 absent\n= 44\n");
        assertThat(get()).isEqualTo(new Answer(1, "absent\n"));
        assertThat(run("wal", "push", "x")).isEqualTo(new Answer(0, JAVA));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n\n",
                "= ",
                "= 4",
                "= 1",
                "= 0",
                "= 400",
                "= 40 1",
                "x= 40",
                "1 = 40",
                "= 40\n1 more",
                "1 stored",
                "HTTP/1.1 200 OK\r\n",
                "= 40\r",
                "= 44x",
                "=40",
                "2 = 44"
            })
    void whatIsNoWholeAnswerIsNoAnswer(String text) throws IOException, InterruptedException {
        answer(text);
        assertThat(run("wal", "push", "x")).isEqualTo(new Answer(0, JAVA));
        jdk(44);
        assertThat(get()).isEqualTo(new Answer(1, JAVA));
        jdk(1);
        assertThat(get()).isEqualTo(new Answer(126, JAVA));
    }

    @Test
    void aSocketThatNobodyListensAtIsPassedOver() throws IOException, InterruptedException {
        server.close();
        assertThat(place.resolve("socket")).exists();
        assertThat(run("wal", "push", "x")).isEqualTo(new Answer(0, JAVA));
        Files.delete(place.resolve("socket"));
        assertThat(run("wal", "push", "x")).isEqualTo(new Answer(0, JAVA));
    }

    @Test
    void anAgentThatHangsIsGivenUpUnlessItSaysThatItWorks()
            throws IOException, InterruptedException {
        serve(
                client -> {
                    client.write(ByteBuffer.wrap("1 stored\n".getBytes(StandardCharsets.UTF_8)));
                    client.read(ByteBuffer.allocate(1)); // until the client goes
                });
        long begin = System.nanoTime();
        assertThat(run("wal", "push", "x")).isEqualTo(new Answer(0, JAVA));
        assertThat(System.nanoTime() - begin).isGreaterThan(TimeUnit.SECONDS.toNanos(2));
    }

    @Test
    void whatALateAgentWroteIsRemovedAndReplacesNothing() throws IOException, InterruptedException {
        Files.createDirectory(folder.resolve("pg wal"));
        serve(
                client -> {
                    Files.writeString(
                            folder.resolve(
                                    java.util.Objects.requireNonNull(requests.peek()).fresh()),
                            "wal");
                    client.read(ByteBuffer.allocate(1));
                });
        jdk(44);
        assertThat(get()).isEqualTo(new Answer(1, JAVA));
        assertThat(folder.resolve("pg wal")).isEmptyDirectory();
    }

    @Test
    void aTargetThatIsAFolderIsNotMovedInto() throws IOException, InterruptedException {
        Files.createDirectories(folder.resolve("pg wal/RECOVERYXLOG"));
        answer("= 40\n");
        jdk(1);
        assertThat(get()).isEqualTo(new Answer(126, JAVA));
        assertThat(folder.resolve("pg wal/RECOVERYXLOG")).isEmptyDirectory();
    }

    @ParameterizedTest
    @CsvSource({"exit 0", "kill -9 $$", "kill -15 $$", "echo = 40; exit 1", "exit 127"})
    void aClientThatFailsIsPassedOver(String script) throws IOException, InterruptedException {
        Files.writeString(place.resolve("client"), "#!/bin/sh\n" + script + "\n");
        assertThat(run("wal", "push", "x").text()).endsWith(JAVA); // before it, "Killed"
        Files.writeString(place.resolve("client"), "no program");
        assertThat(run("wal", "push", "x")).isEqualTo(new Answer(0, JAVA));
    }

    @Test
    void aPlaceThatIsNotThisUsersOwnIsPassedOver() throws IOException, InterruptedException {
        answer("= 40\n");
        assertThat(run("wal", "push", "x").text()).isEmpty();
        Path link = folder.resolve("link");
        Files.createSymbolicLink(link, place);
        Path own = place;
        place = link;
        assertThat(run("wal", "push", "x")).as("a link").isEqualTo(new Answer(0, JAVA));
        place = own;
        assumeThat(System.getProperty("user.name")).isEqualTo("root");
        for (String part : List.of("", "socket", "client")) {
            Path foreign = place.resolve(part);
            Files.setAttribute(foreign, "unix:uid", 65534);
            assertThat(run("wal", "push", "x")).as(part).isEqualTo(new Answer(0, JAVA));
            Files.setAttribute(foreign, "unix:uid", 0);
        }
        assertThat(run("wal", "push", "x").text()).isEmpty();
    }

    @Test
    void otherCommandsAskNoAgent() throws IOException, InterruptedException {
        answer("= 40\n");
        assertThat(run("wal", "timeline", "x").text()).isEqualTo(JAVA);
        assertThat(run("backups").text()).isEqualTo(JAVA);
        assertThat(requests).isEmpty();
    }
}
