package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.ArchivedTimelines;
import dev.mainstay.engine.archive.StoredTimeline;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.engine.proof.VerifyReport;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRequest.Action;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.TimelineChoice;
import dev.mainstay.it.ReceiverSite.Receiving;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A slot that the server invalidated, or that somebody dropped: what is lost is told, recorded and
/// never papered over; what is not lost is fetched.
class ReceiverGapTest {
    private static final TimelineId ONE = TimelineId.of(1);

    @TempDir private Path folder;

    static List<Integer> versions() {
        return Versions.selectedElse(15);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aGapIsRecordedAndTheRestGoesOnWithANewSlot(int major) {
        try (TestCluster cluster = TestCluster.create(major, forgetful());
                ReceiverSite site = new ReceiverSite(cluster, folder)) {
            Lsn before;
            Lsn target;
            try (Receiving receiving = site.receive()) {
                site.backUp(cluster);
                site.load(1);
                target = site.flushed();
                site.load(1);
                before = site.flushed();
                receiving.awaitStored(before);
                receiving.stop();
            }
            cluster.sql(
                    "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()");
            site.load(1);
            Lsn inside = site.flushed();
            Await.until(
                    "the slot to be invalidated",
                    () -> {
                        site.forget();
                        return cluster.value("SELECT wal_status FROM pg_replication_slots")
                                .equals("lost");
                    });
            Lsn later;
            try (Receiving receiving = site.receive()) {
                receiving.awaitNote("MS-0704", "slot mainstay_orders was invalidated");
                receiving.awaitNote(
                        "ALARM: MS-0702",
                        "the WAL of orders from",
                        "slot mainstay_orders",
                        "mainstay backup orders");
                site.backUp(cluster);
                site.load(1);
                later = site.flushed();
                site.load(1);
                receiving.awaitStored(site.flushed());
                cluster.sql("ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()");
                receiving.stop();
            }
            assertThat(site.slot(cluster)).isPresent();
            StoredTimeline.Story story = story(site);
            assertThat(story.stretches()).hasSize(2);
            assertThat(story.stretches().getFirst().end()).isGreaterThanOrEqualTo(before);
            assertThat(story.stretches().getFirst().end()).isLessThan(inside);
            assertThat(story.stretches().getLast().begin()).isGreaterThan(inside);
            assertThat(verify(site))
                    .as("%s", verify(site))
                    .extracting(VerifyReport.Finding::code)
                    .containsExactly(ErrorCode.WAL_GAP);
            assertThatThrownBy(() -> plan(site, inside))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            refused ->
                                    assertThat(refused.code())
                                            .isEqualTo(ErrorCode.RESTORE_TARGET_UNREACHABLE));
            assertThat(plan(site, target).backup().id())
                    .isEqualTo(site.source.backups().getFirst().id());
            assertThat(plan(site, later).backup().id())
                    .isEqualTo(site.source.backups().getLast().id());

            try (Receiving receiving = site.receive()) {
                site.load(1);
                receiving.awaitStored(site.flushed());
                assertThat(receiving.notes()).noneMatch(note -> note.contains("MS-07"));
                receiving.stop();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aSlotThatWasDroppedCostsNothingWhileTheServerHasTheWal(int major) {
        try (TestCluster cluster =
                        TestCluster.create(major, forgetful().with("wal_keep_size", "1GB"));
                ReceiverSite site = new ReceiverSite(cluster, folder)) {
            Lsn begin;
            try (Receiving receiving = site.receive()) {
                begin = site.flushed();
                site.load(2);
                receiving.awaitStored(site.flushed());

                drop(cluster);
                site.load(2);
                receiving.awaitNote(
                        "ALARM: MS-0704",
                        "replication slot mainstay_orders was dropped",
                        "nothing is missing");
                receiving.awaitStored(site.flushed());
                receiving.await("a new slot", () -> site.slot(cluster).isPresent());
                receiving.stop();
            }
            drop(cluster);
            site.forget();
            try (Receiving receiving = site.receive()) {
                receiving.awaitNote("WARNING: MS-0704", "was not there any more", "made anew");
                Lsn end = site.flushed();
                receiving.awaitStored(end);
                site.compare(cluster, ONE, begin, end);
                assertThat(receiving.notes()).noneMatch(note -> note.contains("MS-0702"));
                receiving.stop();
            }
        }
    }

    private static void drop(TestCluster cluster) {
        Await.until(
                "the slot to be free",
                () -> {
                    cluster.sql("SELECT pg_drop_replication_slot('mainstay_orders')");
                    return true;
                });
    }

    private static ClusterOptions forgetful() {
        return ClusterOptions.standard()
                .withWalSegmentMib(1)
                .with("wal_keep_size", "0")
                .with("min_wal_size", "2MB");
    }

    private static StoredTimeline.Story story(ReceiverSite site) {
        return StoredTimeline.read(ArchivedTimelines.of(site.source).log(ONE));
    }

    private static List<VerifyReport.Finding> verify(ReceiverSite site) {
        return new Verification(
                        site.repository, RepositoryCheck.Options.everything(), Progress.none())
                .run()
                .findings();
    }

    private RestorePlan plan(ReceiverSite site, Lsn target) {
        return new RestorePlanner(site.source)
                .plan(
                        new RestoreRequest(
                                folder.resolve("restored"),
                                Optional.empty(),
                                new RestoreRequest.Recovery(
                                        new RestoreTarget.At(new WalTarget.AtLsn(target, false)),
                                        new TimelineChoice.Latest(),
                                        Action.PROMOTE,
                                        false,
                                        false,
                                        "false"),
                                Map.of(),
                                false,
                                2));
    }
}
