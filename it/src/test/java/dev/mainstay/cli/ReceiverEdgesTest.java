package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.cli.CommandSite.Answer;
import dev.mainstay.cli.CommandSite.Receiving;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/// What an operator meets around `wal receive`.
class ReceiverEdgesTest {
    static List<Integer> versions() {
        return Versions.selectedElse(15);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aCatalogThatWasRewrittenBeforeAnythingWasReceivedIsKnownFromTheBackup(int major)
            throws Exception {
        try (TestCluster cluster = TestCluster.create(major, ClusterOptions.standard());
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            cluster.sql(
                    "CREATE TABLE lost AS SELECT generate_series(1, 100) AS i",
                    "CREATE TABLE emptied AS SELECT generate_series(1, 100) AS i",
                    "VACUUM FULL pg_class");
            try (Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0);
                cluster.sql("DROP TABLE lost", "TRUNCATE emptied");
                Await.until(
                        "the part with the drop to be stored",
                        () -> site.run("wal", "timeline", "orders").out().contains("emptied"));
                site.run("wal", "timeline", "orders")
                        .says("dropped public.lost of postgres")
                        .says("truncated public.emptied of postgres");
                cluster.sql("SELECT pg_switch_wal()", "SELECT pg_switch_wal()");
                cluster.sql("CREATE TABLE more AS SELECT 1 AS i", "SELECT pg_switch_wal()");
                site.run("backup", "orders").exits(0);
            }
            site.run("wal", "timeline", "orders")
                    .says("dropped public.lost of postgres")
                    .says("truncated public.emptied of postgres");
            site.run("verify").exits(0);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aBackupSaysAtOnceThatNobodyReceivesAndWaitsForAReceiverThatStarts(int major)
            throws Exception {
        try (TestCluster cluster = TestCluster.create(major, ClusterOptions.standard());
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            String segment = cluster.value("SELECT pg_walfile_name(pg_current_wal_lsn())");
            Answer alone = site.run("backup", "orders", "--archive-timeout", "1").exits(1);
            assertThat(alone.err())
                    .contains("[MS-0604] nobody stores the WAL of orders")
                    .contains("there is no replication slot mainstay_orders either")
                    .contains("HINT: start: mainstay wal receive orders");
            assertThat(cluster.value("SELECT pg_walfile_name(pg_current_wal_lsn())"))
                    .as("nothing was begun on the server")
                    .isEqualTo(segment);

            CompletableFuture<Answer> early =
                    CompletableFuture.supplyAsync(() -> site.run("backup", "orders"));
            Await.until(
                    "the backup to look for a receiver",
                    () ->
                            cluster.value(
                                            "SELECT count(*) FROM pg_stat_activity WHERE"
                                                    + " application_name = 'mainstay backup'")
                                    .equals("1"));
            try (Receiving _ = site.receive()) {
                early.join().exits(0);
            }
            Answer left = site.run("backup", "orders", "--archive-timeout", "1").exits(1);
            assertThat(left.err())
                    .contains("MS-0604")
                    .contains("the server keeps WAL for replication slot mainstay_orders")
                    .contains("start: mainstay wal receive orders");
        }
    }
}
