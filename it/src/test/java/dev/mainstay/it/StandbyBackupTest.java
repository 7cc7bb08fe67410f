package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.Changes;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Map;
import java.util.function.Consumer;

/// Backups of a standby hold what backups of its primary hold, both build on each other, and what
/// makes a standby unfit is noticed before or while it is read.
class StandbyBackupTest {
    private static final ClusterBackup.Request.Type AUTO = ClusterBackup.Request.Type.AUTO;

    private static ClusterBackup.Result run(ClusterBackup backup) {
        return backup.run(BackupSite.request(AUTO));
    }

    private static ClusterBackup.Result ofStandby(
            RestoreSite on, TestCluster standby, boolean streamed) {
        return run(on.site.ofStandby(standby, streamed, true, Progress.none()));
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void underLoadBackupsOfBothServersBuildOnEachOtherAndRestore(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                RestoreSite on = new RestoreSite(cluster);
                TestCluster standby = cluster.standby("second", Map.of());
                Workload workload = Workload.of(cluster, 31)) {
            workload.run(20);
            workload.start(2);
            for (int round = 0; round < 5; round++) {
                long steps = workload.steps();
                Await.until("some work", () -> workload.steps() > steps + 30);
                ClusterBackup.Result made =
                        switch (round) {
                            case 0, 2, 4 -> ofStandby(on, standby, false);
                            case 3 -> ofStandby(on, standby, true);
                            default -> on.site.backUp(AUTO);
                        };
                assertThat(made.backup().type()).isEqualTo(round == 0 ? "full" : "incremental");
                assertThat(made.details().judgement().status()).isEqualTo("complete");
                assertThat(made.details().judgement().warnings()).isEmpty();
                assertThat(BackupDetails.from(made.backup().details()))
                        .isEqualTo(round == 1 ? "primary" : "standby");
                if (round == 1 || round == 2 || round == 4) {
                    assertThat(Changes.read(made.backup().details()))
                            .as("round " + round)
                            .get()
                            .isInstanceOf(Changes.FromWal.class);
                }
                if (round == 0 || round == 2) {
                    checkEarliest(on, "earliest-" + round, made);
                }
            }
            workload.pause();
            ContentDigest last = ContentDigest.of(cluster);
            on.archive(cluster);
            try (TestCluster restored = on.wish("latest", new RestoreTarget.Latest()).recovered()) {
                assertThat(last.differencesAfterRecovery(ContentDigest.of(restored))).isEmpty();
                assertThat(StructureJudge.judge(restored)).isEmpty();
            }
        }
    }

    /// The very moment at which a backup says it is consistent.
    private static void checkEarliest(RestoreSite on, String name, ClusterBackup.Result made)
            throws Exception {
        on.serve();
        try (TestCluster restored = on.wish(name, new RestoreTarget.Immediate()).recovered()) {
            assertThat(StructureJudge.judge(restored)).as(name).isEmpty();
            assertThat(restored.value("SELECT count(*) > 0 FROM pg_class")).isEqualTo("t");
        }
        assertThat(made.details().stopLsn().isBefore(made.details().startLsn())).isFalse();
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void anUnfitStandbyIsPassedOverAndTheRecordSaysWhy(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                RestoreSite on = new RestoreSite(cluster);
                TestCluster standby = cluster.standby("second", Map.of())) {
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
            cluster.awaitReplay(standby);

            standby.sql("SELECT pg_wal_replay_pause()");
            Await.until(
                    "a pause",
                    () -> standby.value("SELECT pg_get_wal_replay_pause_state()").equals("paused"));
            passedOver(on, standby, "MS-0611", "replay is paused");
            standby.sql("SELECT pg_wal_replay_resume()");

            cluster.configure(Map.of("full_page_writes", "off"));
            cluster.reload();
            cluster.sql("CHECKPOINT", "INSERT INTO t VALUES (0)", "CHECKPOINT");
            passedOver(on, standby, "MS-0507", "full_page_writes");
            cluster.configure(Map.of("full_page_writes", "on"));
            cluster.reload();
            cluster.sql("CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT");
            cluster.awaitReplay(standby);
            ClusterBackup.Result again = ofStandby(on, standby, false);
            assertThat(BackupDetails.from(again.backup().details())).isEqualTo("standby");

            try (TestCluster stranger = TestCluster.create(major, RestoreSite.archiving())) {
                passedOver(on, stranger, "MS-0611", "is a primary");
            }
            standby.stop();
            passedOver(on, standby, "MS-0501", "");
        }
    }

    private static void passedOver(
            RestoreSite on, TestCluster standby, String code, String reason) {
        ClusterBackup.Result result =
                run(on.site.ofStandby(standby, false, false, Progress.none()));
        assertThat(BackupDetails.from(result.backup().details())).isEqualTo("primary");
        assertThat(result.details().judgement().warnings())
                .singleElement()
                .asString()
                .contains("taken from the primary", code, reason);
        int before = on.site.source.backups().size();
        assertThatThrownBy(() -> run(on.site.ofStandby(standby, true, true, Progress.none())))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed -> assertThat(failed.code().id()).isEqualTo(code));
        assertThat(on.site.source.backups()).hasSize(before);
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void aPromotionMeanwhileEndsTheBackupEvenIfThePrimaryWouldDo(int major) throws Exception {
        for (boolean streamed : new boolean[] {false, true}) {
            try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                    RestoreSite on = new RestoreSite(cluster);
                    TestCluster standby = cluster.standby("second", Map.of())) {
                Once promotion = new Once(4 << 20, _ -> standby.promote());
                assertThatThrownBy(
                                () -> run(on.site.ofStandby(standby, streamed, false, promotion)))
                        .isInstanceOfSatisfying(
                                MainstayException.class,
                                failed ->
                                        assertThat(failed.code())
                                                .isIn(
                                                        ErrorCode.BACKUP_STANDBY_UNFIT,
                                                        ErrorCode.SERVER_QUERY_FAILED))
                        .hasMessageContaining("promoted");
                assertThat(on.site.source.backups()).isEmpty();
            }
        }
    }

    /// Does something once so much was read.
    private static final class Once implements Progress {
        private final long after;
        private final Consumer<Long> what;
        private long done;
        private boolean told;

        Once(long after, Consumer<Long> what) {
            this.after = after;
            this.what = what;
        }

        @Override
        public void begin(String name, long totalBytes) {}

        @Override
        public synchronized void advance(long bytes) {
            done += bytes;
            if (!told && done >= after) {
                told = true;
                what.accept(done);
            }
        }

        @Override
        public void note(String line) {}

        @Override
        public void end() {}
    }
}
