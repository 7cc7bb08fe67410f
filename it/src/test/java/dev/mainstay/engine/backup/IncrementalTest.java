package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.it.BackupSite;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.DebianPrograms;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Incrementals read what the log names, hold what the files held, and read everything where the
/// log cannot tell.
class IncrementalTest {
    private static final ClusterBackup.Request.Type AUTO = ClusterBackup.Request.Type.AUTO;

    static List<Integer> versions() {
        return Versions.selected();
    }

    private static ClusterOptions archiving() {
        return ClusterOptions.standard()
                .with("archive_mode", "on")
                .with("archive_command", "false")
                .with("autovacuum", "off");
    }

    private static Changes changes(CommittedBackup backup) {
        return Changes.read(backup.details()).orElseThrow();
    }

    private static String reason(CommittedBackup backup) {
        assertThat(changes(backup)).isInstanceOf(Changes.Unknown.class);
        return ((Changes.Unknown) changes(backup)).reason();
    }

    private static long number(CommittedBackup backup, String name) {
        return backup.statistics().number(name);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void onlyWhatTheLogNamesIsRead(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                BackupSite site = new BackupSite(cluster)) {
            Workload workload = Workload.of(cluster, 11);
            workload.run(30);
            cluster.sql(
                    "CREATE TABLE large AS SELECT n, repeat('x', 500) AS filler"
                            + " FROM generate_series(1, 60000) AS n",
                    "CREATE INDEX ON large (n)",
                    "CHECKPOINT");
            CommittedBackup full = site.backUp(AUTO).backup();
            assertThat(Changes.read(full.details())).isEmpty();
            for (int round = 0; round < 4; round++) {
                cluster.sql("UPDATE large SET filler = 'y' WHERE n = " + (round * 9000 + 5));
                if (round > 1) {
                    workload.run(10);
                }
                cluster.sql("CHECKPOINT");
                CommittedBackup next = site.backUp(AUTO).backup();
                assertThat(changes(next)).isInstanceOf(Changes.FromWal.class);
                assertThat(number(next, "bytes")).isGreaterThan(30L << 20);
                if (round < 2) {
                    assertThat(number(next, "bytes-read")).isLessThan(6L << 20);
                }
                site.compareWithFiles(next);
            }
            CommittedBackup idle = site.backUp(AUTO).backup();
            assertThat(number(idle, "pages-changed")).isLessThan(40);
            site.compareWithFiles(idle);
        }
    }

