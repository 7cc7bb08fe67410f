package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// `mainstay wal timeline` tells what happened on a real server, and what it prints works.
class WalTimelineOnServersTest {
    private static final int VERSION = 15;
    private static final int SEGMENT = 1 << 20;

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void namesWhatWasDroppedAndPrintsTheRestoreThatBringsItBack(int major) throws IOException {
        try (TestCluster cluster = TestCluster.create(major, small());
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            try (CommandSite.Receiving _ = site.receive()) {
                cluster.sql(
                        "CREATE DATABASE shop",
                        "CREATE TABLE kept AS SELECT generate_series(1, 100) AS i",
                        "CREATE TABLE early (i int)",
                        "DROP TABLE early");
                cluster.sqlIn(
                        "shop",
                        "CREATE TABLE orders (id int PRIMARY KEY, t text)",
                        "INSERT INTO orders SELECT i, 'x' FROM generate_series(1, 1000) i",
                        "CREATE TABLE lines AS SELECT generate_series(1, 1000) AS i",
                        "CREATE TABLE full_of AS SELECT generate_series(1, 1000) AS i");
                site.run("backup", "orders").exits(0);
                cluster.sqlIn(
                        "shop",
                        "SELECT pg_create_restore_point('before ''it''')",
                        "TRUNCATE lines",
                        "VACUUM FULL full_of",
                        "DROP TABLE orders",
                        "CREATE TABLE unknown AS SELECT 1 AS i",
                        "DROP TABLE unknown");
                cluster.sql("DROP DATABASE shop");
                store(site);
            }
            CommandSite.Answer answer = site.run("wal", "timeline", "orders");
            answer.exits(0)
                    .says(
                            "timeline 1 of orders",
                            "dropped public.orders of shop (with",
                            "truncated public.lines of shop",
                            "rewritten public.full_of of shop",
                            "restore point 'before 'it''",
                            "--target-name 'before '\\''it'\\'''",
                            "dropped database shop",
                            "dropped file 1663/",
                            "(no backup before it is stored with all WAL up to it)",
                            "END of what is stored");
            assertThat(answer.out()).containsPattern("\\d+ commits in 1 min 00 s");
            for (String what :
                    List.of(
                            "dropped public.orders of shop",
                            "truncated public.lines of shop",
                            "dropped database shop",
                            "restore point 'before")) {
                plan(site, line(answer, what));
            }
            assertThat(line(answer, "rewritten public.full_of of shop")).doesNotContain("restore ");
            ranges(site, answer);
            // Summaries are a shortcut: without them the log itself says the same.
            assertThat(objects(site, "summaries", "")).isNotEmpty();
            for (Path summary : objects(site, "summaries", "")) {
                Files.delete(summary);
            }
            assertThat(site.run("wal", "timeline", "orders").out()).isEqualTo(answer.out());
        }
    }

    private static void ranges(CommandSite site, CommandSite.Answer all) {
        Matcher first = Pattern.compile("first commit: +(\\S+ \\S+) UTC").matcher(all.out());
        assertThat(first.find()).isTrue();
        String begin = first.group(1) + "Z";
        String before =
                Instant.parse(begin.replace(' ', 'T')).minus(Duration.ofHours(1)).toString();
        assertThat(site.run("wal", "timeline", "orders", "--to", before).exits(0).out())
                .contains("nothing happened in this range")
                .doesNotContain("dropped", "END of what");
        site.run("wal", "timeline", "orders", "--from", begin, "--interval", "1h")
                .exits(0)
                .says("dropped database shop", "commits in 1 h 00 min", "END of what");
        assertThat(site.run("wal", "timeline", "orders", "--from", "today").exits(2).err())
                .contains("[MS-0405] --from 'today' is no time with an offset");
        assertThat(
                        site.run("wal", "timeline", "orders", "--from", begin, "--to", begin)
                                .exits(2)
                                .err())
                .contains("is not before --to");
        assertThat(site.run("wal", "timeline", "orders", "--interval", "90s").exits(2).err())
                .contains("full minutes");
        assertThat(site.run("wal", "timeline", "orders", "--timeline", "7").exits(1).err())
                .contains("[MS-0706] nothing is stored of timeline 7 of orders", "there are: 1");
        assertThat(site.run("--output", "json", "wal", "timeline", "orders").exits(0).out())
                .contains("\"kind\":\"dropped\",\"event\":\"dropped database shop\"");
    }

