package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What a confirmation lets a server destroy, of a real cluster and its backups: that, and nothing
/// else.
class DestructionTest {
    private static final String FULL = "{\"kind\":\"backup\",\"target\":\"orders\",\"type\":\"full\"}";
    private static final String EXPIRE = "{\"kind\":\"expire\",\"target\":\"orders\"}";
    private static final String ASK_EXPIRE = "{\"action\":\"expire\",\"target\":\"orders\"}";

    private final ServerDirectory folder = ServerDirectory.create();
    private final Site site = Site.none();
    private String token = "";

    @AfterEach
    void clean() {
        folder.close();
    }

    private Surroundings surroundings(TestCluster cluster) {
        String yaml =
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
                    retention: { full: { count: 2 } }
                    schedules: off
                  stock:
                    postgres: { url: postgresql://backup@127.0.0.1:1/postgres, receiver: off }
                    schedules: off
                server:
                  listen: 127.0.0.1:0
                  state: { directory: state }
                  schedules: off
                """
                        .formatted(folder.path(), cluster.port(), cluster.dataDirectory());
        return new Surroundings(
                new ConfigurationReader(Map.of()).parse("m.yaml", yaml, folder.path()),
                Map.of(),
                Ground.ofThisHost());
    }

    private JsonNode json(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return JsonMapper.shared().readTree(answer.body());
    }

    private JsonNode get(MainstayServer server, String path) {
        return json(site.ask(server, "GET", "api/v1/" + path, token, ""), 200);
    }

    private JsonNode post(MainstayServer server, String path, String body, int status) {
        return json(site.ask(server, "POST", "api/v1/" + path, token, body), status);
    }

    private JsonNode confirmed(
            MainstayServer server, String path, String body, String with, int status) {
        return json(
                site.askWith(
                        server,
                        "POST",
                        "api/v1/" + path,
                        token,
                        body,
                        Map.of("Confirmation-Token", with)),
                status);
    }

    private JsonNode done(MainstayServer server, JsonNode job) {
        String path = "jobs/" + job.get("id").asString();
        Await.until(path + " to end", () -> !get(server, path).path("ended").isNull());
        JsonNode ended = get(server, path);
        assertThat(ended.get("state").asString()).as(ended.toString()).isEqualTo("done");
        return ended;
    }

    private String backup(MainstayServer server) {
        return done(server, post(server, "jobs", FULL, 202))
                .get("result")
                .get("backup")
                .asString();
    }

    private static List<String> stored(Repository repository) {
        return repository.source("orders").orElseThrow().backups().stream()
                .map(each -> each.id().text())
                .toList();
    }

    @Test
    void whatWasConfirmedGoesAndNothingElse() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            Surroundings surroundings = surroundings(cluster);
            try (Repository repository =
                            RepositoryAccess.create(
                                    surroundings.configuration().repository(),
                                    surroundings.ground());
                    MainstayServer server = MainstayServer.start(surroundings)) {
                token = server.firstToken().orElseThrow().reveal();
                List<String> backups = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    backups.add(backup(server));
                }
                ofAnotherSource(server, backups.getFirst());
                expired(server, repository, backups);
                restoredInPlace(server);
            }
        }
    }

    private void ofAnotherSource(MainstayServer server, String backup) {
        String stock =
                post(
                                server,
                                "tokens",
                                "{\"name\":\"s\",\"role\":\"administrator\",\"sources\":[\"stock\"]}",
                                201)
                        .get("text")
                        .asString();
        String path = "api/v1/backups/" + backup;
        String hold = "{\"reason\":\"mine\"}";
        String ask = "{\"action\":\"release\",\"target\":\"" + backup + "\"}";
        for (HttpResponse<String> answer :
                List.of(
                        site.ask(server, "GET", path, stock, ""),
                        site.ask(server, "POST", path + "/hold", stock, hold),
                        site.ask(server, "POST", path + "/release", stock, ""),
                        site.ask(server, "POST", "api/v1/confirmations", stock, ask))) {
            assertThat(json(answer, 403).get("code").asString()).isEqualTo("MS-1232");
        }
    }

    private void expired(MainstayServer server, Repository repository, List<String> backups) {
        post(server, "jobs", EXPIRE, 428);
        JsonNode asked = post(server, "confirmations", ASK_EXPIRE, 201);
        assertThat(asked.at("/confirmation/lost").size()).isOne();
        assertThat(asked.at("/confirmation/lost").get(0).asString()).contains(backups.get(0));
        String stale = asked.get("token").asString();
        backups.add(backup(server)); // so another one is not kept any more
        assertThat(confirmed(server, "jobs", EXPIRE, stale, 409).get("code").asString())
                .isEqualTo("MS-1274");
        assertThat(stored(repository)).isEqualTo(backups);
        String fresh = post(server, "confirmations", ASK_EXPIRE, 201).get("token").asString();
        JsonNode job = done(server, confirmed(server, "jobs", EXPIRE, fresh, 202));
        assertThat(job.get("result").get("removed").asString())
                .contains(backups.get(0), backups.get(1));
        assertThat(stored(repository)).isEqualTo(backups.subList(2, 4));
    }

    private void restoredInPlace(MainstayServer server) throws IOException {
        Path target = folder.path().resolve("restored");
        String body =
                "{\"source\":\"orders\",\"directory\":\"%s\",\"target\":\"immediate\"%s}";
        String plain = body.formatted(target, "");
        String delta = body.formatted(target, ",\"inPlace\":\"delta\"");
        String keep = body.formatted(target, ",\"inPlace\":\"keep-previous\"");
        done(server, post(server, "restores", delta, 202)); // into nothing: nothing to confirm
        post(server, "restores", plain, 409);
        Files.writeString(target.resolve("stray"), "x");
        Files.writeString(target.resolve("PG_VERSION"), "99\n");
        assertThat(post(server, "restores/plan", delta, 200).get("lost").asString())
                .contains("files", target.toString());
        post(server, "restores", delta, 428);
        String forKeep =
                post(server, "confirmations", asking(keep), 201).get("token").asString();
        confirmed(server, "restores", delta, forKeep, 409);
        String forDelta =
                post(server, "confirmations", asking(delta), 201).get("token").asString();
        assertThat(target.resolve("stray")).exists();
        JsonNode job = done(server, confirmed(server, "restores", delta, forDelta, 202));
        assertThat(job.get("result").get("filesRemoved").asString()).isNotEqualTo("0");
        assertThat(target.resolve("stray")).doesNotExist();
        assertThat(target.resolve("PG_VERSION")).content().doesNotContain("99");
        Files.writeString(target.resolve("stray"), "y");
        JsonNode kept = done(server, confirmed(server, "restores", keep, forKeep, 202));
        Path previous = Path.of(kept.get("result").get("previous").asString());
        assertThat(previous.resolve("stray")).hasContent("y");
        assertThat(target.resolve("stray")).doesNotExist();
        assertThat(target.resolve("global/pg_control")).exists();
        try (Stream<Path> all = Files.list(folder.path())) {
            assertThat(all.filter(each -> each.getFileName().toString().startsWith("restored")))
                    .hasSize(2);
        }
        post(server, "restores", body.formatted(target, ",\"inPlace\":\"odd\""), 400);
    }

    private static String asking(String restore) {
        return "{\"action\":\"restore\",\"restore\":" + restore + "}";
    }
}
