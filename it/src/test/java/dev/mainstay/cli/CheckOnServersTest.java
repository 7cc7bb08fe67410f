package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// `mainstay check` on real servers, as a role without rights and as one with exactly those it
/// asked for.
class CheckOnServersTest {
    private static final int VERSION = 15;

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void namesEachMissingRightAndSettingAndFixMakesItReady(int major) throws IOException {
        ClusterOptions options =
                ClusterOptions.standard().with("wal_level", "minimal").with("max_wal_senders", "0");
        try (TestCluster cluster = TestCluster.create(major, options);
                CommandSite site = CommandSite.of(cluster)) {
            cluster.sql("CREATE DATABASE other");
            String start = major == 14 ? "pg_start_backup" : "pg_backup_start";
            String stop = major == 14 ? "pg_stop_backup" : "pg_backup_stop";
            site.run("check", "orders")
                    .exits(1)
                    .says(
                            "MS-0902: not ready",
                            "SQL: GRANT EXECUTE ON FUNCTION pg_catalog." + start + "(",
                            "SQL: GRANT EXECUTE ON FUNCTION pg_catalog." + stop + "(",
                            "pg_catalog.pg_create_restore_point(text) TO backup",
                            "pg_catalog.pg_switch_wal() TO backup",
                            "SQL: GRANT pg_read_all_settings TO backup",
                            "SQL: ALTER ROLE backup REPLICATION",
                            "problem  wal_level is minimal",
                            "SQL: ALTER SYSTEM SET wal_level = 'replica'  (then restart the"
                                    + " server)",
                            "problem  no replication connection",
                            "problem  nothing stores the server's WAL",
                            "warning  there is no backup yet",
                            "ok       repository file:");
            site.run("check", "orders", "--fix", "--yes", "--admin-url", site.adminUrl())
                    .exits(1)
                    .says(
                            "ok       role backup may do what backups and the receiver do",
                            "wal_level is changed; restart the server");
            cluster.restart();
            site.run("check").exits(1).says("1 problem", "nothing stores the server's WAL");
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("check", "orders")
                        .exits(0)
                        .says(
                                "ready to back up, archive and restore",
                                "ok       the receiver of orders is connected",
                                "ok       replication slot mainstay_orders keeps",
                                "this is not RPO 0");
                site.run("backup", "orders").exits(0);
                site.run("check", "orders", "--output", "json")
                        .exits(0)
                        .says(
                                "\"problems\":0",
                                "{\"subject\":\"orders\",\"state\":\"ok\",\"id\":\"backup\",",
                                "WAL is stored without a gap from the newest backup to");
            }
            site.run("check", "orders")
                    .exits(1)
                    .says(
                            "problem  no WAL is stored",
                            "do:  start: mainstay wal receive orders, or mainstay server");
        }
    }

    @Test
    void twoSourcesOfOneClusterAreRefused() throws IOException {
        try (TestCluster cluster = TestCluster.create(VERSION, small());
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            String again =
                    site.source("again", cluster.port())
                            .replace(site.path("spool") + "", site.path("spool2") + "");
            site.configure(site.source("orders", cluster.port()) + again);
            site.run("check")
                    .exits(1)
                    .says("problem  sources orders and again are one cluster", "postgres.standby");
            site.run("check", "again").says("no other source is of this cluster");
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0);
                site.run("check", "again")
                        .exits(1)
                        .says("problem  sources orders and again are one cluster");
                site.run("check", "orders")
                        .exits(0)
                        .says("ok       no other source is of this cluster");
            }
        }
    }

    @Test
    void aMissingSegmentIsAGapAndOneBackupLater() throws IOException {
        try (TestCluster cluster = TestCluster.create(VERSION, small());
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0);
                for (int i = 0; i < 3; i++) {
                    cluster.sql(
                            "SELECT pg_create_restore_point('p" + i + "')",
                            "SELECT pg_switch_wal()");
                }
                cluster.sql("SELECT pg_create_restore_point('p3')");
                String last = cluster.value("SELECT pg_walfile_name(pg_switch_wal() - 1)");
                Await.until(
                        last,
                        () -> objects(site, "wal").stream().anyMatch(file -> file.endsWith(last)));
                Path gone = objects(site, "wal").reversed().get(1);
                Files.delete(gone);
                site.run("check", "orders")
                        .exits(1)
                        .says(
                                "problem  WAL is missing from",
                                "do:  take a backup now",
                                "mainstay backup orders");
            }
        }
    }

    private static List<Path> objects(CommandSite site, String kind) throws IOException {
        try (Stream<Path> files = Files.walk(site.path("repository").resolve(kind))) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static ClusterOptions small() {
        return ClusterOptions.standard()
                .withWalSegmentMib(1)
                .with("min_wal_size", "2MB")
                .with("max_wal_size", "2MB");
    }

    @Test
    void saysWhoArchivesWhetherItWorksAndWhatSlotsAndStandbysMean() throws IOException {
        ClusterOptions options =
                small().with("archive_mode", "on")
                        .with("archive_command", "")
                        .with("max_slot_wal_keep_size", "1MB");
        try (TestCluster cluster = TestCluster.create(VERSION, options);
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            site.run("check")
                    .exits(1)
                    .says(
                            "nothing stores the server's WAL",
                            "archive_mode is on without archive_command",
                            "the server drops WAL that is not archived yet once");
            archive(cluster, "cp %p /tmp/nowhere");
            site.run("check").exits(1).says("the server's WAL goes to something else: cp %p");
            archive(cluster, "/nowhere/mainstay wal push --source shop %p");
            site.run("check").exits(1).says("stores this server's WAL as that of source shop");
            archive(cluster, "/nowhere/mainstay wal push --source orders %p");
            for (int i = 0; i < 3; i++) {
                cluster.sql("SELECT pg_create_restore_point('x')", "SELECT pg_switch_wal()");
            }
            site.run("check")
                    .exits(1)
                    .says("finished segments wait for the server's archiver: archive_command");
            archive(cluster, "false mainstay wal push --source orders %p");
            Await.until(
                    "a failure",
                    () ->
                            cluster.value(
                                            "SELECT last_failed_time IS NOT NULL"
                                                    + " FROM pg_stat_archiver")
                                    .equals("t"));
            site.run("check")
                    .exits(1)
                    .says("archive_command fails since ever", "try: mainstay wal push --source");
            archive(cluster, "true # mainstay wal push");
            Await.until(
                    "a success",
                    () ->
                            cluster.value(
                                            "SELECT last_archived_time > last_failed_time"
                                                    + " FROM pg_stat_archiver")
                                    .equals("t"));
            site.run("check").exits(0).says("ok       archive_command stores WAL");

            // A new slot reserves WAL from the last checkpoint on: made just now, it is little.
            cluster.sql("CHECKPOINT");
            cluster.sql("SELECT pg_create_physical_replication_slot('mainstay_orders', true)");
            site.run("check").exits(0).says("more and more, since nobody receives");
            for (int i = 0; i < 4; i++) {
                cluster.sql("SELECT pg_create_restore_point('y')", "SELECT pg_switch_wal()");
            }
            cluster.sql("CHECKPOINT");
            site.run("check").exits(1).says("replication slot mainstay_orders is lost");

            cluster.configure(
                    Map.of(
                            "synchronous_standby_names", "FIRST 1 (a, \"mainstay_orders\")",
                            "synchronous_commit", "remote_apply"));
            cluster.reload();
            site.run("check")
                    .exits(1)
                    .says(
                            "synchronous_commit = remote_apply is impossible",
                            "not connected: commits may be waiting");
        }
    }

    private static void archive(TestCluster cluster, String command) {
        cluster.configure(Map.of("archive_command", command));
        cluster.reload();
        Await.until("the setting", () -> cluster.value("SHOW archive_command").equals(command));
    }

    @Test
    void withoutAConnectionEverythingElseIsStillReported() throws IOException {
        try (TestCluster cluster = TestCluster.create(VERSION);
                CommandSite site = CommandSite.of(cluster)) {
            cluster.sql("DROP ROLE backup");
            site.run("check")
                    .exits(1)
                    .says(
                            "problem  MS-0502:",
                            "do:  as a superuser: CREATE ROLE \"backup\" LOGIN REPLICATION",
                            "without a connection nothing can be said of rights");
            cluster.stop();
            Files.setPosixFilePermissions(
                    site.path("key"), PosixFilePermissions.fromString("rw-r--r--"));
            site.run("check")
                    .exits(1)
                    .says(
                            "warning  others than its owner may read or change key file",
                            "are free in",
                            "ok       every directory of " + cluster.dataDirectory(),
                            "problem  MS-0501:",
                            "problem  no replication connection: MS-0501:",
                            "warning  there is no backup yet");
            Files.move(site.path("key"), site.path("repository").resolve("key"));
            site.run("check").exits(1).says("problem  MS-0302: key file", "ok       every");
            Path base = cluster.dataDirectory().resolve("base");
            Files.move(base.resolveSibling("PG_VERSION"), site.path("PG_VERSION"));
            site.run("check").exits(1).says("problem  cannot read " + base.resolveSibling("PG_V"));
        }
    }

    @Test
    void filesOfOthersAreNamed() throws IOException {
        assumeFalse(ServerUser.isRoot(), "root reads everything");
        try (TestCluster cluster = TestCluster.create(VERSION);
                CommandSite site = CommandSite.of(cluster)) {
            Path closed = cluster.dataDirectory().resolve("base/1");
            var before = Files.getPosixFilePermissions(closed);
            Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("-wx------"));
            site.run("check")
                    .exits(1)
                    .says("problem  this user cannot read " + closed, "run Mainstay as the owner");
            Files.setPosixFilePermissions(closed, before);
        }
    }

    @Test
    void fixRunsOnTheRightServerOnly() throws IOException {
        try (TestCluster cluster = TestCluster.create(VERSION);
                TestCluster other = TestCluster.create(VERSION);
                CommandSite site = CommandSite.of(cluster)) {
            other.sql("CREATE ROLE backup LOGIN");
            String wrong = "postgresql://postgres@127.0.0.1:" + other.port() + "/postgres";
            site.run("check", "--fix", "--yes", "--admin-url", wrong)
                    .exits(1)
                    .says("problem  MS-0601:", "is another server than that of source orders");
            String rights = "SELECT rolreplication FROM pg_roles WHERE rolname = 'backup'";
            assertThat(other.value(rights)).isEqualTo("f");
            assertThat(cluster.value(rights)).isEqualTo("f");
            assertThat(site.run("check", "--admin-url", wrong).exits(2).err())
                    .contains("[MS-0405] --admin-url goes with --fix");
            assertThat(site.run("check", "--fix").exits(1).err())
                    .contains("[MS-0406]", "GRANT EXECUTE");
            site.configure(
                    site.source("orders", cluster.port()) + site.source("shop", other.port()));
            assertThat(site.run("check", "--fix", "--yes", "--admin-url", wrong).exits(2).err())
                    .contains("the configuration has 2 sources", "orders, shop");
            site.run("check", "shop").exits(1).says("problem  the server has system id");
        }
    }
}
