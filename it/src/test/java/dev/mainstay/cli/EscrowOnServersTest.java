package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The key file and the configuration are lost. What was printed is there.
final class EscrowOnServersTest {
    @Test
    void aClusterIsRestoredWithNothingButWhatWasPrinted() throws Exception {
        try (TestCluster cluster =
                        TestCluster.create(15, ClusterOptions.standard().withWalSegmentMib(1));
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            site.configure(site.source("orders", cluster.port()));
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 20000) AS i");
            Path page = site.path("page.txt");
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0);
                site.run("keys", "escrow", "--to", page.toString())
                        .exits(0)
                        .says("proved that it opens everything", "print the page");
                site.run("keys", "rotate", "--yes").exits(0).says("epoch 2");
                cluster.sql("UPDATE t SET i = -i WHERE i < 100");
                site.run("backup", "orders").exits(0).says("incremental");
            }
            String printed = Files.readString(page);
            Files.delete(page);
            Files.delete(site.path("key"));
            Files.delete(site.path("mainstay.yaml"));
            retyped(site, printed);
            site.run("backups").exits(0).says("full", "incremental");
            site.run("verify").exits(0).says("readable, complete");
            site.run("restore", "orders", "--to", site.path("to").toString()).exits(0);
            assertThat(site.path("to/PG_VERSION")).content().startsWith("15");
            List<Path> restored = relations(site.path("to"));
            assertThat(restored).hasSameSizeAs(relations(cluster.dataDirectory()));
        }
    }

    private static List<Path> relations(Path data) throws IOException {
        try (var files = Files.list(data.resolve("base/5"))) {
            return files.filter(file -> file.getFileName().toString().matches("[0-9]+")).toList();
        }
    }

    /// Everything comes from the page: the place, the configuration, the key, typed in small
    /// letters and without the dashes.
    private static void retyped(CommandSite site, String printed) throws IOException {
        Matcher yaml =
                Pattern.compile("(?s)repository:\n.*?url: (\\S+)\n *key: (\\{[^}]*\\})")
                        .matcher(printed);
        assertThat(yaml.find()).as(printed).isTrue();
        Files.writeString(
                site.path("mainstay.yaml"),
                "repository:\n  url: " + yaml.group(1) + "\n  key: " + yaml.group(2) + "\n");
        StringBuilder typed = new StringBuilder();
        Matcher line = Pattern.compile("(?m)^ +([1-4]  [0-9A-Z-]+)$").matcher(printed);
        while (line.find()) {
            typed.append(line.group(1).toLowerCase(java.util.Locale.ROOT).replace('-', ' '))
                    .append('\n');
        }
        assertThat(typed.toString().lines()).hasSize(4);
        Files.writeString(site.path("recovery.txt"), typed);
    }
}
