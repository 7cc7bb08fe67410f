package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.util.Map;

/// The commands on a source with a standby, by a role with exactly the rights that `check` asks
/// for.
class StandbySourceTest {
    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void backupsReadTheStandbyAndThePrimaryInItsStead(int major) throws IOException {
        ClusterOptions options = ClusterOptions.standard().withWalSegmentMib(1);
        try (TestCluster cluster = TestCluster.create(major, options);
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            try (TestCluster standby = cluster.standby("second", Map.of());
                    CommandSite.Receiving _ = site.receive()) {
                cluster.awaitReplay(standby);
                configure(site, standby, true, "prefer-standby");
                site.run("check", "orders").exits(0).says("ok       backups read standby");
                site.run("backup", "orders").exits(0).says("full", "standby", "files");
                configure(site, standby, false, "standby");
                cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
                String id =
                        site.run("backup", "orders", "--output", "json")
                                .exits(0)
                                .says(
                                        "\"type\":\"incremental\"",
                                        "\"method\":\"base-backup\"",
                                        "\"from\":\"standby\"")
                                .out()
                                .replaceAll("(?s).*\"backup\":\"([^\"]+)\".*", "$1");
                site.run("backups", "show", id).exits(0).says("standby");

                standby.stop();
                assertThat(site.run("backup", "orders").exits(1).err()).contains("[MS-0501]");
                site.run("check", "orders").exits(1).says("the standby cannot be backed up");
                configure(site, standby, true, "prefer-standby");
                site.run("check", "orders").exits(0).says("backups read the primary");
                site.run("backup", "orders")
                        .exits(0)
                        .says("taken from the primary, not from the standby: MS-0501");
                site.run("verify").exits(0);
                site.run("restore", "orders", "--to", site.path("restored").toString(), "--yes")
                        .exits(0);
            }
            assertThat(site.path("restored").resolve("global/pg_control")).exists();
        }
    }

    private static void configure(
            CommandSite site, TestCluster standby, boolean files, String backupFrom)
            throws IOException {
        String url = "postgresql://backup@127.0.0.1:" + standby.port() + "/postgres";
        String directory = files ? ", data-directory: " + standby.dataDirectory() : "";
        site.configure(
                site.source("orders", site.cluster.port())
                        .replaceAll(
                                "(?m)^( *)receiver:",
                                "$1standby: { url: '"
                                        + url
                                        + "'"
                                        + directory
                                        + " }\n$1backup-from: "
                                        + backupFrom
                                        + "\n$1receiver:"));
    }
}
