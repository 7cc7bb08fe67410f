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

/// The story of a repository on disk with a copy on another disk and one in S3Proxy, by command
/// lines.
final class CopyOnServersTest {
    @TempDir Path objects = Path.of("");

    @Test
    void aCopyTakesThePlaceOfARepositoryThatIsLost() throws Exception {
        try (S3Server server = S3Server.start(objects);
                TestCluster cluster =
                        TestCluster.create(15, ClusterOptions.standard().withWalSegmentMib(1));
                CommandSite site = CommandSite.of(cluster)) {
            server.makeBucket("backups");
            site.grant();
            configure(site, server);
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 20000) AS i");
            assertThat(site.run("backups", "--from", "disk").exits(1).err())
                    .contains("'mainstay copy disk' makes it");
            String segment;
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0);
                site.run("copy", "--plan").exits(0).says("missing: ", "disk", "cloud", "packs");
                assertThat(site.path("copy/format")).doesNotExist();
                site.run("copy").exits(0).says("copied: ");
                cluster.sql("UPDATE t SET i = -i WHERE i < 100");
                site.run("backup", "orders").exits(0).says("incremental");
                segment = cluster.value("SELECT pg_walfile_name(pg_current_wal_lsn() - 1)");
            }
            site.run("copy", "disk").exits(0).says("copied: ");
            site.run("copy", "disk").exits(0).says("nothing is missing", "BEHIND", "0 ms");
            site.run("copy").exits(0);
            assertThat(site.run("copy", "dusk").exits(2).err()).contains("did you mean 'disk'?");
            site.run("usage").exits(0).says("orders", "ALONE", "packs/base");
            assertThat(site.run("usage", "--quota", "much").exits(2).err()).contains("no size");
            for (String copy : new String[] {"disk", "cloud"}) {
                site.run("usage", "--quota", "1TiB", "--from", copy).exits(0).says("quota");
                site.run("verify", "--from", copy).exits(0).says("readable, complete");
                site.run("backups", "--from", copy).exits(0).says("full", "incremental");
            }
            assertThat(site.run("backups", "hold", "x", "--from", "disk").exits(2).err())
                    .contains("a copy is only read");
            Files.move(site.path("repository"), site.path("lost"));
            site.run("backups").exits(1);
            restored(site, "disk", segment);
            restored(site, "cloud", segment);
        }
    }

    @Test
    void aCopyOfSomeBackupsRestoresThoseAndListsNoOthers() throws Exception {
        try (TestCluster cluster =
                        TestCluster.create(15, ClusterOptions.standard().withWalSegmentMib(1));
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            site.configure(
                    site.source("orders", cluster.port())
                            + """
                                retention: { monthly: 12 }
                            copies:
                              archive: { url: "file://%s", keep: [monthly] }
                            """
                                    .formatted(site.path("copy")));
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 20000) AS i");
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0);
                site.run("copy").exits(0).says("copied: ");
                cluster.sql("UPDATE t SET i = -i WHERE i < 100");
                site.run("backup", "orders").exits(0).says("incremental");
            }
            site.run("copy").exits(0).says("REMOVED", "FREED");
            site.run("copy").exits(0).says("nothing is missing", "0 ms");
            String listed = site.run("backups", "--from", "archive").exits(0).out();
            assertThat(listed).contains("incremental").doesNotContain("full", "have it again");
            site.run("verify", "--from", "archive").exits(0).says("readable, complete");
            String ours = site.path("ours").toString();
            site.run("restore", "orders", "--to", ours, "--target", "immediate").exits(0);
            Files.move(site.path("repository"), site.path("lost"));
            String theirs = site.path("theirs").toString();
            site.run(
                            "restore",
                            "orders",
                            "--to",
                            theirs,
                            "--from",
                            "archive",
                            "--target",
                            "immediate")
                    .exits(0)
                    .says("WAL is stored without a gap");
            assertThat(LockedSite.content(site.path("theirs")))
                    .isEqualTo(LockedSite.content(site.path("ours")));
        }
    }

    private static void restored(CommandSite site, String copy, String segment) throws IOException {
        Path to = site.path("from-" + copy);
        site.run("restore", "orders", "--to", to.toString(), "--from", copy).exits(0);
        assertThat(to.resolve("PG_VERSION")).content().startsWith("15");
        assertThat(to.resolve("postgresql.auto.conf"))
                .content()
                .contains("wal get --source orders --from " + copy + " %f %p");
        Path got = site.path("got");
        site.run("wal", "get", "--from", copy, segment, got.toString()).exits(Exits.OK);
        assertThat(Files.size(got)).isEqualTo(1 << 20);
        Files.delete(got);
    }

    private static void configure(CommandSite site, S3Server server) throws IOException {
        site.configure(site.source("orders", site.cluster.port()));
        Files.writeString(
                site.path("mainstay.yaml"),
                Files.readString(site.path("mainstay.yaml"))
                        + """
                        copies:
                          disk: { url: "file://%s", max-rate: 1GiB }
                          cloud:
                            url: s3://backups/some/where
                            endpoint: %s
                            allow-http: true
                            path-style: true
                            access-key-id: %s
                            secret-access-key: %s
                        """
                                .formatted(
                                        site.path("copy"),
                                        server.endpoint(),
                                        S3Server.ACCESS_KEY_ID,
                                        server.secretAccessKey()));
    }
}
