package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.server.security.Role;
import dev.mainstay.testkit.Await;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

class ApiTest {
    private static final List<String> ROLES = List.of("viewer", "operator", "auditor", "administrator");

    @TempDir Path folder = Path.of("");
    private Site site = Site.none();
    private @Nullable MainstayServer running;
    private String first = "";

    @BeforeEach
    void start() {
        site = Site.of(folder, """
                        listen: 127.0.0.1:0
                        schedules: off
                        jobs: { retry: { attempts: 2, first-after: 1s } }
                        """);
        running = site.start();
        first = server().firstToken().orElseThrow().reveal();
    }

    @AfterEach
    void stop() {
        server().close();
    }

    private MainstayServer server() {
        return Objects.requireNonNull(running);
    }

    private JsonNode json(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return JsonMapper.shared().readTree(answer.body());
    }

    private HttpResponse<String> ask(String method, String path, String token, String body) {
        return site.ask(server(), method, path, token, body);
    }

    private String token(String role, String more) {
        JsonNode made =
                json(
                        ask(
                                "POST",
                                "api/v1/tokens",
                                first,
                                "{\"name\":\"n\",\"role\":\"" + role + "\"" + more + "}"),
                        201);
        return made.get("text").asString();
    }

    @Test
    void everyEndpointAnswersWhomItShouldAndNobodyElse() {
        Map<String, String> tokens = new HashMap<>();
        ROLES.forEach(role -> tokens.put(role, token(role, "")));
        String expired = token("administrator", ",\"expires\":\"2020-01-01T00:00:00Z\"");
        for (ApiOperations.Operation each : ApiOperations.read(site, server()).list()) {
            String path = each.filled("none");
            String body = each.body().isPresent() ? "{}" : "";
            for (String wrong : List.of("", expired, "mst_wrong", "x")) {
                HttpResponse<String> refused = ask(each.method(), path, wrong, body);
                if (each.least().isEmpty() && wrong.isEmpty()) {
                    assertThat(refused.statusCode()).isNotIn(401, 403);
                    assertThat(ApiOperations.isFault(each, refused.statusCode())).isFalse();
                } else {
                    assertThat(refused.statusCode()).as(each + refused.body()).isEqualTo(401);
                    assertThat(refused.body()).contains("MS-1209");
                }
            }
            for (String role : ROLES) {
                HttpResponse<String> answer =
                        ask(each.method(), path, tokens.getOrDefault(role, ""), body);
                boolean may =
                        each.least()
                                .filter(least -> !Role.parse(role).covers(Role.parse(least)))
                                .isEmpty();
                assertThat(answer.statusCode() == 403)
                        .as(each + " as " + role + ": " + answer.statusCode() + answer.body())
                        .isEqualTo(!may);
                assertThat(answer.statusCode()).isNotEqualTo(401);
                assertThat(ApiOperations.isFault(each, answer.statusCode())).as(each + answer.body()).isFalse();
            }
        }
    }

    @Test
    void aJobIsStartedFollowedAndToldAbout() {
        JsonNode started =
                json(
                        ask(
                                "POST",
                                "api/v1/jobs",
                                token("operator", ""),
                                "{\"kind\":\"backup\",\"target\":\"orders\",\"type\":\"full\"}"),
                        202);
        String id = started.get("id").asString();
        assertThat(started.get("requestedBy").asString()).startsWith("token ");
        String viewer = token("viewer", "");
        Await.until(
                "the server that is not there to be missed",
                () ->
                        json(ask("GET", "api/v1/jobs/" + id, viewer, ""), 200)
                                .get("state")
                                .asString()
                                .equals("failed"));
        JsonNode failed = json(ask("GET", "api/v1/jobs/" + id, viewer, ""), 200);
        assertThat(failed.get("failure").get("error").asString()).isEqualTo("MS-0501");
        assertThat(failed.get("attempts").asInt()).isEqualTo(2);
        JsonNode attempts =
                json(ask("GET", "api/v1/jobs/" + id + "/attempts", viewer, ""), 200);
        assertThat(attempts.size()).isEqualTo(2);
        assertThat(attempts.get(0).get("failure").get("error").asString()).isEqualTo("MS-0501");
        JsonNode page = json(ask("GET", "api/v1/jobs?limit=1", viewer, ""), 200);
        assertThat(page.get("jobs").get(0).get("id").asString()).isEqualTo(id);
        String cursor = page.get("next").asString();
        assertThat(
                        json(ask("GET", "api/v1/jobs?cursor=" + cursor, viewer, ""), 200)
                                .get("jobs")
                                .size())
                .isZero();
        assertThat(
                        json(ask("POST", "api/v1/jobs/" + id + "/cancel", first, ""), 409)
                                .get("code")
                                .asString())
                .isEqualTo("MS-1206");
    }

    private HttpResponse<String> keyed(String key, String body) {
        return site.askWith(
                server(), "POST", "api/v1/jobs", first, body, Map.of("Idempotency-Key", key));
    }

