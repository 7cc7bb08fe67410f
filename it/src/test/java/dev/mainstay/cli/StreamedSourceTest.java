package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;

/// The commands on a source without `data-directory`, by a role with exactly the rights that
/// `check` asks for.
class StreamedSourceTest {
    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void everyCommandWorksWithoutADataDirectory(int major) throws IOException {
        ClusterOptions options = ClusterOptions.standard().withWalSegmentMib(1);
        boolean onlyChanges = major >= 17;
        if (onlyChanges) {
            options = options.with("summarize_wal", "on");
        }
        try (TestCluster cluster = TestCluster.create(major, options);
                CommandSite site = CommandSite.of(cluster)) {
            site.configure(
                    site.source("orders", cluster.port())
                            .replaceAll("data-directory:.*", "max-rate: 200MiB")
                            .replaceAll(
                                    "(?m)^( *)max-rate", "$1local-address: 127.0.0.1\n$1max-rate"));
            CommandSite.Answer first = site.run("check", "orders").exits(1);
            first.says(
                    "without data-directory, backups come over the replication protocol",
                    "SQL: ALTER ROLE backup REPLICATION",
                    "pg_catalog.pg_switch_wal() TO backup");
            assertThat(first.out()).doesNotContain("backup_start", "start_backup");
            site.grant();
            assertThat(site.run("backup", "orders").exits(1).err()).contains("[MS-0604]");
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("check", "orders").exits(0);
                site.run("backup", "orders").exits(0).says("full", "base-backup");
                cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
                String id =
                        site.run("backup", "orders", "--output", "json")
                                .exits(0)
                                .says(
                                        "\"type\":\"incremental\"",
                                        "\"method\":\"base-backup\"",
                                        "\"receivedBytes\":",
                                        onlyChanges
                                                ? "\"only what changed, by the WAL from "
                                                : "\"everything: PostgreSQL " + major)
                                .out()
                                .replaceAll("(?s).*\"backup\":\"([^\"]+)\".*", "$1");
                site.run("backups", "show", id).exits(0).says("base-backup", "received");
                site.run("backups").exits(0).says(id);
                site.run("verify").exits(0);
                site.run("wal", "timeline", "orders").exits(0);
                site.run("restore", "orders", "--to", site.path("restored").toString(), "--yes")
                        .exits(0);
            }
            assertThat(site.path("restored").resolve("PG_VERSION"))
                    .hasContent(Integer.toString(major));
            assertThat(site.path("restored").resolve("global/pg_control")).exists();
        }
    }
}
