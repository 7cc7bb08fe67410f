package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.engine.Progress;
import dev.mainstay.it.BackupSite;
import dev.mainstay.repository.BegunBackup;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.format.Json;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/// A backup goes on from where another one was stopped or killed, and holds what the files hold.
class ResumeTest {
    private static final ClusterBackup.Request.Type AUTO = ClusterBackup.Request.Type.AUTO;
    private static final int TABLES = 12;
    private static final long MANY_BYTES = 8L << 20;

    static List<Integer> versions() {
        return Versions.selected();
    }

    private static TestCluster cluster(int major) {
        TestCluster cluster =
                TestCluster.create(
                        major,
                        ClusterOptions.standard()
                                .with("archive_mode", "on")
                                .with("archive_command", "false")
                                .with("autovacuum", "off"));
        for (int i = 0; i < TABLES; i++) {
            cluster.sql(
                    "CREATE TABLE t%d AS SELECT n, md5(n::text || random()) || md5(random()::text) AS v FROM generate_series(1, 60000) AS n"
                            .formatted(i));
        }
        cluster.sql("CHECKPOINT");
        return cluster;
    }

    /// Ends a backup when it has gone through so many bytes.
    private static final class Ending implements Progress {
        private final List<String> notes = new ArrayList<>();
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
        public synchronized void note(String line) {
            notes.add(line);
        }

        @Override
        public void end() {}
    }

    private static void stop(BackupSite site, long afterBytes) {
        Ending ending = new Ending(afterBytes);
        assertThatThrownBy(() -> site.backup(10, ending).run(BackupSite.request(AUTO)))
                .hasStackTraceContaining("the end");
        assertThat(ending.notes).anyMatch(note -> note.contains("the next one goes on from there"));
    }

    private static List<Json> resumed(CommittedBackup backup) {
        return backup.details().has("resumed") ? backup.details().objects("resumed") : List.of();
    }

    private static long number(CommittedBackup backup, String name) {
        return backup.statistics().number(name);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void whatWasStoredAndDidNotChangeIsNotReadAgain(int major) throws Exception {
        try (TestCluster cluster = cluster(major);
                BackupSite site = new BackupSite(cluster)) {
            stop(site, 60L << 20);
            cluster.sql(
                    "UPDATE t3 SET v = 'changed' WHERE n % 50 = 0",
                    "DROP TABLE t4",
                    "TRUNCATE t5",
                    "DELETE FROM t6 WHERE n > 30000",
                    "VACUUM t6",
                    "CHECKPOINT");
            CommittedBackup full = site.backUp(AUTO).backup();
            assertThat(full.type()).isEqualTo("full");
            assertThat(resumed(full)).hasSize(1);
            assertThat(resumed(full).getFirst().has("from")).isTrue();
            assertThat(number(full, "bytes-resumed")).isGreaterThan(MANY_BYTES);
            assertThat(number(full, "bytes-read"))
                    .isLessThan(number(full, "bytes") - MANY_BYTES / 2);
            site.compareWithFiles(full);
            assertThat(site.source().begunBackups()).isEmpty();

            for (int i = 7; i < TABLES; i++) {
                cluster.sql("UPDATE t%d SET v = md5(v) || md5(random()::text)".formatted(i));
            }
            cluster.sql("CHECKPOINT");
            stop(site, 60L << 20);
            stop(site, 70L << 20);
            cluster.sql("UPDATE t7 SET v = 'x' WHERE n % 100 = 0", "CHECKPOINT");
            CommittedBackup incremental = site.backUp(AUTO).backup();
            assertThat(incremental.type()).isEqualTo("incremental");
            assertThat(resumed(incremental)).isNotEmpty();
            site.compareWithFiles(incremental);

            CommittedBackup verified =
                    site.backup(10)
                            .run(
                                    new ClusterBackup.Request(
                                            AUTO,
                                            BackupSite.request(AUTO).archiveTimeout(),
                                            BackupSite.request(AUTO).waiter(),
                                            true))
                            .backup();
            site.compareWithFiles(verified);
        }
    }

    /// One that may be running is not taken over; and after a later full one it is of no use.
    @Test
    void oneThatMayBeRunningIsLeftAlone() throws Exception {
        try (TestCluster cluster = cluster(Versions.NEWEST);
                BackupSite site = new BackupSite(cluster)) {
            stop(site, 60L << 20);
            BegunBackup stopped = site.source().begunBackups().getFirst();
            site.loseSlot(stopped.id()); // as if it had been killed
            try (Connection other = cluster.connect();
                    Statement statement = other.createStatement()) {
                statement.execute("SET application_name = '" + ClusterBackup.APPLICATION + "'");
                CommittedBackup alone = site.backUp(AUTO).backup();
                assertThat(resumed(alone)).isEmpty();
                site.compareWithFiles(alone);
            }
            assertThat(site.source().begunBackups())
                    .extracting(BegunBackup::givenUp)
                    .containsExactly(false);
            CommittedBackup full = site.backUp(ClusterBackup.Request.Type.FULL).backup();
            assertThat(resumed(full)).isEmpty();
        }
    }

    @Test
    void aKilledOneIsTakenOverOnceItsSessionHasEnded() throws Exception {
        try (TestCluster cluster = cluster(Versions.NEWEST);
                BackupSite site = new BackupSite(cluster)) {
            stop(site, 60L << 20);
            site.loseSlot(site.source().begunBackups().getFirst().id());
            CommittedBackup full = site.backUp(AUTO).backup();
            assertThat(resumed(full)).hasSize(1);
            site.compareWithFiles(full);
        }
    }
}
