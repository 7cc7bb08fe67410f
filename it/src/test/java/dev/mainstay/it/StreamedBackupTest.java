package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Backups over the replication protocol hold what backups of files hold, and build on each other.
class StreamedBackupTest {
    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void fullAndIncrementalHoldTheFilesOfAClusterAtRest(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                BackupSite site = new BackupSite(cluster);
                Workload workload = Workload.of(cluster, 5)) {
            workload.run(40);
            ClusterBackup.Result full = site.backUpStreamed(ClusterBackup.Request.Type.AUTO);
            assertThat(full.backup().type()).isEqualTo("full");
            assertThat(BackupDetails.method(full.backup().details()))
                    .isEqualTo(BackupDetails.STREAMED);
            assertThat(full.details().judgement().status()).isEqualTo("complete");
            assertThat(full.details().judgement().warnings()).isEmpty();
            site.compareWithFiles(full.backup());
            site.compareCatalog(full.backup());

            workload.run(40);
            cluster.sql("CHECKPOINT");
            CommittedBackup incremental =
                    site.backUpStreamed(ClusterBackup.Request.Type.AUTO).backup();
            assertThat(incremental.type()).isEqualTo("incremental");
            assertThat(incremental.statistics().number("pages-stored"))
                    .isLessThan(full.backup().statistics().number("pages-stored") / 2);
            site.compareWithFiles(incremental);

            CommittedBackup local = site.backUp(ClusterBackup.Request.Type.AUTO).backup();
            assertThat(local.details().has("method")).isFalse();
            assertThat(local.statistics().number("pages-stored"))
                    .isLessThan(full.backup().statistics().number("pages-stored") / 10);
            site.compareWithFiles(local);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void mixedWithBackupsOfFilesUnderLoadTheyRestoreToTheEndAndToATime(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                RestoreSite on = new RestoreSite(cluster);
                Workload workload = Workload.of(cluster, 23)) {
            Path space = cluster.home().directory("space");
            cluster.sql(
                    "CREATE TABLESPACE space LOCATION '" + space + "'",
                    "CREATE TABLE apart (n int, t text) TABLESPACE space",
                    "CREATE INDEX ON apart (n) TABLESPACE space",
                    "INSERT INTO apart SELECT n, md5(n::text) FROM generate_series(1, 20000) n");
            workload.run(20);
            workload.start(2);
            for (int round = 0; round < 4; round++) {
                long steps = workload.steps();
                Await.until("some work", () -> workload.steps() > steps + 30);
                cluster.sql("UPDATE apart SET t = md5(t) WHERE n % 100 = " + round);
                boolean streamed = round != 2;
                ClusterBackup.Result made =
                        streamed
                                ? on.site.backUpStreamed(ClusterBackup.Request.Type.AUTO)
                                : on.site.backUp(ClusterBackup.Request.Type.AUTO);
                assertThat(made.backup().type()).isEqualTo(round == 0 ? "full" : "incremental");
                assertThat(made.details().judgement().status()).isEqualTo("complete");
                assertThat(made.details().tablespaces())
                        .extracting(BackupDetails.Tablespace::location)
                        .containsExactly(space.toString());
            }
            workload.pause();
            ContentDigest content = ContentDigest.of(cluster);
            Instant time = now(cluster);
            cluster.sql("SELECT txid_current()"); // a time stops before the next commit
            workload.resume();
            long steps = workload.steps();
            Await.until("work after the target", () -> workload.steps() > steps + 30);
            workload.pause();
            ContentDigest last = ContentDigest.of(cluster);
            on.archive(cluster);
            check(on, "time", new RestoreTarget.At(new WalTarget.AtTime(time, true)), content);
            check(on, "latest", new RestoreTarget.Latest(), last);
        }
    }

    private static void check(
            RestoreSite on, String name, RestoreTarget target, ContentDigest content) {
        Path moved = on.home.path().resolve(name + "-space");
        on.tablespaces =
                Map.of(on.cluster.home().path().resolve("space").toString(), moved.toString());
        try (TestCluster restored = on.wish(name, target).recovered()) {
            assertThat(content.differencesAfterRecovery(ContentDigest.of(restored)))
                    .as(name)
                    .isEmpty();
            assertThat(StructureJudge.judge(restored)).as(name).isEmpty();
        }
        assertThat(moved).isNotEmptyDirectory();
    }

