package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.Lsn;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.WalPush;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ChangeReport;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.backup.ClusterBackup.Request;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRequest.Action;
import dev.mainstay.engine.restore.RestoreRequest.Recovery;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.TimelineChoice;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.local.LocalStore;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A cluster that is backed up by increments, and the judges of them. Full backups of the same
/// cluster go to a repository of their own, so that no incremental builds on them.
final class IncrementalSite implements AutoCloseable {
    /// An archiver that failed three times rests for a minute, a round may write a thousand
    /// segments, and campaigns share their machine.
    private static final Duration ARCHIVE_TIMEOUT = Duration.ofMinutes(30);

    private static final String CATALOGS =
            "DO $$ DECLARE one text; n bigint; BEGIN FOR one IN SELECT oid::regclass FROM pg_class"
                    + " WHERE relkind = 'r' AND relnamespace = 'pg_catalog'::regnamespace LOOP"
                    + " EXECUTE 'SELECT count(*) FROM ' || one INTO n; END LOOP; END $$";

    final ServerDirectory home = ServerDirectory.create();
    final Path archived = home.directory("archived");
    final ProtectedSource source;
    private final ProtectedSource fulls;
    private final WalFeeder feeder;
    private volatile TestCluster cluster;
    private boolean streamed;
    private boolean promoted;
    private boolean firstOfServer;
    private int restores;

    IncrementalSite(int major, ClusterOptions options, Path folder) {
        cluster =
                TestCluster.create(
                        major,
                        options.withWalSegmentMib(1)
                                .with("autovacuum", "off")
                                .with("max_prepared_transactions", "10")
                                .with("archive_mode", "on")
                                .with("archive_command", WalFeeder.archiveCommand(archived)));
        source = repository(folder.resolve("store")).sourceOrAdd("orders");
        fulls = repository(folder.resolve("fulls")).sourceOrAdd("orders");
        feeder =
                new WalFeeder(
                        archived,
                        () -> cluster().dataDirectory(),
                        List.of(new WalPush(source, 1), new WalPush(fulls, 1)));
    }

    /// From now on incrementals come over the replication protocol.
    IncrementalSite streaming() {
        streamed = true;
        return this;
    }

    private static Repository repository(Path store) {
        return Repository.create(
                LocalStore.create(store),
                Optional.of(new Credential.KeyFile(new byte[32])),
                Ground.ofThisHost());
    }

    TestCluster cluster() {
        return cluster;
    }

    /// A standby takes over: its timeline goes on, and the primary is no more.
    void promote(String name) {
        TestCluster standby = cluster.standby(name, Map.of());
        try {
            cluster.awaitReplay(standby);
            cluster.stop();
            standby.promote();
        } catch (RuntimeException | Error failed) {
            standby.close();
            throw failed;
        }
        TestCluster old = cluster;
        cluster = standby;
        promoted = true;
        old.close();
    }

    /// Whether the last backup was the first of a server that was promoted.
    boolean wasPromoted() {
        return firstOfServer;
    }

    CommittedBackup backUp(Request.Type type) {
        return backUp(source, type, Progress.none());
    }

    CommittedBackup full() {
        return backUp(fulls, Request.Type.FULL, Progress.none());
    }

    CommittedBackup backUp(ProtectedSource into, Request.Type type, Progress progress) {
        String url =
                "postgresql://"
                        + TestCluster.SUPERUSER
                        + "@127.0.0.1:"
                        + cluster.port()
                        + "/postgres";
        PostgresSettings settings =
                new PostgresSettings(
                        url,
                        Optional.empty(),
                        streamed && into == source
                                ? Optional.empty()
                                : Optional.of(cluster.dataDirectory()),
                        ReceiverSettings.defaults(into.name()),
                        2,
                        0);
        RepositorySettings storing =
                new RepositorySettings("local", Optional.empty(), true, 1, ByteSize.mib(8));
        ClusterBackup backup =
                new ClusterBackup(
                        into, storing, settings, ConnectionSpec.parse(url, Map.of()), progress);
        CommittedBackup made;
        try {
            made =
                    backup.run(
                                    new Request(
                                            type,
                                            ARCHIVE_TIMEOUT,
                                            Waiter.sleeping(Duration.ofMillis(10))))
                            .backup();
        } finally {
            feeder.requireWell(); // if it is not, that is why no segment arrived
        }
        if (into == source) {
            firstOfServer = promoted;
            promoted = false;
        }
        assertThat(BackupDetails.read(made.details()).judgement().status()).isEqualTo("complete");
        return made;
    }

