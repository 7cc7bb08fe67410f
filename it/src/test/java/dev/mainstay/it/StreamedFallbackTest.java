package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.Changes;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// Whatever keeps a server from sending only what changed, or makes that unbelievable, has every
/// page come and compared, and the record says why.
class StreamedFallbackTest {
    private static final ClusterBackup.Request.Type AUTO = ClusterBackup.Request.Type.AUTO;

    /// What a summary of nothing is: a magic number, a relation of zeros as the last one, CRC-32C.
    private static final int SUMMARY_MAGIC = 0x652b137b;

    private static String reason(CommittedBackup backup) {
        assertThat(backup.type()).isEqualTo("incremental");
        assertThat(BackupDetails.method(backup.details())).isEqualTo(BackupDetails.STREAMED);
        Changes changes = Changes.read(backup.details()).orElseThrow();
        assertThat(changes).isInstanceOf(Changes.Unknown.class);
        return ((Changes.Unknown) changes).reason();
    }

    private static boolean isByTheServer(CommittedBackup backup) {
        return Changes.read(backup.details()).orElseThrow() instanceof Changes.FromWal;
    }

    private static TestCluster cluster() {
        TestCluster cluster =
                TestCluster.create(Versions.NEWEST, StreamedIncrementalTest.summarizing());
        cluster.sql("CREATE TABLE t AS SELECT n, 0 AS v FROM generate_series(1, 40000) n");
        return cluster;
    }

    /// Changes something, and takes the next backup, which has to hold the cluster's files.
    private static CommittedBackup next(TestCluster cluster, BackupSite site) throws Exception {
        cluster.sql("UPDATE t SET v = v + 1 WHERE n % 2000 = 1", "CHECKPOINT");
        CommittedBackup backup = site.backUpStreamed(AUTO).backup();
        site.compareWithFiles(backup);
        return backup;
    }

    @Test
    void anOldServerCannot() throws Exception {
        try (TestCluster cluster = TestCluster.create(15, RestoreSite.archiving());
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql("CREATE TABLE t AS SELECT n, 0 AS v FROM generate_series(1, 40000) n");
            site.backUpStreamed(AUTO);
            assertThat(reason(next(cluster, site)))
                    .isEqualTo(
                            "PostgreSQL 15 sends every page over the replication protocol, 17 and"
                                    + " later can send what changed");
        }
    }

    @Test
    void aServerWithoutSummariesIsNotAskedAndOneThatLostThemRefuses() throws Exception {
        try (TestCluster cluster = cluster();
                BackupSite site = new BackupSite(cluster)) {
            site.backUpStreamed(AUTO);
            assertThat(isByTheServer(next(cluster, site))).isTrue();

            cluster.configure(Map.of("summarize_wal", "off"));
            cluster.reload();
            Await.until("the setting", () -> cluster.value("SHOW summarize_wal").equals("off"));
            assertThat(reason(next(cluster, site)))
                    .isEqualTo(
                            "summarize_wal is off in the server, which therefore sends every page");

            cluster.configure(Map.of("summarize_wal", "on"));
            cluster.reload();
            cluster.sql("CHECKPOINT");
            Await.until("the setting", () -> cluster.value("SHOW summarize_wal").equals("on"));
            site.backUpStreamed(AUTO);
            assertThat(isByTheServer(next(cluster, site))).isTrue();

            cluster.sql("UPDATE t SET v = v + 1 WHERE n % 3000 = 1");
            awaitSummaries(cluster);
            for (Path summary : summaries(cluster)) {
                Files.delete(summary);
            }
            assertThat(reason(next(cluster, site)))
                    .startsWith("the server does not send only what changed: WAL summaries are");
            assertThat(isByTheServer(next(cluster, site))).isTrue();
        }
    }

    private static void awaitSummaries(TestCluster cluster) {
        String position = cluster.value("SELECT pg_current_wal_insert_lsn()");
        cluster.sql("CHECKPOINT");
        Await.until(
                "summaries",
                () ->
                        cluster.value(
                                        "SELECT summarized_lsn >= '"
                                                + position
                                                + "' FROM pg_get_wal_summarizer_state()")
                                .equals("t"));
    }

