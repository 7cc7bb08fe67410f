package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.PageMask;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.PackReader;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.MeteredStore;
import dev.mainstay.testkit.TestCluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/// A repository with one source, and what feeds its archive.
public final class BackupSite implements AutoCloseable {
    final TestCluster cluster;
    private final MemoryStore store;
    final SeenRequests seen;
    final MeteredStore requests;
    final Repository repository;
    final ProtectedSource source;
    final PgWalArchiver archiver;

    /// @param cluster archives by a command that always fails: see [PgWalArchiver]
    public BackupSite(TestCluster cluster) {
        this(cluster, MemoryStore.create());
    }

    private BackupSite(TestCluster cluster, MemoryStore store) {
        this.cluster = cluster;
        this.store = store;
        this.seen = new SeenRequests(store);
        this.requests = MeteredStore.of(seen);
        Optional<Credential> key = Optional.of(new Credential.KeyFile(new byte[32]));
        boolean isNew = store.list("", "", 1).objects().isEmpty();
        repository =
                isNew
                        ? Repository.create(requests, key, Ground.ofThisHost())
                        : Repository.open(requests, key, Ground.ofThisHost());
        source = repository.sourceOrAdd("orders");
        ControlFile control = ControlFile.read(cluster.dataDirectory(), _ -> {});
        archiver =
                new PgWalArchiver(
                        cluster,
                        source.wal(control.systemId(), 1),
                        control.layout().walSegmentSizeBytes());
    }

    /// The same repository and source, fed from another server of the same cluster.
    public BackupSite movedTo(TestCluster server) {
        return new BackupSite(server, store);
    }

    public ProtectedSource source() {
        return source;
    }

    public void stopArchiving() {
        archiver.close();
    }

