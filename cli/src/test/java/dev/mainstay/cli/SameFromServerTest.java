package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.MainstayServer;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// A real cluster, a server that protects it, and commands that say with `--server` what they say
/// where the configuration is.
class SameFromServerTest {
    private final ServerDirectory folder = ServerDirectory.create();
    private final Path elsewhere = folder.directory("elsewhere");
    private final Console console = new Console();
    private String url = "";
    private String token = "";

    private void configure(TestCluster cluster) throws IOException {
        Files.writeString(
                folder.path().resolve("mainstay.yaml"),
                """
                repository:
                  url: file://%1$s/repository
                  key: { file: repository.key }
                  compression: zstd:1
                sources:
                  orders:
                    postgres:
                      url: postgresql://postgres@127.0.0.1:%2$d/postgres
                      data-directory: %3$s
                      receiver: { spool: spool, status-interval: 100ms, ship-interval: 200ms }
                    retention: { full: { count: 1 } }
                    schedules: off
                server:
                  listen: 127.0.0.1:0
                  state: { directory: state }
                  schedules: off
                """
                        .formatted(folder.path(), cluster.port(), cluster.dataDirectory()));
    }

    private void ends(int code, Path where, Map<String, String> environment, List<String> words) {
        assertThat(console.run(where, environment, words.toArray(String[]::new)))
                .as(words + console.out() + console.err())
                .isEqualTo(code);
    }

    private JsonNode here(String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--output", "json"));
        ends(0, folder.path(), Map.of(), all);
        return JsonMapper.shared().readTree(console.out());
    }

    private void remotely(int code, String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--server", url));
        ends(code, elsewhere, Map.of("MAINSTAY_TOKEN", token), all);
    }

    private JsonNode there(String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--output", "json"));
        remotely(0, all.toArray(String[]::new));
        return JsonMapper.shared().readTree(console.out());
    }

    private void same(String... words) {
        JsonNode told = there(words);
        assertThat(sorted(told)).as(String.join(" ", words)).isEqualTo(sorted(here(words)));
    }

    /// The same names with values of the same kinds: where what is told changes while it is read.
    private void alike(String... words) {
        JsonNode told = there(words);
        assertThat(shape(told)).as(String.join(" ", words)).isEqualTo(shape(here(words)));
    }

    private static Object sorted(JsonNode node) {
        if (node.isObject()) {
            Map<String, Object> all = new TreeMap<>();
            node.properties().forEach(each -> all.put(each.getKey(), sorted(each.getValue())));
            return all;
        }
        return node.isArray()
                ? node.values().stream().map(SameFromServerTest::sorted).toList()
                : node.getNodeType() + " " + node.asString("");
    }

    private static String shape(JsonNode node) {
        if (node.isObject()) {
            Map<String, String> all = new TreeMap<>();
            node.properties().forEach(each -> all.put(each.getKey(), shape(each.getValue())));
            return all.toString();
        }
        if (node.isArray()) {
            return new TreeSet<>(node.values().stream().map(SameFromServerTest::shape).toList())
                    .toString();
        }
        return String.valueOf(node.getNodeType());
    }

