package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.s3.S3Server;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The story of one cluster with its repository in S3Proxy, by command lines.
final class S3RepositoryTest {
    @TempDir Path objects = Path.of("");

    @Test
    void aClusterIsKeptInS3AndComesBack() throws Exception {
        try (S3Server server = S3Server.start(objects);
                TestCluster cluster =
                        TestCluster.create(15, ClusterOptions.standard().withWalSegmentMib(1));
                CommandSite site = CommandSite.of(cluster)) {
            server.makeBucket("backups");
            site.grant();
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 20000) AS i");
            configure(site, server, server.secretAccessKey());
            site.run("init").exits(0);
            assertThat(site.run("init").exit()).as("there is one now").isEqualTo(1);
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0).says("full");
                cluster.sql("UPDATE t SET i = -i WHERE i < 100");
                site.run("backup", "orders").exits(0).says("incremental");
            }
            site.run("backups", "orders").exits(0).says("full", "incremental");
            site.run("verify").exits(0);
            pushAndGet(cluster, site);
            Path to = site.path("restored");
            site.run("restore", "orders", "--to", to.toString(), "--target", "immediate", "--yes")
                    .exits(0);
            assertThat(to.resolve("PG_VERSION")).content().startsWith("15");
            assertThat(kept("probe")).as("what init asked with is gone").isZero();
            assertThat(kept("packs")).isPositive();
            configure(site, server, "wrong");
            CommandSite.Answer refused = site.run("backups").exits(1);
            assertThat(refused.err()).contains("MS-0104", "secret-access-key");
        }
    }

    private static void pushAndGet(TestCluster cluster, CommandSite site) throws IOException {
        String segment = cluster.value("SELECT pg_walfile_name(pg_current_wal_lsn())");
        cluster.sql("SELECT pg_switch_wal()");
        String config = site.path("mainstay.yaml").toString();
        site.runIn(cluster.dataDirectory(), "--config", config, "wal", "push", "pg_wal/" + segment)
                .exits(Exits.OK);
        Path got = site.path("got");
        site.run("wal", "get", segment, got.toString()).exits(Exits.OK);
        assertThat(Files.size(got)).isEqualTo(1 << 20);
        site.run("wal", "get", "0000000100000009000000AA", got.toString())
                .exits(Exits.PROVED_ABSENT);
    }

    private long kept(String folder) throws IOException {
        Path below = objects.resolve("backups/some/where").resolve(folder);
        if (!Files.exists(below)) {
            return 0;
        }
        try (Stream<Path> all = Files.walk(below)) {
            return all.filter(Files::isRegularFile).count();
        }
    }

    private static void configure(CommandSite site, S3Server server, String secret)
            throws IOException {
        Files.writeString(
                site.path("mainstay.yaml"),
                """
                repository:
                  url: s3://backups/some/where
                  endpoint: %s
                  allow-http: true
                  path-style: true
                  access-key-id: %s
                  secret-access-key: %s
                  key: { file: %s }
                  compression: zstd:1
                sources:
                """
                                .formatted(
                                        server.endpoint(),
                                        S3Server.ACCESS_KEY_ID,
                                        secret,
                                        site.path("s3.key"))
                        + site.source("orders", site.cluster.port()));
    }
}
