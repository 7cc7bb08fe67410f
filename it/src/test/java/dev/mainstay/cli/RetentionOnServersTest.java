package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The commands that let backups go, on a real cluster: what is left can be restored, and backups
/// go on from it.
class RetentionOnServersTest {
    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void whatIsLeftAfterExpireAndPruneIsWhole(int major) throws IOException {
        ClusterOptions options = ClusterOptions.standard().withWalSegmentMib(1);
        try (TestCluster cluster = TestCluster.create(major, options);
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            site.configure(
                    site.source("orders", cluster.port())
                            + "    retention: { full: { count: 0 }, incremental: { count: 1 } }\n");
            try (CommandSite.Receiving _ = site.receive()) {
                cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 30000) AS n");
                String full = backup(site);
                cluster.sql("UPDATE t SET n = n + 1 WHERE n < 20000");
                String middle = backup(site);
                cluster.sql("UPDATE t SET n = n + 1");
                cluster.sql("VACUUM FULL t");
                String newest = backup(site);
                long before = packBytes(site);
                site.run("prune", "--yes").exits(0).says("packs:");
                assertThat(packBytes(site)).isEqualTo(before);
                site.run("backups", "hold", middle, "--reason", "an audit").exits(0);
                site.run("expire", "orders", "--plan").exits(0).says("1 backup would go");
                site.run("expire", "orders", "--yes").exits(0).says("1 backup removed", full);
                site.run("backups", "release", middle).exits(0);
                String firstNeeded = firstNeeded(site, middle);
                site.run("expire", "orders", "--plan")
                        .exits(0)
                        .says("WAL that nothing needs then, and that 'mainstay prune' frees:");
                site.run("expire", "orders", "--yes").exits(0).says("1 backup removed", middle);
                assertThat(packBytes(site)).isEqualTo(before);
                site.run("prune", "--plan").exits(0).says("would be removed");
                assertThat(site.run("prune").exits(1).err()).contains("MS-0406");
                assertThat(packBytes(site)).isEqualTo(before);
                site.run("prune", "--yes").exits(0).says("removed");
                assertThat(packBytes(site)).isLessThan(before);
                demandFreed(site, firstNeeded);
                site.run("expire", "--plan", "--output", "json")
                        .exits(0)
                        .says("\"walFreedByPrune\":[]");
                site.run("verify").exits(0);
                site.run("backups").exits(0).says(newest);
                cluster.sql("INSERT INTO t SELECT generate_series(1, 500)");
                backup(site);
                site.run("prune", "--yes", "--output", "json")
                        .exits(0)
                        .says("\"packs\":0", "\"packsLeft\":");
                site.run("verify").exits(0);
            }
            site.run("restore", "orders", "--to", site.path("restored").toString(), "--yes")
                    .exits(0);
            assertThat(site.path("restored").resolve("global/pg_control")).exists();
        }
    }

    private static String backup(CommandSite site) {
        return site.run("backup", "orders", "--output", "json")
                .exits(0)
                .out()
                .replaceAll("(?s).*\"backup\":\"([^\"]+)\".*", "$1");
    }

    /// The segment in which a backup begins.
    private static String firstNeeded(CommandSite site, String backup) {
        String label = site.run("backups", "show", backup, "--output", "json").exits(0).out();
        String lsn = label.replaceAll("(?s).*\"startLsn\":\"([^\"]+)\".*", "$1");
        return WalSegment.containing(TimelineId.of(1), Lsn.parse(lsn), 1 << 20).fileName();
    }

    /// A recovery is not told that it is absent.
    private static void demandFreed(CommandSite site, String segment) {
        assertThat(
                        site.run(
                                        "wal",
                                        "get",
                                        segment,
                                        site.path("fetched").toString(),
                                        "--source",
                                        "orders")
                                .exits(Exits.FAILED)
                                .err())
                .contains("[MS-0713] WAL segment " + segment + " was freed by retention");
    }

    private static long packBytes(CommandSite site) throws IOException {
        long bytes = 0;
        try (Stream<Path> files = Files.walk(site.path("repository").resolve("packs"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
        }
        return bytes;
    }
}
