package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ChangeReport;
import dev.mainstay.engine.backup.ClusterBackup.Request;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Path;
import java.util.List;

/// The judges of [IncrementalCampaignTest] find what they are there to find.
class IncrementalJudgesTest {
    private static final int BLOCK = 8192;

    @TempDir private Path folder;

    static List<Integer> versions() {
        return Versions.selectedElse(18);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aWrongPageIsFound(int major) {
        try (IncrementalSite site = site(major)) {
            TestCluster cluster = site.cluster();
            cluster.sql("CREATE TABLE t AS SELECT i, 'x' AS body FROM generate_series(1, 5000) i");
            String path = cluster.value("SELECT pg_relation_filepath('t')");
            site.settle();
            CommittedBackup full = site.backUp(Request.Type.FULL);
            try (FileTree right = site.files(full);
                    FileTree live = FileTree.of(cluster.dataDirectory())) {
                assertThat(FileJudge.compare(right, live).complaints()).isEmpty();
                byte[] file = right.content(path);

                byte[] hint = file.clone();
                hint[3 * BLOCK + 20] ^= 7; // pd_prune_xid
                FileJudge.Judgement masked = FileJudge.compare(right.with(path, hint), live);
                assertThat(masked.complaints()).isEmpty();
                assertThat(masked.masked()).isPositive();

                byte[] wrong = file.clone();
                wrong[4 * BLOCK - 3] ^= 1; // the first row of block 3
                assertThat(FileJudge.compare(right.with(path, wrong), live).complaints())
                        .singleElement()
                        .asString()
                        .startsWith(path + " block 3 (HEAP) differs from byte 8189 on");
                byte[] shorter = java.util.Arrays.copyOf(file, file.length - BLOCK);
                assertThat(FileJudge.compare(right.with(path, shorter), live).complaints())
                        .singleElement()
                        .asString()
                        .contains("bytes");
                assertThat(FileJudge.compare(right.without(path), live).complaints())
                        .singleElement()
                        .asString()
                        .startsWith(path + " is null");
            }
        }
    }

    /// What is written while the parent is copied, after its file was read, lies behind the
    /// parent's start and before its end.
    @ParameterizedTest
    @MethodSource("versions")
    void theLogHasToBeReadFromTheStartOfTheParentNotFromItsEnd(int major) {
        try (IncrementalSite site = site(major)) {
            TestCluster cluster = site.cluster();
            cluster.sql(
                    "CREATE TABLE t WITH (fillfactor = 50) AS SELECT i, 'x' AS body FROM"
                            + " generate_series(1, 200000) i");
            String path = cluster.value("SELECT pg_relation_filepath('t')");
            WhileCopying writes =
                    new WhileCopying(
                            () -> cluster.sql("UPDATE t SET body = 'y' WHERE i % 3000 = 0"));
            CommittedBackup parent = site.backUp(site.source, Request.Type.FULL, writes);
            assertThat(writes.done()).isTrue();
            cluster.sql("CREATE TABLE later AS SELECT 1"); // reading t would prune and log it
            site.settle();
            CommittedBackup child = site.backUp(Request.Type.INCREMENTAL);
            assertThat(site.compareWithCluster(child).complaints()).isEmpty();

            BackupDetails interval = BackupDetails.read(parent.details());
            assertThat(site.changes(parent, interval.startLsn(), child).missed()).isZero();
            ChangeReport fromTheEnd = site.changes(parent, interval.stopLsn(), child);
            assertThat(fromTheEnd.missed()).isPositive();
            assertThat(fromTheEnd.first())
                    .anySatisfy(page -> assertThat(page.path()).isEqualTo(path));
        }
    }

    private IncrementalSite site(int major) {
        return new IncrementalSite(major, ClusterOptions.standard(), folder);
    }

    /// Files are read in order of size, the largest first: does something once they are nearly all
    /// read, before the server is told that the backup ends.
    private static final class WhileCopying implements Progress {
        private final Runnable something;
        private long left = Long.MAX_VALUE;
        private boolean done;

        WhileCopying(Runnable something) {
            this.something = something;
        }

        synchronized boolean done() {
            return done;
        }

        @Override
        public synchronized void begin(String what, long totalBytes) {
            if (what.startsWith("backing up")) {
                left = totalBytes - totalBytes / 20;
            }
        }

        @Override
        public synchronized void advance(long bytes) {
            left -= bytes;
            if (!done && left < 0) {
                something.run();
                done = true;
            }
        }

        @Override
        public void note(String line) {}

        @Override
        public void end() {}
    }
}
