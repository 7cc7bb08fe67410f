package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.engine.retention.WalRetention;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Retention frees WAL, and real servers recover with what is left: to all of the window that is
/// left, and none of them takes what is gone for the end of the log.
class WalFreedTest {
    private static final String ROWS = "SELECT string_agg(t, '' ORDER BY t) FROM t";
    private static final int SEGMENT = 1 << 20;

    /// The two newest backups, and the log since the older of them.
    private static final RetentionPolicy TWO =
            new RetentionPolicy(
                    new RetentionPolicy.Kind(
                            OptionalInt.of(2), OptionalInt.empty(), OptionalInt.empty()),
                    RetentionPolicy.Kind.UNSAID,
                    RetentionPolicy.Periods.NONE,
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    ZoneOffset.UTC);

    static List<Integer> newest() {
        return Versions.selectedElse(18);
    }

    private static Instant insert(TestCluster cluster, String row) {
        cluster.sql("INSERT INTO t VALUES ('" + row + "')");
        return Instant.parse(
                cluster.value(
                        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC',"
                                + " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"));
    }

    private static RestoreTarget at(Instant time) {
        return new RestoreTarget.At(new WalTarget.AtTime(time, true));
    }

    @ParameterizedTest
    @MethodSource("newest")
    void theWindowThatIsLeftIsReachedAndNothingElseIsTakenForIt(int major) throws IOException {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                RestoreSite site = new RestoreSite(cluster)) {
            cluster.sql("CREATE TABLE t (t text)", "INSERT INTO t VALUES ('a')");
            site.backUp();
            site.archive(cluster);
            Path command = command(site);
            RestorePlan old = site.wish("old", new RestoreTarget.Latest()).restore();
            RestorePlan misled = site.wish("misled", new RestoreTarget.Latest()).restore();
            RestorePlan standby =
                    site.wish("standby", new RestoreTarget.Latest()).asStandby().restore();
            Instant tooOld = insert(cluster, "b");
            site.store(cluster);
            site.backUp();
            Instant first = insert(cluster, "c");
            insert(cluster, "d");
            site.store(cluster);
            site.backUp();
            Instant second = insert(cluster, "e");
            insert(cluster, "f");
            site.store(cluster);
            WalSegment afterOld =
                    WalSegment.containing(TimelineId.of(1), old.replay().end().plus(-1), SEGMENT);
            free(site);
            assertThat(site.wal.isFreed(afterOld)).isTrue();
            serve(site, afterOld);

            answerForFreed(command, site, 1);
            takesItForTheEnd(misled, major, true);
            followsWithoutPromoting(standby, major);
            answerForFreed(command, site, 126);
            takesItForTheEnd(old, major, false);
            recovers(site, "first", at(first), "abc");
            recovers(site, "second", at(second), "abcde");
            recovers(site, "latest", new RestoreTarget.Latest(), "abcdef");
            assertThatThrownBy(() -> site.wish("refused", at(tooOld)).plan())
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            refused ->
                                    assertThat(refused.code())
                                            .isEqualTo(ErrorCode.RESTORE_TARGET_UNREACHABLE))
                    .hasMessageContaining("the earliest is ");
            assertThat(
                            new Verification(
                                            site.site.repository,
                                            RepositoryCheck.Options.everything(),
                                            Progress.none())
                                    .run()
                                    .findings())
                    .isEmpty();
        }
    }

    private static void recovers(RestoreSite site, String name, RestoreTarget target, String rows) {
        try (TestCluster restored = site.wish(name, target).recovered()) {
            assertThat(restored.value(ROWS)).as(name).isEqualTo(rows);
        }
    }

    /// A script instead of `mainstay wal get`, since a start of Java for each file takes long: what
    /// that answers is worked out before.
    private static Path command(RestoreSite site) throws IOException {
        Path command = site.served.resolve("get");
        answerForFreed(command, site, 126);
        site.restoreCommand = "sh " + command + " %f %p";
        return command;
    }

    private static void answerForFreed(Path command, RestoreSite site, int exit)
            throws IOException {
        Files.writeString(
                command,
                "[ -e %1$s/$1.freed ] && exit %2$d\ncp %1$s/$1 $2\n".formatted(site.served, exit));
        ServerUser.giveToUnprivileged(command);
    }

    /// What `mainstay wal get` finds, or says of each segment that is gone.
    private static void serve(RestoreSite site, WalSegment from) throws IOException {
        WalGet get = new WalGet(site.site.source, site.wal.system(), SEGMENT, false);
        site.serve();
        int freed = 0;
        for (WalSegment each = from; !site.wal.has(each); each = each.next()) {
            WalSegment gone = each;
            Path target = site.served.resolve("fetched");
            assertThatThrownBy(() -> get.get(gone.fileName(), target))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failed -> assertThat(failed.code()).isEqualTo(ErrorCode.WAL_FREED));
            Path mark = site.served.resolve(gone.fileName() + ".freed");
            Files.writeString(mark, "");
            ServerUser.giveToUnprivileged(mark);
            Files.deleteIfExists(site.served.resolve(gone.fileName()));
            freed++;
        }
        assertThat(freed).isPositive();
    }

    private static void free(RestoreSite site) {
        Instant now = site.site.repository.ground().clock().instant();
        SourceExpiry expiry = new SourceExpiry(site.site.source, TWO, now);
        assertThat(expiry.run(expiry.plan()).removed()).hasSize(1);
        WalRetention wal = new WalRetention(_ -> Optional.of(TWO), now);
        Prune.Report report =
                new Prune(site.site.repository, Duration.ofDays(7), false, wal, _ -> {}).run();
        assertThat(report.wal().freed()).isPositive();
        assertThat(report.wal().waiting()).isZero();
    }

    /// A server that was restored before WAL that it needs was freed.
    private static void takesItForTheEnd(RestorePlan plan, int major, boolean expected) {
        Path directory = plan.request().directory();
        try (TestCluster restored = TestCluster.adopt(major, directory, ClusterOptions.bare())) {
            try {
                restored.start();
            } catch (MainstayException failed) {
                assertThat(expected).as(failed.getMessage()).isFalse();
            }
            Await.until("the end", () -> !restored.isRunning() || isPromoted(restored));
            assertThat(restored.isRunning()).as("promoted").isEqualTo(expected);
            if (expected) {
                restored.stop();
            }
            assertThat(Files.exists(directory.resolve("pg_wal/00000002.history")))
                    .as("a timeline of its own")
                    .isEqualTo(expected);
        }
    }

    private static boolean isPromoted(TestCluster restored) {
        try {
            return restored.value("SELECT pg_is_in_recovery()").equals("f");
        } catch (RuntimeException itEnded) {
            return false;
        }
    }

    /// A standby is told 1, as for every failure that lasts: the server that it follows may have
    /// what it lacks.
    private static void followsWithoutPromoting(RestorePlan plan, int major) {
        try (TestCluster standby =
                TestCluster.adopt(major, plan.request().directory(), ClusterOptions.bare())) {
            standby.start();
            String asked = "SELECT pg_last_wal_replay_lsn() IS NOT NULL";
            Await.until("all that there is", () -> standby.value(asked).equals("t"));
            assertThat(standby.value(ROWS)).isEqualTo("a");
            assertThat(standby.value("SELECT pg_is_in_recovery()")).isEqualTo("t");
        }
    }
}