    /// Has every hint set, and everything pruned, that a backup's own queries would.
    void settle() {
        for (String database : cluster.rows("postgres", TestCluster.DATABASES)) {
            cluster.sqlIn(database, CATALOGS);
        }
    }

    WalArchive wal() {
        return source.wal(
                BackupDetails.read(source.newestBackups().getFirst().details()).systemId(), 1);
    }

    FileTree files(CommittedBackup backup) {
        return FileTree.of(source, backup);
    }

    /// A backup of a cluster at rest holds what the cluster's files hold.
    FileJudge.Judgement compareWithCluster(CommittedBackup backup) {
        try (FileTree stored = files(backup);
                FileTree live = FileTree.of(cluster.dataDirectory())) {
            return FileJudge.compare(stored, live);
        }
    }

    FileJudge.Judgement compareWithFull(CommittedBackup backup, CommittedBackup full) {
        try (FileTree stored = files(backup);
                FileTree whole = FileTree.of(fulls, full)) {
            return FileJudge.compare(stored, whole);
        }
    }

    /// The log from `earlier`'s start to `backup`'s names every page that changed between them.
    ChangeReport requireNamed(CommittedBackup earlier, CommittedBackup backup) {
        BackupDetails from = BackupDetails.read(earlier.details());
        NamedByWal named = NamedByWal.since(from.startLsn(), backup, wal());
        ChangeReport report = changes(named, earlier, backup);
        assertThat(named.descriptions())
                .as("not named since %s..%s", from.startLsn(), from.stopLsn())
                .isEmpty();
        return report;
    }

    /// What the log from `from` on says of what changed between two backups.
    ChangeReport changes(CommittedBackup earlier, Lsn from, CommittedBackup backup) {
        return changes(NamedByWal.since(from, backup, wal()), earlier, backup);
    }

    private ChangeReport changes(
            NamedByWal named, CommittedBackup earlier, CommittedBackup backup) {
        assertThat(named.readWhole()).isEmpty();
        try (FileTree before = files(earlier);
                FileTree now = files(backup)) {
            return named.judge(before, now);
        }
    }

    /// Restores a backup, to its end or to that of the log, and judges what it holds.
    void restore(CommittedBackup backup, boolean latest, ContentDigest expected) {
        Path directory = home.path().resolve("restored-" + ++restores);
        Map<String, String> tablespaces = new HashMap<>();
        for (BackupDetails.Tablespace space : BackupDetails.read(backup.details()).tablespaces()) {
            tablespaces.put(space.location(), directory + "-space-" + space.oid());
        }
        RestorePlan plan =
                new RestorePlanner(source)
                        .plan(
                                new RestoreRequest(
                                        directory,
                                        Optional.of(backup.id()),
                                        new Recovery(
                                                latest
                                                        ? new RestoreTarget.Latest()
                                                        : new RestoreTarget.Immediate(),
                                                new TimelineChoice.Latest(),
                                                Action.PROMOTE,
                                                false,
                                                false,
                                                "cp " + archived + "/%f %p"),
                                        tablespaces,
                                        false,
                                        2));
        new RestoreRun(source, plan, Progress.none()).execute();
        try (TestCluster restored =
                TestCluster.adopt(cluster.major(), directory, ClusterOptions.bare())) {
            restored.start();
            Await.until(
                    "the end of recovery",
                    () -> restored.value("SELECT pg_is_in_recovery()").equals("f"));
            assertThat(expected.differencesAfterRecovery(ContentDigest.of(restored)))
                    .as("content of %s", backup.id())
                    .isEmpty();
            assertThat(StructureJudge.judge(restored)).as("structure").isEmpty();
        }
        Folders.delete(directory);
        tablespaces.values().forEach(space -> Folders.delete(Path.of(space)));
    }

    @Override
    public void close() {
        feeder.close();
        source.repository().close();
        fulls.repository().close();
        cluster.close();
        home.close();
    }
}