    @Test
    void whatAServerTellsAndDoesIsToldInTheSameWay() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            configure(cluster);
            ends(0, folder.path(), Map.of(), List.of("init"));
            Surroundings surroundings =
                    new Surroundings(
                            new ConfigurationReader(Map.of())
                                    .read(folder.path().resolve("mainstay.yaml")),
                            Map.of(),
                            Ground.ofThisHost());
            try (MainstayServer server = MainstayServer.start(surroundings)) {
                url = server.url().toString().replaceAll("/$", "");
                token = server.firstToken().orElseThrow().reveal();
                String backup =
                        there("backup", "orders", "--type", "full").get("backup").asString();
                told(backup);
                held(backup);
                timeline(cluster);
                verified(backup);
                restored();
            }
        } finally {
            folder.close();
        }
    }

    private void told(String backup) {
        Await.until("the list to have it", () -> there("backups").get("backups").size() == 1);
        same("backups");
        same("backups", "orders");
        same("backups", "show", backup);
        same("expire", "--plan");
        same("prune", "--plan");
        alike("usage", "--quota", "1TiB");
        assertThat(there("usage").get("sources").get(0).get("logicalBytes"))
                .isEqualTo(here("usage").get("sources").get(0).get("logicalBytes"));
    }

    private void held(String backup) {
        there("backups", "hold", backup, "--reason", "audit");
        Await.until(
                "the hold to be seen",
                () -> there("backups").at("/backups/0/held").asString("").equals("audit"));
        same("backups", "show", backup);
        remotely(1, "backups", "release", backup);
        assertThat(console.err()).contains("MS-0406", "is not held any more (audit)");
        assertThat(here("backups").at("/backups/0/held").asString("")).isEqualTo("audit");
        JsonNode released = there("backups", "release", backup, "--yes");
        assertThat(here("backups").at("/backups/0/held").isNull()).isTrue();
        here("backups", "hold", backup, "--reason", "audit");
        assertThat(sorted(released)).isEqualTo(sorted(here("backups", "release", backup)));
    }

    private void timeline(TestCluster cluster) {
        cluster.sql("create table precious (n int)", "insert into precious values (7)");
        cluster.sql("drop table precious", "select pg_create_restore_point('it''s a point')");
        cluster.sql("select pg_switch_wal()", "create table later (n int)");
        List<String> calls = new ArrayList<>();
        Await.until(
                "the restore point to be stored",
                () -> {
                    calls.clear();
                    there("wal", "timeline", "orders")
                            .get("events")
                            .forEach(each -> calls.add(each.get("restore").asString("")));
                    return calls.stream().anyMatch(each -> each.contains("--target-name"));
                });
        assertThat(calls)
                .contains(
                        "mainstay restore orders --server "
                                + url
                                + " --to DIR --target-name 'it'\\''s a point'")
                .anyMatch(
                        each ->
                                each.matches(
                                        "mainstay restore orders --server \\S+ --to DIR"
                                                + " --target-lsn \\S+ --exclusive"));
        alike("wal", "timeline", "orders");
        remotely(2, "wal", "timeline", "orders", "--from", "never");
        remotely(1, "wal", "timeline", "orders", "--timeline", "7");
        assertThat(console.err()).contains("MS-", "nothing is stored of timeline 7");
    }

    private void verified(String backup) throws IOException {
        assertThat(here("verify", "--backup", backup).get("summary").asString())
                .contains("is complete and readable");
        JsonNode job = there("verify", "--backup", backup);
        assertThat(job.get("backup").asString()).isEqualTo(backup);
        assertThat(job.get("walSegments").asLong()).isPositive();
        Path pack;
        try (var files = Files.walk(folder.path().resolve("repository/packs/base"))) {
            pack = files.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
        byte[] content = Files.readAllBytes(pack);
        byte[] damaged = content.clone();
        damaged[damaged.length / 2] ^= 1;
        pack.toFile().setWritable(true);
        Files.write(pack, damaged);
        ends(1, folder.path(), Map.of(), List.of("verify", "--backup", backup));
        assertThat(console.out()).contains("MS-0", String.valueOf(pack.getFileName()));
        remotely(1, "verify", "--backup", backup);
        assertThat(console.err()).contains("verify", backup, String.valueOf(pack.getFileName()));
        Files.write(pack, content);
        ends(2, folder.path(), Map.of(), List.of("verify", "orders", "--backup", backup));
        remotely(1, "verify", "--backup", "20010101T000000Z-00000000");
    }

    private void restored() {
        String first = folder.path() + "/first";
        String second = folder.path() + "/second";
        remotely(2, "restore", "orders", "--to", "here");
        assertThat(console.err()).contains("absolute path on the server's host");
        same("restore", "orders", "--to", first, "--target", "immediate", "--plan");
        List<String> validate =
                List.of("restore", "orders", "--to", first, "--target", "immediate");
        Map<String, String> validated = shapes(there(with(validate, "--validate-only")));
        assertThat(validated.remove("job")).isNotNull();
        assertThat(validated).isEqualTo(shapes(here(with(validate, "--validate-only"))));
        assertThat(Path.of(first)).doesNotExist();
        Map<String, String> done =
                shapes(there("restore", "orders", "--to", first, "--target", "immediate"));
        assertThat(done.remove("job")).isNotNull();
        assertThat(done)
                .isEqualTo(
                        shapes(here("restore", "orders", "--to", second, "--target", "immediate")));
        assertThat(Path.of(first, "PG_VERSION")).exists();
        remotely(1, "restore", "orders", "--to", first, "--target", "immediate");
        inPlace(first);
    }

    private void inPlace(String directory) {
        List<String> delta =
                List.of("restore", "orders", "--to", directory, "--target", "immediate", "--delta");
        same(with(delta, "--plan"));
        remotely(1, with(delta));
        assertThat(console.err()).contains("MS-0406", directory, "is overwritten");
        Map<String, String> done = shapes(there(with(delta, "--yes")));
        done.remove("job");
        assertThat(done).isEqualTo(shapes(here(with(delta, "--yes"))));
        String[] keep =
                with(
                        List.of("restore", "orders", "--to", directory),
                        "--target",
                        "immediate",
                        "--keep-previous");
        same(with(List.of(keep), "--plan"));
        assertThat(Path.of(there(with(List.of(keep), "--yes")).get("previous").asString()))
                .exists();
    }

    private static String[] with(List<String> words, String... more) {
        List<String> all = new ArrayList<>(words);
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    private static Map<String, String> shapes(JsonNode document) {
        Map<String, String> shapes = new TreeMap<>();
        document.properties().forEach(each -> shapes.put(each.getKey(), shape(each.getValue())));
        return shapes;
    }
}
