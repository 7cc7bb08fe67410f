package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.it.Program.Child;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.format.Json;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A backup over the replication protocol that was stopped or killed: all has to come again, but
/// what is stored is not stored twice.
class StreamedResumeTest {
    private static final ClusterBackup.Request.Type AUTO = ClusterBackup.Request.Type.AUTO;
    private static final long MANY_BYTES = 8L << 20;

    @TempDir private Path folder;

    /// Ends a backup when so many bytes came.
    private static final class Ending implements Progress {
        private long left;

        Ending(long bytes) {
            left = bytes;
        }

        @Override
        public void begin(String what, long totalBytes) {}

        @Override
        public synchronized void advance(long bytes) {
            left -= bytes;
            if (left < 0) {
                throw new IllegalStateException("the end");
            }
        }

        @Override
        public void note(String line) {}

        @Override
        public void end() {}
    }

    private static List<Json> resumed(CommittedBackup backup) {
        return backup.details().has("resumed") ? backup.details().objects("resumed") : List.of();
    }

    private static long number(CommittedBackup backup, String name) {
        return backup.statistics().number(name);
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void whatIsStoredIsNotStoredTwice(int major) throws Exception {
        try (TestCluster cluster =
                        TestCluster.create(
                                major, RestoreSite.archiving().with("autovacuum", "off"));
                BackupSite site = new BackupSite(cluster)) {
            for (int i = 0; i < 12; i++) {
                cluster.sql(
                        "CREATE TABLE t%d AS SELECT n, md5(n::text || random()) AS v FROM generate_series(1, 60000) AS n"
                                .formatted(i));
            }
            cluster.sql("CHECKPOINT");
            assertThatThrownBy(
                            () ->
                                    site.backup(site.streaming(), new Ending(60L << 20))
                                            .run(BackupSite.request(AUTO)))
                    .hasStackTraceContaining("the end");
            assertThat(site.source().begunBackups()).hasSize(1);
            cluster.sql(
                    "UPDATE t3 SET v = 'changed' WHERE n % 50 = 0",
                    "DROP TABLE t4",
                    "TRUNCATE t5",
                    "DELETE FROM t6 WHERE n > 30000",
                    "VACUUM t6",
                    "CHECKPOINT");
            CommittedBackup full = site.backUpStreamed(AUTO).backup();
            assertThat(full.type()).isEqualTo("full");
            assertThat(resumed(full)).hasSize(1);
            assertThat(number(full, "bytes-resumed")).isGreaterThan(MANY_BYTES);
            assertThat(number(full, "pages-stored") * 8192)
                    .isLessThan(number(full, "bytes") - MANY_BYTES / 2);
            site.compareWithFiles(full);
            assertThat(site.source().begunBackups()).isEmpty();
            assertThat(resumed(site.backUpStreamed(AUTO).backup())).isEmpty();
        }
    }

    /// By the program, and with SIGKILL.
    @Test
    void aKilledOneIsGoneOnFrom() throws Exception {
        try (KillSite site = new KillSite(Versions.NEWEST, folder, Optional.of(ByteSize.mib(24)));
                Connection sql = site.cluster.connect();
                Child receiver = site.program.start("wal", "receive", "orders")) {
            receiver.await("a slot", () -> site.slot().isPresent());
            for (int i = 0; i < 4; i++) {
                Workload.loadMiB(sql, 10);
                site.cluster.sql("ALTER TABLE loaded RENAME TO loaded_" + i);
            }
            try (Child backup = site.program.start("backup", "orders", "--type", "full")) {
                backup.await("something put down", () -> hasProgress(site.repository));
                assertThat(backup.kill()).isTrue();
            }
            assertThat(site.backups()).isEmpty();
            site.verify();
            site.program.run("backup", "orders", "--type", "full");
            CommittedBackup full = site.backups().getFirst();
            assertThat(BackupDetails.method(full.details())).isEqualTo(BackupDetails.STREAMED);
            assertThat(resumed(full)).hasSize(1);
            // It is killed when the first is put down, which may be little.
            assertThat(number(full, "bytes-resumed")).isPositive();
            site.verify();
            ContentDigest content = ContentDigest.of(site.cluster);
            KillSite.awaitStored(receiver, site.flushed());
            site.restoresAs(content);
            receiver.stop();
        }
    }

    private static boolean hasProgress(Path repository) throws IOException {
        if (!Files.exists(repository.resolve("progress"))) {
            return false;
        }
        try (Stream<Path> files = Files.walk(repository.resolve("progress"))) {
            return files.anyMatch(Files::isRegularFile);
        }
    }
}
