package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRequest.Action;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.RestoreValidation;
import dev.mainstay.engine.restore.RestoredServer;
import dev.mainstay.engine.restore.TimelineChoice;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.DebianPrograms;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// What is restored has the content the cluster had at the target.
class RestoreTest {
    static List<Integer> versions() {
        return Versions.selected();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void everyKindOfTargetIsReachedUnderLoad(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                BackupSite site = new BackupSite(cluster);
                ServerDirectory home = ServerDirectory.create();
                Workload workload = Workload.of(cluster, 11)) {
            workload.run(20);
            workload.start(2);
            site.backUp(ClusterBackup.Request.Type.FULL);
            Await.until("some work", () -> workload.steps() > 80);
            site.backUp(ClusterBackup.Request.Type.AUTO);
            Await.until("more work", () -> workload.steps() > 160);
            workload.pause();
            cluster.sql("SELECT pg_create_restore_point('here')");
            Lsn lsn = Lsn.parse(cluster.value("SELECT pg_current_wal_insert_lsn()"));
            ContentDigest content = ContentDigest.of(cluster);
            Instant time = now(cluster);
            // A time stops before the next commit; nextval of later transactions would be replayed.
            cluster.sql("SELECT txid_current()");
            workload.resume();
            long steps = workload.steps();
            Await.until("work after the target", () -> workload.steps() > steps + 40);
            workload.pause();
            ContentDigest last = ContentDigest.of(cluster);
            archiveAll(cluster, site);
            Path archive = home.directory("archive");
            copyArchive(site, archive);

            Restored restored = new Restored(site, archive, home, major);
            restored.check("name", at(new WalTarget.AtName("here")), content);
            restored.check("time", at(new WalTarget.AtTime(time, true)), content);
            restored.check("lsn", at(new WalTarget.AtLsn(lsn, false)), content);
            restored.pausesAt("paused", at(new WalTarget.AtName("here")));
            restored.check("latest", new RestoreTarget.Latest(), last);
            assertThatThrownBy(
                            () ->
                                    restored.plan(
                                            "never",
                                            at(
                                                    new WalTarget.AtTime(
                                                            now(cluster).plusSeconds(3600), true))))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failed ->
                                    assertThat(failed.code())
                                            .isEqualTo(ErrorCode.RESTORE_TARGET_UNREACHABLE))
                    .hasMessageContaining("last transaction ended at");
            workload.resume();
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void tablespacesGoWhereTheyAreMapped(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                BackupSite site = new BackupSite(cluster);
                ServerDirectory home = ServerDirectory.create()) {
            Path space = cluster.home().directory("space");
            cluster.sql(
                    "CREATE TABLESPACE space LOCATION '" + space + "'",
                    "CREATE TABLE t TABLESPACE space AS SELECT generate_series(1, 5000) AS n");
            site.backUp(ClusterBackup.Request.Type.FULL);
            ContentDigest content = ContentDigest.of(cluster);
            archiveAll(cluster, site);
            Path archive = home.directory("archive");
            copyArchive(site, archive);
            Restored restored = new Restored(site, archive, home, major);

            RestorePlan onTop = restored.plan("unmapped", new RestoreTarget.Immediate());
            assertThatThrownBy(() -> restored.run(onTop))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failed ->
                                    assertThat(failed.code())
                                            .isEqualTo(ErrorCode.RESTORE_TABLESPACE));
            Path moved = home.path().resolve("moved");
            restored.tablespaces = Map.of(space.toString(), moved.toString());
            restored.check("mapped", new RestoreTarget.Immediate(), content);
            assertThat(moved).isNotEmptyDirectory();

            restored.ofTwoAtOnceOneWins("raced", content);

            restored.tablespaces = Map.of(space.toString(), home.path().resolve("b").toString());
            ObjectStore store = site.repository.store();
            store.list("packs/base/", "", 1).objects().forEach(pack -> store.delete(pack.name()));
            RestorePlan lost = restored.plan("lost", new RestoreTarget.Immediate());
            assertThatThrownBy(() -> restored.run(lost))
                    .isInstanceOf(MainstayException.class)
                    .hasMessageContaining("half a restore, which no server can start");
            assertThat(lost.request().directory().resolve(ControlFile.PATH)).doesNotExist();
            assertThatThrownBy(() -> restored.run(lost))
                    .hasMessageContaining("holds a restore that was interrupted");
        }
    }

    private static RestoreTarget at(WalTarget point) {
        return new RestoreTarget.At(point);
    }

    private static ClusterOptions archiving() {
        return ClusterOptions.standard()
                .with("archive_mode", "on")
                .with("archive_command", "false");
    }

    private static Instant now(TestCluster cluster) {
        return OffsetDateTime.parse(
                        cluster.value(
                                "SELECT to_char(clock_timestamp(),"
                                        + " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"))
                .toInstant();
    }

    /// Switches to a new segment and waits until all before it are stored.
    private static void archiveAll(TestCluster cluster, BackupSite site) {
        String file = cluster.value("SELECT pg_walfile_name(pg_switch_wal())");
        ControlFile control = ControlFile.read(cluster.dataDirectory(), _ -> {});
        int size = control.layout().walSegmentSizeBytes();
        WalArchive archive = site.source.wal(control.systemId(), 1);
        Await.until(file, () -> archive.get(WalSegment.parse(file, size)).isPresent());
    }

    private static void copyArchive(BackupSite site, Path into) {
        SystemId system = ControlFile.read(site.cluster.dataDirectory(), _ -> {}).systemId();
        WalArchive archive = site.source.wal(system, 1);
        archive.segments(
                new WalSegment(TimelineId.of(1), 0, 16 << 20),
                segment -> {
                    try {
                        Path file = into.resolve(segment.fileName());
                        Files.write(file, archive.get(segment).orElseThrow());
                        dev.mainstay.postgres.cluster.ServerUser.giveToUnprivileged(file);
                    } catch (IOException failed) {
                        throw new UncheckedIOException(failed);
                    }
                });
    }

    /// Restores and judges.
    private static final class Restored {
        private final BackupSite site;
        private final Path archive;
        private final ServerDirectory home;
        private final int major;
        private Map<String, String> tablespaces = Map.of();
        private Action action = Action.PROMOTE;

        Restored(BackupSite site, Path archive, ServerDirectory home, int major) {
            this.site = site;
            this.archive = archive;
            this.home = home;
            this.major = major;
        }

        RestorePlan plan(String name, RestoreTarget target) {
            return new RestorePlanner(site.source)
                    .plan(
                            new RestoreRequest(
                                    home.path().resolve(name),
                                    Optional.empty(),
                                    new RestoreRequest.Recovery(
                                            target,
                                            new TimelineChoice.Latest(),
                                            action,
                                            false,
                                            false,
                                            "cp " + archive + "/%f %p"),
                                    tablespaces,
                                    false,
                                    2));
        }

        /// The server is started by the restore itself and waits at the target.
        void pausesAt(String name, RestoreTarget target) {
            action = Action.PAUSE;
            RestorePlan plan = plan(name, target);
            action = Action.PROMOTE;
            run(plan);
            Path directory = plan.request().directory();
            if (major == 15) {
                assertThat(StructureJudge.verifyBackup(directory, "--no-parse-wal")).isEmpty();
            }
            RestoredServer server =
                    new RestoredServer(
                            plan,
                            site.cluster.binDirectory(),
                            new RestoredServer.Listening("", 5499),
                            ConnectionSpec.parse(
                                    "postgresql://" + TestCluster.SUPERUSER + "@/postgres",
                                    Map.of()),
                            Progress.none());
            try {
                RestoredServer.Outcome outcome = server.start();
                assertThat(outcome.state()).isEqualTo("paused at the target");
                assertThat(outcome.position()).contains(plan.replay().end());
                assertThat(outcome.databases()).contains("postgres", "template1");
                assertThat(outcome.notes()).isEmpty();
            } finally {
                server.server().stop(PostgresServer.StopMode.FAST, Duration.ofSeconds(60));
            }
        }

        /// Into the same directory and tablespace. The one that comes too late changes nothing.
        void ofTwoAtOnceOneWins(String name, ContentDigest expected) throws Exception {
            String from = tablespaces.keySet().iterator().next();
            tablespaces = Map.of(from, home.path().resolve(name + "-space").toString());
            RestorePlan plan = plan(name, new RestoreTarget.Immediate());
            CountDownLatch start = new CountDownLatch(1);
            List<MainstayException> refused = new ArrayList<>();
            try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
                List<Future<Object>> both =
                        Stream.generate(
                                        () ->
                                                threads.submit(
                                                        () -> {
                                                            start.await();
                                                            run(plan);
                                                            return new Object();
                                                        }))
                                .limit(2)
                                .toList();
                start.countDown();
                for (Future<Object> each : both) {
                    try {
                        each.get();
                    } catch (ExecutionException failed) {
                        refused.add((MainstayException) failed.getCause());
                    }
                }
            }
            assertThat(refused)
                    .singleElement()
                    .satisfies(
                            one ->
                                    assertThat(one.code())
                                            .isEqualTo(ErrorCode.RESTORE_DIRECTORY_UNSAFE));
            assertThat(String.valueOf(refused.getFirst().getMessage()))
                    .doesNotContain("half a restore");
            if (major == DebianPrograms.MAJOR) {
                assertThat(
                                StructureJudge.verifyBackup(
                                        plan.request().directory(), "--no-parse-wal"))
                        .isEmpty();
            }
            holds(plan, expected);
        }

        void run(RestorePlan plan) {
            new RestoreRun(site.source, plan, Progress.none()).execute();
        }

        void check(String name, RestoreTarget target, ContentDigest expected) {
            RestorePlan plan = plan(name, target);
            assertThat(plan.toString()).contains(plan.backup().id().text());
            new RestoreValidation(site.source, plan, Progress.none()).run();
            run(plan);
            assertThatThrownBy(() -> run(plan))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            again ->
                                    assertThat(again.code())
                                            .isEqualTo(ErrorCode.RESTORE_DIRECTORY_UNSAFE));
            holds(plan, expected);
        }

        private void holds(RestorePlan plan, ContentDigest expected) {
            Path directory = plan.request().directory();
            try (TestCluster restored =
                    TestCluster.adopt(major, directory, ClusterOptions.bare())) {
                restored.start();
                Await.until(
                        "the end of recovery",
                        () -> restored.value("SELECT pg_is_in_recovery()").equals("f"));
                assertThat(expected.differencesAfterRecovery(ContentDigest.of(restored)))
                        .as("%s", directory)
                        .isEmpty();
                assertThat(restored.value("SHOW archive_mode")).isEqualTo("off");
                assertThat(StructureJudge.judge(restored)).isEmpty();
                restored.stop();
            }
        }
    }
}