    /// Has everything archived that is ready, and lets the server forget it.
    public void archiveAndForget() throws IOException {
        archiver.archiveReady();
        Path status = cluster.dataDirectory().resolve("pg_wal/archive_status");
        try (Stream<Path> files = Files.list(status)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".ready")) {
                    Files.move(file, file.resolveSibling(name.replace(".ready", ".done")));
                }
            }
        }
        cluster.sql("SELECT pg_switch_wal()", "CHECKPOINT");
        cluster.sql("SELECT pg_create_restore_point('x')", "SELECT pg_switch_wal()", "CHECKPOINT");
    }

    /// Loses a segment of the archive.
    public void lose(WalSegment segment) {
        ControlFile control = ControlFile.read(cluster.dataDirectory(), _ -> {});
        store.delete(source.wal(control.systemId(), 1).objectName(segment));
    }

    /// Loses what a backup said at its end.
    public void loseSlot(BackupId backup) {
        store.delete("slots/" + source.id() + "/" + backup);
    }

    /// Backs up with the standard settings.
    public ClusterBackup.Result backUp(ClusterBackup.Request.Type type) {
        return backup(PostgresSettings.DEFAULT_FULL_READ_EVERY).run(request(type));
    }

    public static ClusterBackup.Request request(ClusterBackup.Request.Type type) {
        return new ClusterBackup.Request(
                type, Duration.ofSeconds(5), Waiter.sleeping(Duration.ofMillis(10)));
    }

    /// A backup of which the pages are read, but which is not ended yet, when something is done.
    public ClusterBackup.Result backUpWhile(ClusterBackup.Request.Type type, Runnable meanwhile) {
        AtomicBoolean done = new AtomicBoolean();
        Progress afterCopying =
                new Progress() {
                    @Override
                    public void begin(String what, long totalBytes) {}

                    @Override
                    public void advance(long bytes) {}

                    @Override
                    public void note(String line) {}

                    @Override
                    public void end() {
                        if (!done.getAndSet(true)) {
                            meanwhile.run();
                        }
                    }
                };
        return backup(0, afterCopying).run(request(type));
    }

    public ClusterBackup backup(int fullReadEvery) {
        return backup(fullReadEvery, Progress.none());
    }

    /// Backs up over the replication protocol.
    public ClusterBackup.Result backUpStreamed(ClusterBackup.Request.Type type) {
        return backup(streaming(), Progress.none()).run(request(type));
    }

    /// Without a data directory.
    PostgresSettings streaming() {
        return settings(Optional.empty(), PostgresSettings.DEFAULT_FULL_READ_EVERY);
    }

    private PostgresSettings settings(Optional<Path> dataDirectory, int fullReadEvery) {
        return new PostgresSettings(
                url(),
                Optional.empty(),
                dataDirectory,
                ReceiverSettings.defaults("orders"),
                2,
                fullReadEvery);
    }

    /// A backup of a standby of the cluster.
    ///
    /// @param streamed over the replication protocol
    ClusterBackup ofStandby(
            TestCluster standby, boolean streamed, boolean required, Progress progress) {
        PostgresSettings settings =
                settings(Optional.of(cluster.dataDirectory()), 0)
                        .withStandby(
                                new PostgresSettings.Standby(
                                        url(standby),
                                        Optional.empty(),
                                        streamed
                                                ? Optional.empty()
                                                : Optional.of(standby.dataDirectory()),
                                        required));
        return backup(settings, progress).withStandby(ConnectionSpec.parse(url(standby), Map.of()));
    }

    public ClusterBackup backup(int fullReadEvery, Progress progress) {
        return backup(settings(Optional.of(cluster.dataDirectory()), fullReadEvery), progress);
    }

    public ClusterBackup backup(PostgresSettings settings, Progress progress) {
        RepositorySettings storing =
                new RepositorySettings("memory", Optional.empty(), true, 3, ByteSize.mib(8));
        return new ClusterBackup(
                source,
                storing,
                settings,
                ConnectionSpec.parse(settings.url(), Map.of()),
                progress);
    }

    public String url() {
        return url(cluster);
    }

    private static String url(TestCluster server) {
        return "postgresql://"
                + TestCluster.SUPERUSER
                + "@127.0.0.1:"
                + server.port()
                + "/postgres";
    }

    /// Demands that the pages of every relation in `base` are those of the files, but for what the
    /// server changes without logging it.
    public void compareWithFiles(CommittedBackup backup) throws Exception {
        List<ManifestEntry> entries = new ArrayList<>();
        try (BackupReader reader = source.read(backup);
                PackReader packs = reader.newPackReader()) {
            reader.entries(entries::add);
            int compared = 0;
            for (ManifestEntry entry : entries) {
                Path file = cluster.dataDirectory().resolve(entry.path());
                if (entry.content() instanceof Content.Paged paged
                        && entry.path().startsWith("base/")
                        && Files.exists(file)) {
                    byte[] live = Files.readAllBytes(file);
                    byte[] stored = pages(reader.map(paged), packs);
                    compare(entry.path(), stored, live, backup);
                    compared++;
                }
            }
            assertThat(compared).isGreaterThan(500);
        }
        assertThat(entries.stream().map(ManifestEntry::path))
                .contains("global/pg_control", "PG_VERSION", "pg_wal")
                .doesNotHaveDuplicates();
    }

    void compareCatalog(CommittedBackup backup) {
        StringBuilder lines = new StringBuilder();
        try (BackupReader reader = source.read(backup)) {
            reader.catalog(
                    part ->
                            lines.append(
                                    new String(part, java.nio.charset.StandardCharsets.UTF_8)));
        }
        String pgClass =
                cluster.value("SELECT pg_relation_filenode('pg_catalog.pg_class'::regclass)");
        assertThat(lines.toString()).contains("pg_class").contains(pgClass);
    }

    private static void compare(String path, byte[] stored, byte[] live, CommittedBackup backup) {
        assertThat(stored.length).as(path).isEqualTo(live.length);
        int block = BackupDetails.read(backup.details()).layout().blockSize();
        PageMask mask = new PageMask(block);
        for (int at = 0; at < live.length; at += block) {
            assertThat(mask.compare(stored, at, live, at, at / block))
                    .as(path + " block " + at / block)
                    .isNotEqualTo(PageMask.Difference.DIFFERENT);
        }
    }

    private static byte[] pages(SegmentMap map, PackReader packs) {
        int block = map.blockSizeBytes();
        byte[] content = new byte[map.pageCount() * block];
        for (int i = 0; i < map.frames().size(); i++) {
            int index = i;
            packs.readAll(
                    List.of(map.frames().get(i).ref()),
                    (_, frame) -> {
                        int[] blocks = PageList.read("test", frame.meta()).blocks();
                        for (int n = 0; n < blocks.length; n++) {
                            if (blocks[n] < map.pageCount() && map.frameOf()[blocks[n]] == index) {
                                System.arraycopy(
                                        frame.payload(),
                                        n * block,
                                        content,
                                        blocks[n] * block,
                                        block);
                            }
                        }
                    });
        }
        return content;
    }

    @Override
    public void close() {
        archiver.close();
        repository.close();
    }
}