    private static Instant now(TestCluster cluster) {
        return OffsetDateTime.parse(
                        cluster.value(
                                "SELECT to_char(clock_timestamp(),"
                                        + " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"))
                .toInstant();
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void aDamagedPageIsReportedWithRelationFileAndBlock(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 10000) AS n", "CHECKPOINT");
            String path = cluster.value("SELECT pg_relation_filepath('t')");
            try (FileChannel file =
                    FileChannel.open(
                            cluster.dataDirectory().resolve(path), StandardOpenOption.WRITE)) {
                file.write(java.nio.ByteBuffer.wrap(new byte[] {42, 43, 44}), 3 * 8192 + 4000);
            }
            ClusterBackup.Result result = site.backUpStreamed(ClusterBackup.Request.Type.FULL);
            assertThat(result.details().judgement().status()).isEqualTo("damaged-pages");
            assertThat(result.details().judgement().damagedPageCount()).isEqualTo(1);
            assertThat(result.details().judgement().damagedPages())
                    .singleElement()
                    .satisfies(
                            page -> {
                                assertThat(page.path()).isEqualTo(path);
                                assertThat(page.block()).isEqualTo(3);
                            });
            assertThat(result.details().judgement().warnings())
                    .anyMatch(warning -> warning.contains(path));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void aDeadArchiveEndsTheBackupBeforeAnythingIsCopied(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                BackupSite site = new BackupSite(cluster)) {
            site.stopArchiving();
            assertThatThrownBy(() -> site.backUpStreamed(ClusterBackup.Request.Type.FULL))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            dead ->
                                    assertThat(dead.code())
                                            .isEqualTo(ErrorCode.BACKUP_ARCHIVE_DEAD));
            assertThat(site.source().backups()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void aConnectionLostMidwayLeavesNothing(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql(
                    "CREATE TABLE t AS SELECT md5(n::text) AS a, repeat(md5(n::text), 20) AS b"
                            + " FROM generate_series(1, 60000) n");
            assertThatThrownBy(
                            () ->
                                    site.backup(site.streaming(), new Hangup(cluster, 4 << 20))
                                            .run(
                                                    BackupSite.request(
                                                            ClusterBackup.Request.Type.FULL)))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            lost ->
                                    assertThat(lost.code())
                                            .isEqualTo(ErrorCode.SERVER_UNREACHABLE));
            assertThat(site.source().backups()).isEmpty();
            assertThat(site.source().repository().store().list("packs/", "", 10).objects())
                    .isEmpty();
            assertThat(site.source().repository().store().list("intents/", "", 10).objects())
                    .isEmpty();
            assertThat(site.backUpStreamed(ClusterBackup.Request.Type.AUTO).backup().type())
                    .isEqualTo("full");
        }
    }

    /// Ends the server's process that sends a base backup, once so much of it came.
    private static final class Hangup implements Progress {
        private final TestCluster cluster;
        private final long after;
        private long done;
        private boolean told;

        Hangup(TestCluster cluster, long after) {
            this.cluster = cluster;
            this.after = after;
        }

        @Override
        public void begin(String what, long totalBytes) {}

        @Override
        public synchronized void advance(long bytes) {
            done += bytes;
            if (!told && done >= after) {
                told = true;
                cluster.sql(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                + " WHERE backend_type = 'walsender'");
            }
        }

        @Override
        public void note(String line) {}

        @Override
        public void end() {}
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void configurationOutsideComesByTheServersFunctionsWhereRightsAllow(int major)
            throws Exception {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                BackupSite site = new BackupSite(cluster)) {
            Path etc = cluster.home().directory("etc");
            Path hba = etc.resolve("pg_hba.conf");
            Path extra = etc.resolve("extra.conf");
            Files.copy(cluster.dataDirectory().resolve("pg_hba.conf"), hba);
            Files.writeString(extra, "work_mem = '5MB'\n");
            ServerUser.giveToUnprivileged(cluster.home().path());
            cluster.configure(Map.of("hba_file", hba.toString()));
            Files.writeString(
                    cluster.dataDirectory().resolve("postgresql.conf"),
                    "include_dir '" + etc + "'\n",
                    StandardOpenOption.APPEND);
            Files.move(hba, etc.resolve("hba"));
            cluster.configure(Map.of("hba_file", etc.resolve("hba").toString()));
            cluster.restart();
            ClusterBackup.Result whole = site.backUpStreamed(ClusterBackup.Request.Type.FULL);
            assertThat(whole.details().externalFiles())
                    .containsExactlyInAnyOrder(extra.toString(), etc.resolve("hba").toString());
            assertThat(whole.details().judgement().warnings()).isEmpty();

            cluster.sql(
                    "CREATE ROLE backup LOGIN REPLICATION", "GRANT pg_read_all_settings TO backup");
            for (String function : List.of("pg_create_restore_point(text)", "pg_switch_wal()")) {
                cluster.sql("GRANT EXECUTE ON FUNCTION " + function + " TO backup");
            }
            PostgresSettings settings = site.streaming();
            PostgresSettings poor =
                    new PostgresSettings(
                            settings.url().replace(TestCluster.SUPERUSER + "@", "backup@"),
                            Optional.empty(),
                            Optional.empty(),
                            settings.receiver(),
                            2,
                            0);
            ClusterBackup.Result some =
                    site.backup(poor, Progress.none())
                            .run(BackupSite.request(ClusterBackup.Request.Type.AUTO));
            assertThat(some.backup().type()).isEqualTo("incremental");
            assertThat(some.details().externalFiles()).isEmpty();
            assertThat(some.details().judgement().warnings())
                    .containsExactlyInAnyOrder(
                            "configuration file "
                                    + extra
                                    + " is not in this backup: permission"
                                    + " denied",
                            "configuration file "
                                    + etc.resolve("hba")
                                    + " is not in this backup: permission denied");
        }
    }
}
