package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.postgres.cluster.ControlFile;
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
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A backup of a live cluster holds what the cluster's files held.
class ClusterBackupTest {
    static List<Integer> versions() {
        return Versions.selected();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void fullAndIncrementalHoldTheFilesOfAClusterAtRest(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                Site site = new Site(cluster)) {
            Workload workload = Workload.of(cluster, 7);
            workload.run(40);
            CommittedBackup full = site.backUp(ClusterBackup.Request.Type.AUTO).backup();
            assertThat(full.type()).isEqualTo("full");
            site.compareWithFiles(full);
            site.compareCatalog(full);
            workload.run(40);
            cluster.sql("CHECKPOINT");
            CommittedBackup incremental = site.backUp(ClusterBackup.Request.Type.AUTO).backup();
            assertThat(incremental.type()).isEqualTo("incremental");
            assertThat(incremental.statistics().number("pages-stored"))
                    .isLessThan(full.statistics().number("pages-stored"));
            site.compareWithFiles(incremental);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aDamagedPageIsReportedWithRelationFileAndBlock(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                Site site = new Site(cluster)) {
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 10000) AS n", "CHECKPOINT");
            String path = cluster.value("SELECT pg_relation_filepath('t')");
            try (FileChannel file =
                    FileChannel.open(
                            cluster.dataDirectory().resolve(path), StandardOpenOption.WRITE)) {
                file.write(java.nio.ByteBuffer.wrap(new byte[] {42, 43, 44}), 3 * 8192 + 4000);
            }
            ClusterBackup.Result result = site.backUp(ClusterBackup.Request.Type.FULL);
            assertThat(result.details().judgement().status()).isEqualTo("damaged-pages");
            assertThat(result.details().judgement().damagedPages())
                    .singleElement()
                    .satisfies(
                            page -> {
                                assertThat(page.path()).isEqualTo(path);
                                assertThat(page.block()).isEqualTo(3);
                            });
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aDeadArchiveEndsTheBackupBeforeAnythingIsCopied(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                Site site = new Site(cluster)) {
            site.archiver.close();
            assertThatThrownBy(() -> site.backUp(ClusterBackup.Request.Type.FULL))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            dead ->
                                    assertThat(dead.code())
                                            .isEqualTo(ErrorCode.BACKUP_ARCHIVE_DEAD));
            assertThat(site.source.backups()).isEmpty();
        }
    }

    private static ClusterOptions archiving() {
        return ClusterOptions.standard()
                .with("archive_mode", "on")
                .with("archive_command", "false");
    }

    /// A repository with one source, and what feeds its archive.
    static final class Site implements AutoCloseable {
        final TestCluster cluster;
        final Repository repository;
        final ProtectedSource source;
        final PgWalArchiver archiver;

        Site(TestCluster cluster) {
            this.cluster = cluster;
            MemoryStore store = MemoryStore.create();
            repository =
                    Repository.create(
                            store,
                            Optional.of(new Credential.KeyFile(new byte[32])),
                            Ground.ofThisHost());
            source = repository.sourceOrAdd("orders");
            ControlFile control = ControlFile.read(cluster.dataDirectory(), _ -> {});
            archiver =
                    new PgWalArchiver(
                            cluster,
                            source.wal(control.systemId(), 1),
                            control.layout().walSegmentSizeBytes());
        }

        ClusterBackup.Result backUp(ClusterBackup.Request.Type type) {
            PostgresSettings settings =
                    new PostgresSettings(
                            url(),
                            Optional.empty(),
                            Optional.of(cluster.dataDirectory()),
                            ReceiverSettings.defaults("orders"),
                            2);
            RepositorySettings storing =
                    new RepositorySettings("memory", Optional.empty(), true, 3, ByteSize.mib(8));
            return new ClusterBackup(
                            source,
                            storing,
                            settings,
                            ConnectionSpec.parse(url(), Map.of()),
                            Progress.none())
                    .run(
                            new ClusterBackup.Request(
                                    type,
                                    Duration.ofSeconds(5),
                                    Waiter.sleeping(Duration.ofMillis(10))));
        }

        private String url() {
            return "postgresql://"
                    + TestCluster.SUPERUSER
                    + "@127.0.0.1:"
                    + cluster.port()
                    + "/postgres";
        }

        void compareWithFiles(CommittedBackup backup) throws Exception {
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
                        assertThat(Arrays.equals(stored, live)).as(entry.path()).isTrue();
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
                                if (blocks[n] < map.pageCount()
                                        && map.frameOf()[blocks[n]] == index) {
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
}