    private static String line(CommandSite.Answer answer, String what) {
        return answer.out().lines().filter(line -> line.contains(what)).findFirst().orElseThrow();
    }

    /// What a line says to type is taken by the restore, up to the point of doing it.
    private static CommandSite.Answer plan(CommandSite site, String line) {
        String command = line.substring(line.indexOf("mainstay restore ") + "mainstay ".length());
        List<String> words = new ArrayList<>();
        Matcher word = Pattern.compile("'before .*'|\\S+").matcher(command);
        while (word.find()) {
            words.add(word.group().startsWith("'") ? "before 'it'" : word.group());
        }
        words.replaceAll(each -> each.equals("DIR") ? site.path("restored").toString() : each);
        words.add("--plan");
        return site.run(words.toArray(String[]::new)).exits(0).says("this restore is possible");
    }

    @Test
    void aGapIsShownWhereItIsAndIsNotTheEnd() throws IOException {
        try (TestCluster cluster = TestCluster.create(VERSION, small());
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            WalSegment gone;
            try (CommandSite.Receiving _ = site.receive()) {
                cluster.sql("CREATE TABLE a AS SELECT 1 AS i", "CREATE TABLE b AS SELECT 1 AS i");
                site.run("backup", "orders").exits(0);
                cluster.sql("DROP TABLE a");
                store(site);
                gone = WalSegment.parse(store(site), SEGMENT);
                store(site);
                cluster.sql("DROP TABLE b");
                store(site);
            }
            Files.delete(objects(site, "wal", gone.fileName()).getFirst());
            Files.delete(objects(site, "summaries", gone.fileName()).getFirst());
            CommandSite.Answer answer = site.run("wal", "timeline", "orders");
            answer.exits(0)
                    .says(
                            "gaps:         1",
                            "GAP: nothing is known up to " + gone.end() + ": not stored");
            List<String> lines = answer.out().lines().toList();
            int a = index(lines, "dropped public.a of postgres");
            int gap = index(lines, "GAP:");
            int b = index(lines, "public.b of postgres");
            assertThat(List.of(a, gap, b, index(lines, "END"))).isSorted();
            assertThat(lines.get(gap)).contains(gone.start().toString());
            plan(site, lines.get(a));
            assertThat(lines.get(b)).contains("no backup before it is stored");

            // With its summary a damaged segment still tells its story; without, it is a gap.
            String damaged = gone.next().fileName();
            Path object = objects(site, "wal", damaged).getFirst();
            byte[] bytes = Files.readAllBytes(object);
            bytes[bytes.length / 2] ^= 1;
            Files.write(object, bytes);
            site.run("wal", "timeline", "orders").exits(0).says("gaps:         1");
            Files.delete(objects(site, "summaries", damaged).getFirst());
            site.run("wal", "timeline", "orders").exits(0).says(": " + damaged + ": MS-0", "END");
        }
    }

    /// Objects of a kind whose name ends in `name`, if that is not empty.
    private static List<Path> objects(CommandSite site, String kind, String name)
            throws IOException {
        try (Stream<Path> files = Files.walk(site.path("repository").resolve(kind))) {
            return files.filter(Files::isRegularFile)
                    .filter(each -> name.isEmpty() || each.endsWith(name))
                    .toList();
        }
    }

