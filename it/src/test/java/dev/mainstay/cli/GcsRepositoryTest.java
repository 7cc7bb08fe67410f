package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.GcsStub;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The story of one cluster with its repository in a stub of Google Cloud Storage, by command
/// lines: not proven against the service.
final class GcsRepositoryTest {
    @Test
    void aClusterIsKeptInGoogleCloudStorageAndComesBack() throws Exception {
        try (GcsStub server = new GcsStub("backups");
                TestCluster cluster =
                        TestCluster.create(15, ClusterOptions.standard().withWalSegmentMib(1));
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 20000) AS i");
            configure(site, server);
            site.run("init").exits(0);
            assertThat(site.run("init").exit()).as("there is one now").isEqualTo(1);
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0).says("full");
                cluster.sql("UPDATE t SET i = -i WHERE i < 100");
                site.run("backup", "orders").exits(0).says("incremental");
            }
            site.run("verify").exits(0).says("readable, complete");
            site.run("copy").exits(0).says("copied: ");
            Path to = site.path("restored");
            site.run("restore", "orders", "--to", to.toString(), "--yes").exits(0);
            assertThat(to.resolve("PG_VERSION")).content().startsWith("15");
            assertThat(server.objects().keySet())
                    .noneMatch(name -> name.startsWith("some/where/probe/"))
                    .anyMatch(name -> name.startsWith("some/where/packs/"));
            assertThat(server.requests())
                    .filteredOn(request -> request.method().equals("POST"))
                    .as("no put without its condition")
                    .isNotEmpty()
                    .allMatch(request -> "0".equals(request.query().get("ifGenerationMatch")));
        }
    }

    private static void configure(CommandSite site, GcsStub server) throws IOException {
        Files.writeString(
                site.path("mainstay.yaml"),
                """
                repository:
                  url: gs://backups/some/where
                  endpoint: %s
                  allow-http: true
                  anonymous: true
                  key: { file: %s }
                  compression: zstd:1
                copies:
                  disk: { url: "file://%s" }
                sources:
                """
                                .formatted(
                                        server.endpoint(), site.path("gcs.key"), site.path("copy"))
                        + site.source("orders", site.cluster.port()));
    }
}