    @Test
    void aRequestThatIsRepeatedStartsOneJob() {
        String body = "{\"kind\":\"verify\"}";
        JsonNode one = json(keyed("k1", body), 202);
        JsonNode again = json(keyed("k1", " { \"kind\" : \"verify\" } "), 202);
        assertThat(again.get("id").asString()).isEqualTo(one.get("id").asString());
        assertThat(json(keyed("k2", body), 202).get("id").asString())
                .isNotEqualTo(one.get("id").asString());
        assertThat(json(keyed("k1", "{\"kind\":\"prune\"}"), 422).get("code").asString())
                .isEqualTo("MS-1240");
        json(keyed("k".repeat(256), body), 400);
        JsonNode byAnother =
                json(
                        site.askWith(
                                server(),
                                "POST",
                                "api/v1/jobs",
                                token("operator", ""),
                                body,
                                Map.of("Idempotency-Key", "k1")),
                        202);
        assertThat(byAnother.get("id").asString())
                .as("a key is whose it is")
                .isNotEqualTo(one.get("id").asString());
        assertThat(json(ask("GET", "api/v1/jobs", first, ""), 200).get("jobs").size())
                .isEqualTo(3);
    }

    @Test
    void twentyWhoAskAtOnceWithOneKeyGetOneJob() throws Exception {
        Set<String> ids = ConcurrentHashMap.newKeySet();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            threads.add(
                    Thread.ofVirtual()
                            .start(
                                    () ->
                                            ids.add(
                                                    json(keyed("k", "{\"kind\":\"verify\"}"), 202)
                                                            .get("id")
                                                            .asString())));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(ids).hasSize(1);
        assertThat(json(ask("GET", "api/v1/jobs", first, ""), 200).get("jobs").size())
                .isEqualTo(1);
    }

    @Test
    void theEventsOfAJobTellItsLinesAndThenItsEnd() {
        String id = json(keyed("k", "{\"kind\":\"verify\"}"), 202).get("id").asString();
        String events = ask("GET", "api/v1/jobs/" + id + "/events", first, "").body();
        assertThat(events.strip().lines().filter(line -> line.startsWith("event:")).toList())
                .endsWith("event:end")
                .containsOnlyOnce("event:end");
        assertThat(events).contains("\"state\":\"done\"", "\"id\":\"" + id + "\"");
        JsonNode log = json(ask("GET", "api/v1/jobs/" + id + "/log", first, ""), 200);
        int last = log.get(log.size() - 1).get("number").asInt();
        String rest =
                site.askWith(
                                server(),
                                "GET",
                                "api/v1/jobs/" + id + "/events",
                                first,
                                "",
                                Map.of("Last-Event-ID", Integer.toString(last)))
                        .body();
        assertThat(rest).doesNotContain("event:line").contains("event:end");
        assertThat(ask("GET", "api/v1/jobs/none/events", first, "").statusCode()).isEqualTo(404);
    }

    @Test
    void whatIsNotUnderstoodIsAProblemAndNoFault() {
        List<String> bodies =
                List.of(
                        "{",
                        "",
                        "[]",
                        "{}",
                        "{\"kind\":\"burn\"}",
                        "{\"kind\":\"backup\",\"target\":\"ordres\"}",
                        "{\"kind\":\"backup\",\"target\":\"orders\",\"type\":\"big\"}",
                        "{\"kind\":\"prune\",\"target\":\"orders\"}",
                        "{\"kind\":7,\"target\":{}}");
        for (String body : bodies) {
            HttpResponse<String> answer = ask("POST", "api/v1/jobs", first, body);
            assertThat(answer.statusCode()).as(body + answer.body()).isBetween(400, 499);
            assertThat(answer.headers().firstValue("Content-Type"))
                    .hasValueSatisfying(type -> assertThat(type).contains("problem+json"));
            assertThat(answer.body()).doesNotContain("Exception", "\tat ");
        }
        assertThat(ask("POST", "api/v1/jobs", first, bodies.get(5)).body())
                .contains("MS-0209", "did you mean 'orders'");
        for (String path :
                List.of(
                        "api/v1/jobs?limit=0",
                        "api/v1/jobs?limit=x",
                        "api/v1/jobs?state=odd",
                        "api/v1/jobs/none",
                        "api/v1/jobs/%00",
                        "api/v1/schedules/times")) {
            assertThat(ask("GET", path, first, "").statusCode()).as(path).isBetween(400, 499);
        }
    }

    @Test
    void aTokenIsShownOnceKeptAsADigestAndCanBeRevoked() throws Exception {
        String text = token("operator", "");
        assertThat(server().firstToken()).isEmpty();
        JsonNode list = json(ask("GET", "api/v1/tokens", first, ""), 200);
        assertThat(list.toString()).doesNotContain(text, first);
        List<String> ids = new ArrayList<>();
        list.forEach(each -> ids.add(each.get("id").asString()));
        assertThat(ask("DELETE", "api/v1/tokens/" + ids.get(1), first, "").statusCode())
                .isEqualTo(204);
        assertThat(ask("GET", "api/v1/jobs", text, "").statusCode()).isEqualTo(401);
        try (Stream<Path> files = Files.walk(folder.resolve("state"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                        .doesNotContain(first, text);
            }
        }
    }
}
