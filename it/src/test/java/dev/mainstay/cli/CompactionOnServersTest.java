package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Half of a real cluster changes, the old backup expires, and packs are compacted: restores, from
/// a copy as well, are the same byte for byte as before, and backups go on.
class CompactionOnServersTest {
    @Test
    void aRestoreAfterwardsIsThatOfBefore() throws IOException {
        ClusterOptions options = ClusterOptions.standard().withWalSegmentMib(1);
        try (TestCluster cluster = TestCluster.create(17, options);
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            configure(site);
            try (CommandSite.Receiving _ = site.receive()) {
                cluster.sql(
                        "CREATE TABLE kept AS SELECT n, md5(n::text) AS t"
                                + " FROM generate_series(1, 60000) AS n");
                cluster.sql(
                        "CREATE TABLE churn AS SELECT n, md5(n::text) || md5((-n)::text) AS t"
                                + " FROM generate_series(1, 250000) AS n");
                site.run("backup", "orders").exits(0);
                cluster.sql("UPDATE churn SET t = md5(t) || md5(t || 'x')");
                cluster.sql("VACUUM FULL churn");
                site.run("backup", "orders").exits(0).says("incremental");
                site.run("expire", "orders", "--yes").exits(0).says("1 backup removed");
                Map<String, Long> before = restored(site, "before");
                long bytes = packBytes(site);
                site.run("prune", "--plan").exits(0).says("packs compacted");
                assertThat(packBytes(site)).isEqualTo(bytes);
                site.run("prune", "--yes").exits(0).says("packs compacted");
                assertThat(packBytes(site)).isLessThan(bytes * 4 / 5);
                assertThat(site.path("repository").resolve("moved")).isNotEmptyDirectory();
                assertThat(restored(site, "after")).isEqualTo(before);
                site.run("verify").exits(0);
                site.run("verify", "--data", "0").exits(0);
                site.run("usage").exits(0);
                site.run("copy").exits(0);
                assertThat(restored(site, "from-copy", "--from", "disk")).isEqualTo(before);
                site.run("verify", "--from", "disk").exits(0);
                cluster.sql("UPDATE kept SET t = 'changed' WHERE n < 100");
                site.run("backup", "orders").exits(0).says("incremental");
                site.run("expire", "orders", "--yes").exits(0);
                site.run("prune", "--yes").exits(0);
                site.run("verify").exits(0);
                assertThat(restored(site, "later")).hasSizeGreaterThan(100);
            }
        }
    }

    private static void configure(CommandSite site) throws IOException {
        site.configure(
                site.source("orders", site.cluster.port())
                        + "    retention: { full: { count: 0 }, incremental: { count: 1 } }\n"
                        + "copies:\n  disk: { url: \"file://"
                        + site.path("copy")
                        + "\" }\nprune: { compact-below: 70%, older-than: 0s }\n");
    }

    /// The restored files of relations, by their names, with a hash of each.
    private static Map<String, Long> restored(CommandSite site, String name, String... more)
            throws IOException {
        Path to = site.path(name);
        String[] command =
                Stream.concat(
                                Stream.of("restore", "orders", "--to", to.toString(), "--yes"),
                                Stream.of(more))
                        .toArray(String[]::new);
        site.run(command).exits(0);
        Map<String, Long> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(to.resolve("base"))) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
                crc.update(Files.readAllBytes(file));
                files.put(to.relativize(file).toString(), crc.getValue());
            }
        }
        return files;
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
