package dev.mainstay.it;

import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRequest.Action;
import dev.mainstay.engine.restore.RestoreRequest.Recovery;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.RestoredServer;
import dev.mainstay.engine.restore.TimelineChoice;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Optional;

/// A cluster whose log is archived, a folder that serves the archive to restored servers, and
/// restores.
final class RestoreSite implements AutoCloseable {
    private static final int SEGMENT = 1 << 20;

    final TestCluster cluster;
    final BackupSite site;
    final ServerDirectory home = ServerDirectory.create();
    final WalArchive wal;

    /// Where restores put tablespaces, by where they were.
    Map<String, String> tablespaces = Map.of();

    final Path served;

    /// What restored servers fetch their log with.
    String restoreCommand;

    RestoreSite(TestCluster cluster) {
        this.cluster = cluster;
        this.site = new BackupSite(cluster);
        ControlFile control = ControlFile.read(cluster.dataDirectory(), _ -> {});
        this.wal = site.source.wal(control.systemId(), 1);
        this.served = home.directory("archive");
        this.restoreCommand = "cp " + served + "/%f %p";
    }

    /// Small segments, archived by a [PgWalArchiver].
    static ClusterOptions archiving() {
        return ClusterOptions.standard()
                .withWalSegmentMib(1)
                .with("archive_mode", "on")
                .with("wal_retrieve_retry_interval", "100ms")
                .with("archive_command", "false");
    }

    void backUp() {
        site.backUp(ClusterBackup.Request.Type.FULL);
    }

    /// Has everything stored that `server` has written, and serves it.
    void archive(TestCluster server) {
        store(server);
        serve();
    }

    /// Has everything stored that `server` has written.
    void store(TestCluster server) {
        server.sql("SELECT pg_create_restore_point('archived')"); // else there may be nothing to
        // switch
        WalSegment segment =
                WalSegment.parse(server.value("SELECT pg_walfile_name(pg_switch_wal())"), SEGMENT);
        Await.until(segment.fileName(), () -> wal.has(segment));
    }

    /// What `mainstay wal get` would find.
    void serve() {
        WalGet get = new WalGet(site.source, wal.system(), SEGMENT, false);
        for (TimelineId timeline : wal.timelines()) {
            wal.segments(new WalSegment(timeline, 0, SEGMENT), one -> serve(get, one.fileName()));
            serve(get, timeline.historyFileName());
        }
    }

    private void serve(WalGet get, String name) {
        Path file = served.resolve(name);
        if (Files.exists(file)) {
            return;
        }
        Path fetched = served.resolve("fetched");
        if (get.get(name, fetched)) {
            ServerUser.giveToUnprivileged(fetched);
            try {
                Files.move(fetched, file, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }
    }

    /// To be changed by its `with`-like methods.
    Wish wish(String name, RestoreTarget target) {
        return new Wish(
                this,
                name,
                target,
                new TimelineChoice.Latest(),
                Action.PROMOTE,
                false,
                false,
                false);
    }

    /// A restore that a test wants.
    record Wish(
            RestoreSite on,
            String name,
            RestoreTarget target,
            TimelineChoice timeline,
            Action action,
            boolean standby,
            boolean keepArchiving,
            boolean originalExternals) {
        Wish along(TimelineChoice choice) {
            return new Wish(
                    on, name, target, choice, action, standby, keepArchiving, originalExternals);
        }

        Wish then(Action next) {
            return new Wish(
                    on, name, target, timeline, next, standby, keepArchiving, originalExternals);
        }

        Wish asStandby() {
            return new Wish(
                    on, name, target, timeline, action, true, keepArchiving, originalExternals);
        }

        Wish archiving() {
            return new Wish(on, name, target, timeline, action, standby, true, originalExternals);
        }

        Wish withOriginalExternals() {
            return new Wish(on, name, target, timeline, action, standby, keepArchiving, true);
        }

        RestorePlan plan() {
            return new RestorePlanner(on.site.source)
                    .plan(
                            new RestoreRequest(
                                    on.home.path().resolve(name),
                                    Optional.empty(),
                                    new Recovery(
                                            target,
                                            timeline,
                                            action,
                                            standby,
                                            keepArchiving,
                                            on.restoreCommand),
                                    on.tablespaces,
                                    originalExternals,
                                    2));
        }

        RestorePlan restore() {
            RestorePlan plan = plan();
            new RestoreRun(on.site.source, plan, Progress.none()).execute();
            return plan;
        }

        /// Restored and started, as far as it comes by itself.
        TestCluster started() {
            TestCluster restored =
                    TestCluster.adopt(
                            on.cluster.major(),
                            restore().request().directory(),
                            ClusterOptions.bare());
            try {
                restored.start();
                return restored;
            } catch (RuntimeException | Error failed) {
                restored.close();
                throw failed;
            }
        }

        /// Restored, started and recovered.
        TestCluster recovered() {
            TestCluster restored = started();
            try {
                Await.until(
                        "the end of recovery",
                        () -> restored.value("SELECT pg_is_in_recovery()").equals("f"));
                return restored;
            } catch (RuntimeException | Error failed) {
                restored.close();
                throw failed;
            }
        }
    }

    /// The server as `restore --start` has it.
    RestoredServer server(RestorePlan plan) {
        return new RestoredServer(
                plan,
                cluster.binDirectory(),
                new RestoredServer.Listening("", 5499),
                ConnectionSpec.parse(
                        "postgresql://" + TestCluster.SUPERUSER + "@/postgres", Map.of()),
                Progress.none());
    }

    @Override
    public void close() {
        site.close();
        home.close();
    }
}
