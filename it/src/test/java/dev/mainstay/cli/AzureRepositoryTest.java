package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.azure.Azurite;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The story of one cluster with its repository in Azurite, a copy of it on disk and one in another
/// container, by command lines.
final class AzureRepositoryTest {
    private static final String CONTAINER = "backups";
    private static final String COPIES = "copies";

    @Test
    void aClusterIsKeptInAzureAndComesBack() throws Exception {
        try (Azurite server = Azurite.start();
                TestCluster cluster =
                        TestCluster.create(15, ClusterOptions.standard().withWalSegmentMib(1));
                CommandSite site = CommandSite.of(cluster)) {
            server.makeContainer(CONTAINER);
            server.makeContainer(COPIES);
            site.grant();
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 20000) AS i");
            configure(site, server, "account-key: " + server.accountKey());
            site.run("init").exits(0);
            assertThat(site.run("init").exit()).as("there is one now").isEqualTo(1);
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0).says("full");
                cluster.sql("UPDATE t SET i = -i WHERE i < 100");
                site.run("backup", "orders").exits(0).says("incremental");
                cluster.sql("UPDATE t SET i = i + 1");
                cluster.sql("VACUUM FULL t");
                site.run("backup", "orders").exits(0);
            }
            site.run("backups", "orders").exits(0).says("full", "incremental");
            site.run("verify").exits(0).says("readable, complete");
            site.run("copy").exits(0).says("copied: ");
            site.run("expire", "orders", "--yes").exits(0).says("removed");
            site.run("prune", "--yes").exits(0).says("removed");
            site.run("verify").exits(0);
            for (String from : new String[] {"disk", "elsewhere"}) {
                site.run("verify", "--from", from).exits(0);
                restored(site, "from-" + from, "--from", from);
            }
            restored(site, "original");
            assertThat(server.count(CONTAINER, "some/where/probe/")).isZero();
            assertThat(server.count(CONTAINER, "some/where/packs/")).isPositive();
            others(site, server);
        }
    }

    private static void restored(CommandSite site, String folder, String... more) {
        Path to = site.path(folder);
        String[] command = {"restore", "orders", "--to", to.toString(), "--yes"};
        String[] all = new String[command.length + more.length];
        System.arraycopy(command, 0, all, 0, command.length);
        System.arraycopy(more, 0, all, command.length, more.length);
        site.run(all).exits(0);
        assertThat(to.resolve("PG_VERSION")).content().startsWith("15");
    }

    /// Who reads only, and who is not known.
    private static void others(CommandSite site, Azurite server) throws IOException {
        configure(site, server, "sas-token: \"" + server.sas(CONTAINER, "rl") + "\"");
        site.run("backups", "orders").exits(0).says("incremental");
        CommandSite.Answer refused = site.run("backup", "orders").exits(1);
        assertThat(refused.err()).contains("MS-0104", "rlcd");
        configure(site, server, "account-key: d3Jvbmc=");
        assertThat(site.run("backups").exits(1).err()).contains("MS-0104", "account-key");
    }

    private static void configure(CommandSite site, Azurite server, String login)
            throws IOException {
        String reached = "endpoint: \"%s\", allow-http: true, ".formatted(server.endpoint());
        Files.writeString(
                site.path("mainstay.yaml"),
                """
                repository:
                  url: az://%s/%s/some/where
                  endpoint: %s
                  allow-http: true
                  %s
                  key: { file: %s }
                  compression: zstd:1
                retention: { full: { count: 0 }, incremental: { count: 1 } }
                copies:
                  disk: { url: "file://%s" }
                  elsewhere: { url: "az://%s/%s", %s account-key: "%s" }
                sources:
                """
                                .formatted(
                                        Azurite.ACCOUNT,
                                        CONTAINER,
                                        server.endpoint(),
                                        login,
                                        site.path("azure.key"),
                                        site.path("copy"),
                                        Azurite.ACCOUNT,
                                        COPIES,
                                        reached,
                                        server.accountKey())
                        + site.source("orders", site.cluster.port()));
    }
}
