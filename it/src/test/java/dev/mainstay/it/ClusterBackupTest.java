package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// A backup of a live cluster holds what the cluster's files held.
class ClusterBackupTest {
    static List<Integer> versions() {
        return Versions.selected();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void fullAndIncrementalHoldTheFilesOfAClusterAtRest(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                BackupSite site = new BackupSite(cluster)) {
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
                BackupSite site = new BackupSite(cluster)) {
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
                BackupSite site = new BackupSite(cluster)) {
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
}