    private static List<Path> summaries(TestCluster cluster) {
        try (Stream<Path> files = Files.list(cluster.dataDirectory().resolve("pg_wal/summaries"))) {
            return files.filter(each -> each.toString().endsWith(".summary")).toList();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /// The server believes summaries that name nothing, and sends nothing. The log knows better.
    @Test
    void summariesThatLackAChangeAreNoticed() throws Exception {
        try (TestCluster cluster = cluster();
                BackupSite site = new BackupSite(cluster)) {
            site.backUpStreamed(AUTO);
            cluster.sql("UPDATE t SET v = 7 WHERE n % 3000 = 1");
            awaitSummaries(cluster);
            byte[] nothing = summaryOfNothing();
            for (Path summary : summaries(cluster)) {
                Files.write(summary, nothing, StandardOpenOption.TRUNCATE_EXISTING);
            }
            assertThat(reason(next(cluster, site)))
                    .startsWith("the server's WAL summaries lack a change: page ")
                    .contains(" of base/")
                    .endsWith(", which the WAL names, did not come");
            assertThat(site.source().backups()).hasSize(2);
        }
    }

    private static byte[] summaryOfNothing() {
        ByteBuffer summary = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        summary.putInt(SUMMARY_MAGIC);
        CRC32C crc = new CRC32C();
        crc.update(summary.array(), 0, 28);
        return summary.putInt(28, (int) crc.getValue()).array();
    }

    /// The server would know, but nothing here could confirm it.
    @Test
    void aGapInTheLogOfTheRepositoryHasEveryPageCome() throws Exception {
        try (TestCluster cluster = cluster();
                BackupSite site = new BackupSite(cluster)) {
            CommittedBackup full = site.backUpStreamed(AUTO).backup();
            for (int i = 0; i < 5; i++) {
                cluster.sql("UPDATE t SET v = v + 1 WHERE n = " + i, "SELECT pg_switch_wal()");
            }
            site.archiveAndForget();
            WalSegment lost = BackupDetails.read(full.details()).stopSegment().next().next();
            site.stopArchiving();
            site.lose(lost);
            try (BackupSite again = site.movedTo(cluster)) {
                assertThat(reason(next(cluster, again)))
                        .startsWith("WAL ")
                        .containsAnyOf(
                                "segment " + lost + " is neither stored nor on the server",
                                " ends at ");
                assertThat(isByTheServer(next(cluster, again))).isTrue();
            }
        }
    }

    /// What the parent has of the unchanged pages is gone; that shows only while pages come.
    @Test
    void anEarlierBackupThatCannotServeIsNoticedMidway() throws Exception {
        try (TestCluster cluster = cluster();
                BackupSite site = new BackupSite(cluster)) {
            site.backUpStreamed(AUTO);
            ObjectStore store = site.source().repository().store();
            store.list("packs/fingerprints/", "", 100)
                    .objects()
                    .forEach(object -> store.delete(object.name()));
            assertThat(reason(next(cluster, site)))
                    .startsWith("what the earlier backup has of ")
                    .endsWith(" cannot be used");
            assertThat(site.source().backups()).hasSize(2);
            assertThat(isByTheServer(next(cluster, site))).isTrue();
        }
    }

    /// The server refuses the manifest of a backup of a future that it never had.
    @Test
    void aTimelineTheServerDoesNotKnowIsRefusedByIt() throws Exception {
        try (TestCluster cluster = cluster();
                BackupSite site = new BackupSite(cluster);
                TestCluster standby = cluster.standby("second", Map.of())) {
            cluster.awaitReplay(standby);
            standby.promote();
            standby.sql("UPDATE t SET v = 1 WHERE n > 9000", "CHECKPOINT");
            try (BackupSite moved = site.movedTo(standby)) {
                assertThat(moved.backUpStreamed(AUTO).backup().type()).isEqualTo("full");
            }
            assertThat(reason(next(cluster, site)))
                    .startsWith("the server does not send only what changed: timeline 2 found in")
                    .contains("not in this server's history");
        }
    }

    /// The server would go on from there: it looks at where the earlier backup begins only.
    @Test
    void aTimelineThatBeganBeforeTheEarlierBackupEndedHasEveryPageCome() throws Exception {
        try (TestCluster cluster = cluster();
                BackupSite site = new BackupSite(cluster);
                TestCluster standby = cluster.standby("second", Map.of())) {
            cluster.awaitReplay(standby);
            standby.promote();
            site.backUpStreamed(AUTO);
            cluster.stop();
            site.stopArchiving();
            try (BackupSite moved = site.movedTo(standby)) {
                assertThat(reason(next(standby, moved)))
                        .containsAnyOf(
                                ", before the earlier backup ended at ",
                                "the server does not send only what changed: ");
            }
        }
    }

    @Test
    void damagedPagesComeAgainAndOneOfSoManyBackupsReadsEverything() throws Exception {
        try (TestCluster cluster = cluster();
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql("CREATE TABLE hurt AS SELECT generate_series(1, 10000) n", "CHECKPOINT");
            Path file =
                    cluster.dataDirectory()
                            .resolve(cluster.value("SELECT pg_relation_filepath('hurt')"));
            byte[] good = Files.readAllBytes(file);
            byte[] bad = good.clone();
            bad[3 * 8192 + 4000] ^= 42;
            Files.write(file, bad);
            site.backUpStreamed(AUTO);
            ClusterBackup.Result second = site.backUpStreamed(AUTO);
            assertThat(isByTheServer(second.backup())).isTrue();
            assertThat(second.details().judgement().damagedPages())
                    .singleElement()
                    .satisfies(page -> assertThat(page.block()).isEqualTo(3));
            Files.write(file, good);
            ClusterBackup.Result third = site.backUpStreamed(AUTO);
            assertThat(isByTheServer(third.backup())).isTrue();
            assertThat(third.details().judgement().damagedPages()).isEmpty();
            site.compareWithFiles(third.backup());

            PostgresSettings settings = site.streaming();
            PostgresSettings often =
                    new PostgresSettings(
                            settings.url(),
                            settings.password(),
                            settings.dataDirectory(),
                            settings.receiver(),
                            2,
                            3);
            assertThat(
                            reason(
                                    site.backup(often, Progress.none())
                                            .run(BackupSite.request(AUTO))
                                            .backup()))
                    .isEqualTo("one of every 3 incrementals does");
            ClusterBackup.Request request = BackupSite.request(AUTO);
            assertThat(
                            reason(
                                    site.backup(settings, Progress.none())
                                            .run(
                                                    new ClusterBackup.Request(
                                                            AUTO,
                                                            request.archiveTimeout(),
                                                            request.waiter(),
                                                            true))
                                            .backup()))
                    .isEqualTo("what changed is to be verified");
        }
    }
}