    private static int index(List<String> lines, String part) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).contains(part)) {
                return i;
            }
        }
        throw new AssertionError(part + " is not in " + lines);
    }

    @Test
    void followsTheNewestTimelineOrTheOneThatIsNamed() throws IOException {
        try (TestCluster cluster = TestCluster.create(VERSION, small());
                CommandSite site = CommandSite.of(cluster)) {
            site.grant();
            try (CommandSite.Receiving _ = site.receive()) {
                cluster.sql("CREATE TABLE a AS SELECT 1 AS i", "CREATE TABLE b AS SELECT 1 AS i");
                site.run("backup", "orders").exits(0);
                cluster.sql("DROP TABLE a");
                store(site);
            }
            try (TestCluster standby = cluster.standby("one", Map.of())) {
                cluster.awaitReplay(standby);
                standby.stop();
                try (CommandSite.Receiving _ = site.receive()) {
                    cluster.sql("DROP TABLE b");
                    store(site);
                }
                cluster.stop();
                standby.start();
                standby.promote();
                standby.sql(
                        "CREATE TABLE c AS SELECT 1 AS i",
                        "DROP TABLE c",
                        "SELECT pg_switch_wal()");
                push(site, standby);
            }
            CommandSite.Answer newest = site.run("wal", "timeline", "orders");
            newest.exits(0)
                    .says(
                            "timeline 2 of orders",
                            "dropped public.a of postgres",
                            "timeline 2 branches off 1",
                            "gaps:         0");
            assertThat(newest.out()).doesNotContain("public.b", "--timeline");
            plan(site, line(newest, "dropped public.a of postgres"));
            CommandSite.Answer old = site.run("wal", "timeline", "orders", "--timeline", "1");
            old.exits(0).says("timeline 1 of orders", "dropped public.b of postgres");
            String drop = line(old, "dropped public.b of postgres");
            assertThat(drop).endsWith(" --exclusive --timeline 1");
            plan(site, drop).says("timeline:");
        }
    }

    private static void push(CommandSite site, TestCluster standby) throws IOException {
        Path wal = standby.dataDirectory().resolve("pg_wal");
        String last = standby.value("SELECT pg_walfile_name(pg_switch_wal() - 1)");
        try (Stream<Path> files = Files.list(wal)) {
            List<Path> second =
                    files.filter(each -> WalSegment.isName(each.getFileName().toString()))
                            .filter(each -> each.getFileName().toString().startsWith("00000002"))
                            .filter(each -> each.getFileName().toString().compareTo(last) <= 0)
                            .sorted()
                            .toList();
            assertThat(second).hasSizeGreaterThanOrEqualTo(1);
            List<String> names = new ArrayList<>(List.of("00000002.history"));
            second.forEach(each -> names.add(each.getFileName().toString()));
            for (String name : names) {
                site.runIn(
                                standby.dataDirectory(),
                                "--config",
                                site.path("mainstay.yaml").toString(),
                                "wal",
                                "push",
                                "pg_wal/" + name)
                        .exits(0);
            }
        }
    }

    /// Fills up a segment and waits until it is stored.
    ///
    /// @return its name
    private static String store(CommandSite site) {
        TestCluster cluster = site.cluster;
        cluster.sql("SELECT pg_create_restore_point('filler')");
        Lsn end = Lsn.parse(cluster.value("SELECT pg_switch_wal()"));
        WalSegment segment = WalSegment.containing(TimelineId.of(1), end.plus(-1), SEGMENT);
        Path folder = site.path("repository").resolve("wal");
        Await.until(
                segment + " to be stored",
                () -> {
                    try (Stream<Path> files = Files.walk(folder)) {
                        return files.anyMatch(file -> file.endsWith(segment.fileName()));
                    }
                });
        return segment.fileName();
    }

    private static ClusterOptions small() {
        return ClusterOptions.standard().withWalSegmentMib(1).with("wal_keep_size", "100MB");
    }
}
