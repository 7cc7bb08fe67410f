package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A configuration, a repository on disk and a real cluster, and command lines run on them in this
/// process. The source is called `orders` and its role `backup`.
final class CommandSite implements AutoCloseable {
    /// What a command line answered.
    record Answer(int exit, String out, String err) {
        Answer says(String... parts) {
            assertThat(out).contains(parts);
            return this;
        }

        Answer exits(int code) {
            assertThat(exit).as(out + err).isEqualTo(code);
            return this;
        }
    }

    final TestCluster cluster;
    final ServerDirectory folder = ServerDirectory.create();

    private CommandSite(TestCluster cluster) {
        this.cluster = cluster;
    }

    /// With a repository; the role exists and has no rights yet.
    static CommandSite of(TestCluster cluster) throws IOException {
        CommandSite site = new CommandSite(cluster);
        cluster.sql("CREATE ROLE backup LOGIN");
        site.configure(site.source("orders", cluster.port()));
        site.run("init").exits(0);
        return site;
    }

    String source(String name, int port) {
        return """
          %s:
            postgres:
              url: postgresql://backup@127.0.0.1:%d/postgres
              data-directory: %s
              receiver:
                spool: %s
                spool-limit: 1GiB
                status-interval: 100ms
                ship-interval: 200ms
        """
                .formatted(name, port, cluster.dataDirectory(), path("spool"));
    }

    void configure(String sources) throws IOException {
        Files.writeString(
                path("mainstay.yaml"),
                """
                repository:
                  url: file://%s
                  key: { file: %s }
                  compression: zstd:1
                sources:
                """
                                .formatted(path("repository"), path("key"))
                        + sources);
    }

    Path path(String name) {
        return folder.path().resolve(name);
    }

    String adminUrl() {
        return "postgresql://" + TestCluster.SUPERUSER + "@127.0.0.1:" + cluster.port() + "/other";
    }

    /// Rights of the role, as `check --fix` grants them.
    void grant() {
        run("check", "orders", "--fix", "--yes", "--admin-url", adminUrl());
    }

    Answer run(String... arguments) {
        return runIn(folder.path(), arguments);
    }

    /// As the server runs its archive_command: in the data directory.
    Answer runIn(Path directory, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Terminal terminal =
                new Terminal(
                        new ByteArrayInputStream(new byte[0]),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        false,
                        false,
                        false,
                        Terminal.DEFAULT_COLUMNS,
                        Map.of("HOME", folder.path().toString()),
                        directory);
        int exit =
                new CommandRunner(
                                terminal,
                                InstantSource.system(),
                                new Interruption(Duration.ZERO, terminal.err()))
                        .run(List.of(arguments));
        return new Answer(
                exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /// `wal receive` on a thread of its own; returns once it is connected.
    Receiving receive() {
        return new Receiving();
    }

    final class Receiving implements AutoCloseable {
        private final List<Answer> answers = new ArrayList<>();
        private final Thread thread =
                Thread.ofPlatform().start(() -> answers.add(run("wal", "receive", "orders")));

        Receiving() {
            Await.until(
                    "the receiver to connect",
                    () -> {
                        assertThat(answers).isEmpty();
                        return cluster.value(
                                        "SELECT count(*) FROM pg_stat_replication,"
                                                + " pg_replication_slots"
                                                + " WHERE state = 'streaming' AND application_name"
                                                + " = 'mainstay_orders' AND slot_name"
                                                + " = 'mainstay_orders'")
                                .equals("1");
                    });
        }

        @Override
        public void close() {
            thread.interrupt();
            Await.until("the receiver to end", () -> !thread.isAlive());
            assertThat(answers).hasSize(1);
        }
    }

    @Override
    public void close() {
        folder.close();
    }
}
