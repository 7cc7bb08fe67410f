package dev.mainstay.it;

import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ServerDirectory;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The real launcher, installed where the server's user can run it, with a repository and an agent.
/// The class path is this JVM's; a script in the JDK's place counts the starts of Java.
final class AgentSite implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    final ServerDirectory folder = ServerDirectory.create();
    private Process agent;

    AgentSite() throws IOException {
        Path here = folder.path();
        Files.copy(
                Path.of("..", "mainstay").toAbsolutePath().normalize(),
                here.resolve("mainstay"),
                StandardCopyOption.COPY_ATTRIBUTES);
        Files.writeString(here.resolve("mainstay.jar"), "beside it stand the classes");
        Files.createDirectories(here.resolve("jdk/bin"));
        Files.writeString(here.resolve("jdk/release"), "JAVA_VERSION=\"25\"\n");
        Path java = here.resolve("jdk/bin/java");
        Files.writeString(
                java,
                """
                #!/bin/sh
                echo started >>%1$s/starts
                defines=
                while [ "$1" != -jar ]; do
                  case $1 in -Dmainstay.*) defines="$defines $1" ;; esac
                  shift
                done
                shift 2
                exec %2$s/bin/java -Xmx320m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \\
                  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \\
                  $defines -cp %3$s dev.mainstay.cli.Mainstay "$@"
                """
                        .formatted(here, System.getProperty("java.home"), classPath(here)));
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(
                here.resolve("mainstay.yaml"),
                """
                repository:
                  url: file://%1$s/repository
                  key: { file: %1$s/key }
                  compression: zstd:1
                sources:
                  orders:
                    postgres:
                      url: postgresql://backup@127.0.0.1:1/postgres
                """
                        .formatted(here));
        ServerUser.giveToUnprivileged(here);
        run("init");
        agent = startAgent();
    }

    /// Copies of everything that Java code is loaded from.
    private static String classPath(Path here) throws IOException {
        List<String> copies = new ArrayList<>();
        for (String part : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path from = Path.of(part);
            if (!Files.exists(from)) {
                continue; // a module with tests only
            }
            Path to = here.resolve("lib").resolve(copies.size() + "-" + from.getFileName());
            try (Stream<Path> files = Files.walk(from)) {
                for (Path file : files.toList()) {
                    Path copy = to.resolve(from.relativize(file).toString());
                    Files.createDirectories(copy.toAbsolutePath().getParent());
                    Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
                }
            }
            copies.add(to.toString());
        }
        return String.join(File.pathSeparator, copies);
    }

    /// `mainstay`, as a command of the server, with the environment it needs.
    String command(String rest) {
        Path here = folder.path();
        return "MAINSTAY_JAVA_HOME=%1$s/jdk MAINSTAY_CACHE=off MAINSTAY_AGENT=%1$s/agent %1$s/mainstay --config %1$s/mainstay.yaml %2$s"
                .formatted(here, rest);
    }

    private ProcessBuilder shell(String rest) {
        return ServerUser.of(folder.path())
                .process(List.of("/bin/sh", "-c", "umask 077; " + command(rest)))
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.path().resolve("said").toFile()));
    }

    private void run(String rest) throws IOException {
        Process process = shell(rest).start();
        Await.until(rest + " to end", PATIENCE, () -> !process.isAlive());
        if (process.exitValue() != 0) {
            throw new AssertionError(rest + ": " + said());
        }
    }

    private Process startAgent() throws IOException {
        long before = answers();
        Process process = shell("wal agent").start();
        Await.until(
                "the agent to listen", PATIENCE, () -> answers() > before || !process.isAlive());
        return process;
    }

    private long answers() throws IOException {
        Path said = folder.path().resolve("said");
        return Files.exists(said)
                ? Files.readAllLines(said).stream().filter(l -> l.contains("agent answers")).count()
                : 0;
    }

    /// Signal 9. Its socket stays, and nobody listens at it.
    void killAgent() {
        agent.descendants().forEach(ProcessHandle::destroyForcibly);
        agent.destroyForcibly();
        Await.until("the agent to be gone", () -> !agent.isAlive());
    }

    void restartAgent() throws IOException {
        agent = startAgent();
    }

    long starts() throws IOException {
        try (Stream<String> lines = Files.lines(folder.path().resolve("starts"))) {
            return lines.count();
        }
    }

    String said() throws IOException {
        return Files.readString(folder.path().resolve("said"));
    }

    @Override
    public void close() {
        killAgent();
        folder.close();
    }
}
