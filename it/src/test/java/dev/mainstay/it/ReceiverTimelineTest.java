package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.TimelineChoice;
import dev.mainstay.it.ReceiverSite.Receiving;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A receiver that streams from a standby follows it when it is promoted.
class ReceiverTimelineTest {
    private static final TimelineId ONE = TimelineId.of(1);
    private static final TimelineId TWO = TimelineId.of(2);

    @TempDir private Path folder;

    static List<Integer> versions() {
        return Versions.selectedElse(15);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aStandbyThatIsPromotedUnderLoadIsFollowedWithoutAGap(int major) throws Exception {
        ClusterOptions options =
                ClusterOptions.standard().withWalSegmentMib(1).with("wal_keep_size", "1GB");
        try (TestCluster primary = TestCluster.create(major, options);
                TestCluster standby = primary.standby("copy", Map.of());
                ReceiverSite site = new ReceiverSite(primary, folder);
                ServerDirectory home = ServerDirectory.create()) {
            primary.sql("CREATE TABLE t (n int, t text)");
            ContentDigest content;
            try (Receiving receiving = site.receive(standby)) {
                site.load(2);
                Lsn early = site.flushed();
                receiving.awaitStored(early);
                site.backUp(primary);
                Lsn slotBefore = site.slot(standby).orElseThrow();
                try (Writing _ = new Writing(Duration.ofMillis(1), () -> write(primary))) {
                    site.load(3);
                    receiving.awaitStored(site.flushed());
                    standby.promote();
                    write(primary); // goes astray
                }
                primary.crash();
                for (int i = 0; i < 20; i++) {
                    write(standby);
                }
                ReceiverSite.load(standby, 3);
                content = ContentDigest.of(standby);
                Lsn end = ReceiverSite.flushed(standby);
                receiving.awaitNote("the server went on to timeline 2 at");
                receiving.awaitStored(end);
                Lsn parting = parting(site);
                site.compare(standby, ONE, early, parting);
                site.compare(standby, TWO, parting, end);
                receiving.await(
                        "the slot to follow",
                        () -> site.slot(standby).orElseThrow().isAfter(parting));
                assertThat(site.slot(standby).orElseThrow()).isGreaterThan(slotBefore);
                receiving.stop();
                assertThat(receiving.notes()).noneMatch(note -> note.contains("MS-"));
                assertThat(folder.resolve("spool/" + site.system()))
                        .isDirectoryNotContaining("glob:**.history")
                        .isDirectoryNotContaining("glob:**.left");
            }
            assertThat(
                            new Verification(
                                            site.repository,
                                            RepositoryCheck.Options.everything(),
                                            Progress.none())
                                    .run()
                                    .findings())
                    .isEmpty();
            Path directory = home.path().resolve("restored");
            Path served = site.serve(home.directory("archive"));
            restore(site, directory, served);
            try (TestCluster restored =
                    TestCluster.adopt(major, directory, ClusterOptions.bare())) {
                restored.start();
                Await.until(
                        "the end of recovery",
                        () -> restored.value("SELECT pg_is_in_recovery()").equals("f"));
                assertThat(content.differencesAfterRecovery(ContentDigest.of(restored))).isEmpty();
                assertThat(restored.value("SELECT timeline_id FROM pg_control_checkpoint()"))
                        .isEqualTo("3");
            }
        }
    }

    private static void write(TestCluster server) {
        server.sql("INSERT INTO t SELECT n, md5(n::text) FROM generate_series(1, 200) n");
    }

    /// Where the new timeline begins, as its stored history says.
    private static Lsn parting(ReceiverSite site) {
        byte[] stored = site.archive.getFile(TWO.historyFileName()).orElseThrow();
        TimelineHistory history =
                TimelineHistory.parse(TWO, new String(stored, StandardCharsets.UTF_8));
        Lsn parting = history.switchPoint(ONE).orElseThrow();
        WalSegment last = site.segment(ONE, parting);
        assertThat(site.archive.parts(last).length)
                .as("the last segment of the timeline that was left, as far as it belongs to it")
                .isGreaterThanOrEqualTo((int) parting.minus(last.start()));
        assertThat(site.archive.getSummary(site.segment(ONE, last.start().plus(-1))))
                .as("the segment before is summarised with the new timeline's first")
                .isPresent();
        return parting;
    }

    private static void restore(ReceiverSite site, Path directory, Path served) {
        RestorePlan plan =
                new RestorePlanner(site.source)
                        .plan(
                                new RestoreRequest(
                                        directory,
                                        Optional.empty(),
                                        new RestoreRequest.Recovery(
                                                new RestoreTarget.Latest(),
                                                new TimelineChoice.Latest(),
                                                RestoreRequest.Action.PROMOTE,
                                                false,
                                                false,
                                                "cp " + served + "/%f %p"),
                                        Map.of(),
                                        false,
                                        2));
        new RestoreRun(site.source, plan, Progress.none()).execute();
    }
}
