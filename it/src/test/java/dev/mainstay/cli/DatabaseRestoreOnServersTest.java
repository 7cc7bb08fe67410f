package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// `mainstay restore --database` as it is typed.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DatabaseRestoreOnServersTest {
    private static final int VERSION = 15;
    private static final int PORT = 5497;

    private final TestCluster cluster;
    private final CommandSite site;

    DatabaseRestoreOnServersTest() throws IOException {
        cluster = TestCluster.create(VERSION, ClusterOptions.standard().withWalSegmentMib(1));
        site = CommandSite.of(cluster);
    }

    @BeforeAll
    void protect() {
        site.grant();
        try (CommandSite.Receiving _ = site.receive()) {
            cluster.sql("CREATE DATABASE shop", "CREATE DATABASE \"Old Shop\"");
            cluster.sqlIn("shop", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
            cluster.sqlIn("Old Shop", "CREATE TABLE t AS SELECT generate_series(1, 50000) AS i");
            site.run("backup", "orders").exits(0);
            cluster.sqlIn("shop", "INSERT INTO t VALUES (0)");
            cluster.sql("SELECT pg_switch_wal()");
            String now = cluster.value("SELECT pg_current_wal_flush_lsn()");
            Await.until(
                    "the slot to reach " + now,
                    () ->
                            cluster.value(
                                            "SELECT restart_lsn >= '"
                                                    + now
                                                    + "'::pg_lsn FROM pg_replication_slots")
                                    .equals("t"));
        }
    }

    @AfterAll
    void end() {
        site.close();
        cluster.close();
    }

    private CommandSite.Answer restore(Path to, String... more) {
        return site.run(
                Stream.concat(
                                Stream.of("restore", "orders", "--to", to.toString()),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    @Test
    void whatCannotBeIsRefusedAndAPlanSaysWhatIsLeftOut() {
        Path to = site.path("never");
        assertThat(restore(to, "--database", "shopp").exits(1).err())
                .contains("[MS-0811]", "has no database 'shopp'; did you mean 'shop'?", "HINT: ");
        assertThat(restore(to, "--database", "shop", "--standby").exits(2).err())
                .contains("[MS-0405] --database makes a cluster of its own");
        assertThat(
                        restore(to, "--database", "shop", "--start", "--target-action", "pause")
                                .exits(2)
                                .err())
                .contains("[MS-0405] --database with --start promotes");
        restore(to, "--database", "shop", "--plan")
                .exits(0)
                .says("databases left out", "Old Shop", "size left out");
        assertThat(to).doesNotExist();
    }

    @Test
    void whoStartsTheServerIsToldHowAndWhatToDrop() throws IOException {
        Path to = site.path("by-hand");
        restore(to, "--database", "shop")
                .exits(0)
                .says(
                        "-c ignore_invalid_pages=on -c autovacuum=off",
                        "DROP DATABASE \"Old Shop\" WITH (FORCE);");
        assertThat(Files.readString(to.resolve("postgresql.auto.conf")))
                .contains("recovery_target_action = 'promote'")
                .doesNotContain("ignore_invalid_pages");
        assertThat(to.resolve("backup_manifest")).doesNotExist();
    }

    @Test
    void startsWithTheOneDatabaseDropsTheOthersAndChecksIt() {
        Path to = site.path("started");
        PostgresServer server =
                PostgresServer.of(
                        new PostgresServer.Options(
                                cluster.binDirectory(),
                                to,
                                "",
                                PORT,
                                Optional.of(to),
                                Map.of(),
                                site.path("log")));
        try {
            CommandSite.Answer answer =
                    restore(
                            to,
                            "--database",
                            "shop",
                            "--start",
                            "--port",
                            Integer.toString(PORT),
                            "--bin-directory",
                            cluster.binDirectory().toString(),
                            "--output",
                            "json");
            answer.exits(0)
                    .says(
                            "\"databasesDropped\"",
                            "\"Old Shop\"",
                            "\"shop: ",
                            "recovered, accepting connections");
            assertThat(server.isRunning()).isTrue();
            assertThat(answer.out()).contains("\"databases\":").doesNotContain("cannot be used");
        } finally {
            server.stop(PostgresServer.StopMode.FAST, Duration.ofSeconds(60));
        }
    }
}
