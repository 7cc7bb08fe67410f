package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.Changes;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/// Incrementals of which only what changed travels hold the files of the cluster, and restore.
class StreamedIncrementalTest {
    private static final ClusterBackup.Request.Type AUTO = ClusterBackup.Request.Type.AUTO;
    private static final int PAGE = 8192;

    static Stream<Integer> versions() {
        return Versions.selected().stream().filter(major -> major >= 17);
    }

    static ClusterOptions summarizing() {
        return RestoreSite.archiving().with("summarize_wal", "on").with("autovacuum", "off");
    }

    private static void byTheServer(CommittedBackup backup) {
        assertThat(backup.type()).isEqualTo("incremental");
        assertThat(BackupDetails.method(backup.details())).isEqualTo(BackupDetails.STREAMED);
        assertThat(Changes.read(backup.details())).get().isInstanceOf(Changes.FromWal.class);
    }

    private static long received(CommittedBackup backup) {
        return BackupDetails.received(backup.details()).orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void onlyWhatChangedTravelsAndNothingIsMissing(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, summarizing());
                RestoreSite on = new RestoreSite(cluster);
                Workload workload = Workload.of(cluster, 41)) {
            Path space = cluster.home().directory("space");
            cluster.sql(
                    "CREATE TABLESPACE space LOCATION '" + space + "'",
                    "CREATE TABLE apart (n int, t text) TABLESPACE space",
                    "INSERT INTO apart SELECT n, md5(n::text) FROM generate_series(1, 40000) n",
                    "CREATE UNLOGGED TABLE fleeting AS SELECT generate_series(1, 20000) n",
                    "CREATE TABLE large AS SELECT n, repeat('x', 500) AS filler"
                            + " FROM generate_series(1, 60000) AS n",
                    "CREATE INDEX ON large (n)",
                    "CREATE TABLE gone AS SELECT generate_series(1, 9000) n",
                    "CREATE TABLE emptied AS SELECT generate_series(1, 9000) n",
                    "CREATE TABLE shrunk AS SELECT generate_series(1, 90000) n");
            workload.run(30);
            CommittedBackup full = on.site.backUpStreamed(AUTO).backup();
            assertThat(full.type()).isEqualTo("full");

            cluster.sql(
                    "UPDATE large SET filler = 'y' WHERE n % 9000 = 5",
                    "UPDATE apart SET t = 'changed' WHERE n = 7",
                    "INSERT INTO fleeting VALUES (0)",
                    "DROP TABLE gone",
                    "TRUNCATE emptied",
                    "INSERT INTO emptied VALUES (1)",
                    "DELETE FROM shrunk WHERE n > 30000",
                    "VACUUM shrunk",
                    "CREATE DATABASE logged STRATEGY wal_log",
                    "CREATE DATABASE copied STRATEGY file_copy");
            cluster.sqlIn("copied", "CREATE TABLE here AS SELECT generate_series(1, 3000) n");
            cluster.sql("CHECKPOINT");
            CommittedBackup first = on.site.backUpStreamed(AUTO).backup();
            byTheServer(first);
            on.site.compareWithFiles(first);

            cluster.sqlIn("copied", "UPDATE here SET n = 0 WHERE n = 77");
            cluster.sql(
                    "INSERT INTO shrunk SELECT generate_series(1, 50000)",
                    "UPDATE large SET filler = 'z' WHERE n = 100");
            workload.run(10);
            cluster.sql("CHECKPOINT");
            CommittedBackup second = on.site.backUpStreamed(AUTO).backup();
            byTheServer(second);
            on.site.compareWithFiles(second);
            assertThat(received(second)).isLessThan(received(full) / 4);
            assertThat(second.details().string("backupLabel")).doesNotContain("INCREMENTAL");
            System.out.printf(
                    "PostgreSQL %d: received %,d bytes for the full, %,d and %,d for"
                            + " incrementals%n",
                    major, received(full), received(first), received(second));

            ContentDigest content = ContentDigest.of(cluster);
            on.archive(cluster);
            restores(on, content, Map.of(space.toString(), on.home.path() + "/moved"));
            // Backups of files and of streams build on each other.
            cluster.sql("UPDATE large SET filler = 'w' WHERE n = 200", "CHECKPOINT");
            CommittedBackup local = on.site.backUp(AUTO).backup();
            assertThat(local.statistics().number("pages-stored")).isLessThan(2000);
            cluster.sql("UPDATE large SET filler = 'v' WHERE n = 300", "CHECKPOINT");
            CommittedBackup third = on.site.backUpStreamed(AUTO).backup();
            byTheServer(third);
            on.site.compareWithFiles(third);
        }
    }

    private static void restores(RestoreSite on, ContentDigest content, Map<String, String> spaces)
            throws Exception {
        on.tablespaces = spaces;
        try (TestCluster restored =
                on.wish("restored-" + spaces.size(), new RestoreTarget.Latest()).recovered()) {
            assertThat(content.differencesAfterRecovery(ContentDigest.of(restored))).isEmpty();
            assertThat(StructureJudge.judge(restored)).isEmpty();
        }
    }

    /// A table is truncated by VACUUM and grows again by a bulk load, which leaves pages of zeros
    /// at its end that no WAL names. Servers up to at least 17.11 and 18.6 leave these out of what
    /// they send, as if they were unchanged; there they have rows that are gone.
    @ParameterizedTest
    @MethodSource("versions")
    void pagesThatWereCutOffAndNeverWrittenAgainAreZeros(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, summarizing());
                RestoreSite on = new RestoreSite(cluster)) {
            cluster.sql(
                    "CREATE TABLE t (n int)",
                    "INSERT INTO t SELECT generate_series(1, 90000)",
                    "CHECKPOINT");
            Path file =
                    cluster.dataDirectory()
                            .resolve(cluster.value("SELECT pg_relation_filepath('t')"));
            long before = Files.size(file) / PAGE;
            on.site.backUpStreamed(AUTO);
            Path rows = cluster.home().path().resolve("rows");
            Files.writeString(rows, "1000000\n".repeat(20_000));
            cluster.sql(
                    "DELETE FROM t WHERE n > 40000",
                    "VACUUM (TRUNCATE) t",
                    "COPY t FROM '" + rows + "'",
                    "CHECKPOINT");
            byte[] now = Files.readAllBytes(file);
            int zeros = 0;
            for (int page = 0; page < Math.min(before, now.length / PAGE); page++) {
                zeros += isZero(now, page) ? 1 : 0;
            }
            assertThat(zeros).as("pages of zeros where there were rows").isPositive();
            ContentDigest content = ContentDigest.of(cluster);
            CommittedBackup backup = on.site.backUpStreamed(AUTO).backup();
            byTheServer(backup);
            on.site.compareWithFiles(backup);
            on.archive(cluster);
            restores(on, content, Map.of());
        }
    }

    private static boolean isZero(byte[] file, int page) {
        for (int at = page * PAGE; at < (page + 1) * PAGE; at++) {
            if (file[at] != 0) {
                return false;
            }
        }
        return true;
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aStandbySendsWhatChangedAndGoesOnWhenItIsPromoted(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, summarizing());
                RestoreSite on = new RestoreSite(cluster);
                TestCluster standby = cluster.standby("second", Map.of())) {
            cluster.sql(
                    "CREATE TABLE t AS SELECT n, repeat('x', 300) f"
                            + " FROM generate_series(1, 40000) n",
                    "CHECKPOINT");
            ClusterBackup.Result full = ofStandby(on, standby);
            assertThat(full.backup().type()).isEqualTo("full");
            cluster.sql("UPDATE t SET f = 'y' WHERE n % 1000 = 0", "CHECKPOINT");
            CommittedBackup next = ofStandby(on, standby).backup();
            assertThat(BackupDetails.from(next.details())).isEqualTo("standby");
            byTheServer(next);
            assertThat(received(next)).isLessThan(received(full.backup()) / 2);
            ContentDigest content = ContentDigest.of(cluster);
            on.archive(cluster);
            restores(on, content, Map.of());

            cluster.sql("UPDATE t SET f = 'z' WHERE n % 999 = 0");
            cluster.awaitReplay(standby);
            cluster.stop();
            on.site.stopArchiving();
            standby.promote();
            standby.sql("UPDATE t SET f = 'w' WHERE n % 998 = 0", "CHECKPOINT");
            try (BackupSite moved = on.site.movedTo(standby)) {
                CommittedBackup after = moved.backUpStreamed(AUTO).backup();
                byTheServer(after);
                assertThat(BackupDetails.read(after.details()).timeline().value()).isEqualTo(2);
                moved.compareWithFiles(after);
            }
        }
    }

    private static ClusterBackup.Result ofStandby(RestoreSite on, TestCluster standby) {
        return on.site
                .ofStandby(standby, true, true, Progress.none())
                .run(BackupSite.request(AUTO));
    }
}