    /// Pages that changed while the parent was being copied, after it had them, are in the parent
    /// as they were before. From the parent's end on the log says nothing of them.
    @Test
    void anIntervalFromTheParentsEndLosesChanges() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST, archiving());
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql(
                    "CREATE TABLE t AS SELECT n, 0 AS v FROM generate_series(1, 20000) AS n",
                    "CHECKPOINT");
            CommittedBackup parent =
                    site.backUpWhile(
                                    AUTO,
                                    () ->
                                            cluster.sql(
                                                    "UPDATE t SET v = 1 WHERE n < 10000",
                                                    "CHECKPOINT",
                                                    "SELECT pg_switch_wal()"))
                            .backup();
            assertThatThrownBy(() -> site.compareWithFiles(parent))
                    .isInstanceOf(AssertionError.class);
            CommittedBackup wrong =
                    site.backup(0)
                            .withChangesSince(BackupDetails::stopLsn)
                            .run(BackupSite.request(AUTO))
                            .backup();
            assertThat(changes(wrong)).isInstanceOf(Changes.FromWal.class);
            assertThatThrownBy(() -> site.compareWithFiles(wrong))
                    .isInstanceOf(AssertionError.class);
        }
    }

    @Test
    void anIntervalFromTheParentsStartHasThem() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST, archiving());
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql(
                    "CREATE TABLE t AS SELECT n, 0 AS v FROM generate_series(1, 20000) AS n",
                    "CHECKPOINT");
            site.backUpWhile(
                    AUTO, () -> cluster.sql("UPDATE t SET v = 1 WHERE n < 10000", "CHECKPOINT"));
            CommittedBackup right = site.backUp(AUTO).backup();
            assertThat(changes(right)).isInstanceOf(Changes.FromWal.class);
            site.compareWithFiles(right);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void verifyingFindsEveryChangeNamed(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving().withoutChecksums());
                BackupSite site = new BackupSite(cluster)) {
            Workload workload = Workload.of(cluster, 5);
            workload.run(30);
            cluster.sql(
                    "CREATE TABLE hinted AS SELECT generate_series(1, 20000) AS n", "CHECKPOINT");
            site.backUp(AUTO);
            cluster.sql("SELECT count(*) FROM hinted");
            workload.run(20);
            ChangeReport report = verified(site.backup(1).run(verifying()).backup());
            assertThat(report.missed()).isZero();
            assertThat(report.masked()).isGreaterThan(50);
            assertThat(report.named()).isGreaterThan(50);
            assertThat(report.unchanged()).isGreaterThan(500);
        }
    }

    @Test
    void aMissedPageFailsTheBackupAndIsNamed() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST, archiving());
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql(
                    "CREATE TABLE t AS SELECT n, 0 AS v FROM generate_series(1, 20000) AS n",
                    "CHECKPOINT");
            site.backUpWhile(
                    AUTO,
                    () ->
                            cluster.sql(
                                    "UPDATE t SET v = 1 WHERE n < 10000",
                                    "CHECKPOINT",
                                    "SELECT pg_switch_wal()"));
            String path = cluster.value("SELECT pg_relation_filepath('t')");
            assertThatThrownBy(
                            () ->
                                    site.backup(0)
                                            .withChangesSince(BackupDetails::stopLsn)
                                            .run(verifying()))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            missed -> {
                                assertThat(missed.code())
                                        .isEqualTo(ErrorCode.BACKUP_CHANGES_MISSED);
                                assertThat(missed).hasMessageContaining(path + " block 0 (");
                            });
            assertThat(site.source().backups()).hasSize(1);
            assertThat(verified(site.backup(0).run(verifying()).backup()).missed()).isZero();
        }
    }

    private static ClusterBackup.Request verifying() {
        ClusterBackup.Request request = BackupSite.request(AUTO);
        return new ClusterBackup.Request(
                request.type(), request.archiveTimeout(), request.waiter(), true);
    }

    private static ChangeReport verified(CommittedBackup backup) {
        return ChangeReport.read(backup.details().object("verifiedChanges"));
    }

    @Test
    void everySoManyIncrementalsOneReadsEverything() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST, archiving());
                BackupSite site = new BackupSite(cluster)) {
            List<Boolean> readEverything = new ArrayList<>();
            site.backUp(AUTO);
            for (int i = 0; i < 7; i++) {
                CommittedBackup next = site.backup(3).run(BackupSite.request(AUTO)).backup();
                readEverything.add(changes(next) instanceof Changes.Unknown);
            }
            assertThat(readEverything)
                    .containsExactly(false, false, true, false, false, true, false);
            CommittedBackup last = site.backup(1).run(BackupSite.request(AUTO)).backup();
            assertThat(reason(last)).isEqualTo("one of every 1 incrementals does");
            assertThat(number(last, "bytes-read")).isGreaterThan(number(last, "bytes") * 9 / 10);
        }
    }

    @Test
    void aGapInTheLogHasEverythingRead() throws Exception {
        ClusterOptions small =
                archiving()
                        .withWalSegmentMib(1)
                        .with("max_wal_size", "2MB")
                        .with("min_wal_size", "2MB");
        try (TestCluster cluster = TestCluster.create(18, small);
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
            CommittedBackup full = site.backUp(AUTO).backup();
            for (int i = 0; i < 5; i++) {
                cluster.sql(
                        "INSERT INTO t SELECT generate_series(1, 1000)", "SELECT pg_switch_wal()");
            }
            site.archiveAndForget();
            WalSegment lost = BackupDetails.read(full.details()).stopSegment().next().next();
            assertThat(cluster.dataDirectory().resolve("pg_wal").resolve(lost.fileName()))
                    .doesNotExist();
            site.lose(lost);
            CommittedBackup next = site.backUp(AUTO).backup();
            assertThat(reason(next))
                    .isEqualTo("WAL segment " + lost + " is neither stored nor on the server");
            site.compareWithFiles(next);
            assertThat(changes(site.backUp(AUTO).backup())).isInstanceOf(Changes.FromWal.class);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aNewTimelineIsFollowedFromWhereItBegan(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                BackupSite site = new BackupSite(cluster);
                TestCluster standby = cluster.standby("standby", Map.of())) {
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 10000) AS n", "CHECKPOINT");
            site.backUp(AUTO);
            cluster.sql("UPDATE t SET n = 0 WHERE n < 500");
            cluster.awaitReplay(standby);
            cluster.stop();
            site.stopArchiving();
            standby.promote();
            standby.sql("UPDATE t SET n = 1 WHERE n > 9000", "CHECKPOINT");
            try (BackupSite moved = site.movedTo(standby)) {
                CommittedBackup next = moved.backUp(AUTO).backup();
                assertThat(changes(next)).isInstanceOf(Changes.FromWal.class);
                moved.compareWithFiles(next);
            }
        }
    }

    /// The parent knows of changes that the new timeline never had.
    @Test
    void aTimelineThatBeganBeforeTheParentEndedHasEverythingRead() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST, archiving());
                BackupSite site = new BackupSite(cluster);
                TestCluster standby = cluster.standby("standby", Map.of())) {
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 10000) AS n", "CHECKPOINT");
            cluster.awaitReplay(standby);
            standby.promote();
            site.backUp(AUTO);
            cluster.stop();
            site.stopArchiving();
            standby.sql("UPDATE t SET n = 1 WHERE n > 9000", "CHECKPOINT");
            try (BackupSite moved = site.movedTo(standby)) {
                CommittedBackup next = moved.backUp(AUTO).backup();
                assertThat(reason(next))
                        .startsWith("timeline 2 began at ")
                        .contains(", before the earlier backup ended at ");
                moved.compareWithFiles(next);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aTimeOfMinimalLoggingHasEverythingRead(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql("CREATE TABLE t (n int)", "CHECKPOINT");
            site.backUp(AUTO);
            Map<String, String> minimal =
                    Map.of("wal_level", "minimal", "max_wal_senders", "0", "archive_mode", "off");
            cluster.configure(minimal);
            cluster.restart();
            cluster.sql(
                    "BEGIN; TRUNCATE t; INSERT INTO t SELECT generate_series(1, 100000); COMMIT");
            cluster.configure(
                    Map.of("wal_level", "replica", "max_wal_senders", "10", "archive_mode", "on"));
            cluster.restart();
            CommittedBackup next = site.backUp(AUTO).backup();
            assertThat(reason(next)).contains("wal_level was minimal");
            site.compareWithFiles(next);
        }
    }

    @Test
    void aChangedChecksumSettingIsToldAndEverythingStored() throws Exception {
        DebianPrograms.assume("pg_checksums");
        try (TestCluster cluster = TestCluster.create(15, archiving());
                BackupSite site = new BackupSite(cluster)) {
            site.backUp(AUTO);
            cluster.stop();
            assertThat(StructureJudge.disableChecksums(cluster.dataDirectory())).isEmpty();
            cluster.start();
            CommittedBackup next = site.backUp(AUTO).backup();
            assertThat(next.type()).isEqualTo("full");
            assertThat(reason(next))
                    .isEqualTo(
                            "no earlier backup is of a cluster with this system identifier, page"
                                    + " size and checksum setting");
        }
    }

    @Test
    void aDamagedPageIsReportedAgainUntilItIsMended() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST, archiving());
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 10000) AS n", "CHECKPOINT");
            Path file =
                    cluster.dataDirectory()
                            .resolve(cluster.value("SELECT pg_relation_filepath('t')"));
            byte[] good = Files.readAllBytes(file);
            overwrite(file, 3 * 8192 + 4000, new byte[] {42, 43, 44});
            site.backUp(AUTO);
            ClusterBackup.Result second = site.backUp(AUTO);
            assertThat(changes(second.backup())).isInstanceOf(Changes.FromWal.class);
            assertThat(second.details().judgement().damagedPages())
                    .singleElement()
                    .satisfies(page -> assertThat(page.block()).isEqualTo(3));
            Files.write(file, good);
            ClusterBackup.Result third = site.backUp(AUTO);
            assertThat(third.details().judgement().damagedPages()).isEmpty();
            site.compareWithFiles(third.backup());
        }
    }

    private static void overwrite(Path file, long offset, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), offset);
        }
    }
}
