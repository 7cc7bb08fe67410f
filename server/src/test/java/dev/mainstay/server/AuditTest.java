package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.repository.Repository;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// What a server puts on record of what it is asked and does.
class AuditTest {
    @TempDir Path folder = Path.of("");
    private Site site = Site.none();
    private @Nullable MainstayServer running;
    private String first = "";

    @BeforeEach
    void start() {
        site = Site.of(folder, "listen: 127.0.0.1:0\nschedules: off\n");
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

    private HttpResponse<String> ask(String method, String path, String token, String body) {
        return site.ask(server(), method, path, token, body);
    }

    private List<JsonNode> entries(String query) {
        HttpResponse<String> answer = ask("GET", "api/v1/audit?" + query, first, "");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        List<JsonNode> entries = new ArrayList<>();
        JsonMapper.shared().readTree(answer.body()).get("entries").forEach(entries::add);
        return entries;
    }

    private static String line(JsonNode entry) {
        return entry.get("who").asString()
                + "|"
                + entry.get("address").asString()
                + "|"
                + entry.get("action").asString()
                + "|"
                + entry.get("target").asString()
                + "|"
                + entry.get("outcome").asString();
    }

    @Test
    void whoChangedWhatWithWhichOutcomeIsOnRecordAndNoSecretIs() {
        HttpResponse<String> made =
                ask(
                        "POST",
                        "api/v1/tokens",
                        first,
                        "{\"name\":\"ops\",\"role\":\"operator\"}");
        assertThat(made.statusCode()).isEqualTo(201);
        JsonNode token = JsonMapper.shared().readTree(made.body());
        String id = token.get("token").get("id").asString();
        String operator = token.get("text").asString();
        assertThat(ask("POST", "api/v1/jobs", operator, "{\"kind\":\"burn\"}").statusCode())
                .isEqualTo(400);
        assertThat(ask("DELETE", "api/v1/tokens/" + id, operator, "").statusCode()).isEqualTo(403);
        assertThat(ask("DELETE", "api/v1/tokens/" + id, first, "").statusCode()).isEqualTo(204);
        assertThat(ask("GET", "api/v1/jobs/secret-path", "mst_wrong", "").statusCode())
                .isEqualTo(401);
        assertThat(ask("GET", "secret-path?token=" + first, "", "").statusCode()).isEqualTo(403);
        List<String> lines = entries("").reversed().stream().map(AuditTest::line).toList();
        String admin = lines.get(2).split("\\|", -1)[0];
        assertThat(admin).startsWith("token ").endsWith(" (first)");
        String ops = "token " + id + " (ops)";
        assertThat(lines)
                .containsSubsequence(
                        admin + "|127.0.0.1|POST /api/v1/tokens||begun",
                        admin + "|127.0.0.1|POST /api/v1/tokens|" + ops + " operator|201",
                        ops + "|127.0.0.1|POST /api/v1/jobs||begun",
                        ops + "|127.0.0.1|POST /api/v1/jobs||400",
                        ops + "|127.0.0.1|DELETE /api/v1/tokens/{id}||403 MS-1210",
                        admin + "|127.0.0.1|DELETE /api/v1/tokens/{id}|id=" + id + "|begun",
                        admin + "|127.0.0.1|DELETE /api/v1/tokens/{id}|id=" + id + "|204",
                        "|127.0.0.1|GET /api/v1/jobs/{id}||401 MS-1209",
                        "|127.0.0.1|GET no endpoint||403 MS-1210");
        assertThat(lines.getFirst()).contains("|server start|");
        assertThat(String.join("\n", lines)).doesNotContain(first, operator, "secret-path");
        assertThat(entries("outcome=204")).hasSize(1);
        assertThat(entries("who=" + ops.replace(" ", "%20"))).hasSize(3);
        assertThat(entries("limit=1&cursor=2")).hasSize(1);
    }

    @Test
    void aJobIsOnRecordFromItsBeginningToItsEnd() {
        HttpResponse<String> started =
                ask(
                        "POST",
                        "api/v1/jobs",
                        first,
                        "{\"kind\":\"backup\",\"target\":\"orders\",\"type\":\"full\"}");
        String id = JsonMapper.shared().readTree(started.body()).get("id").asString();
        dev.mainstay.testkit.Await.until(
                "the job's end on record",
                () ->
                        entries("action=job%20ended").stream()
                                .anyMatch(
                                        each ->
                                                line(each)
                                                        .equals(
                                                                "||job ended|backup orders "
                                                                        + id
                                                                        + "|failed MS-0501")));
        assertThat(entries("action=job%20queued")).hasSize(1);
    }

    @Test
    void nothingIsChangedThatCannotBePutOnRecord() throws Exception {
        server().sql("alter table audit_head rename to audit_head_away");
        HttpResponse<String> refused =
                ask("POST", "api/v1/tokens", first, "{\"name\":\"x\",\"role\":\"operator\"}");
        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
        assertThat(refused.body()).contains("MS-1231");
        assertThat(ask("GET", "api/v1/tokens", first, "").body()).doesNotContain("\"x\"");
        server().sql("alter table audit_head_away rename to audit_head");
        assertThat(
                        ask("POST", "api/v1/tokens", first, "{\"name\":\"x\",\"role\":\"operator\"}")
                                .statusCode())
                .isEqualTo(201);
    }

    @Test
    void theStopIsPublishedAndTheProofNeedsNoServer() throws Exception {
        ask("POST", "api/v1/tokens", first, "{\"name\":\"x\",\"role\":\"operator\"}");
        try (Repository repository = site.surroundings().open()) {
            assertThat(ServerAudit.prove(site.surroundings(), repository).state())
                    .isEqualTo(ServerAudit.State.IN_USE);
        }
        server().close();
        try (Repository repository = site.surroundings().open()) {
            ServerAudit.Proof proof = ServerAudit.prove(site.surroundings(), repository);
            assertThat(proof.state()).isEqualTo(ServerAudit.State.COMPARED);
            assertThat(proof.report().findings()).isEmpty();
            var trail = proof.report().trails().getFirst();
            assertThat(trail.published()).isEqualTo(trail.entries()).isEqualTo(5);
            Files.move(folder.resolve("state"), folder.resolve("lost"));
            ServerAudit.Proof alone = ServerAudit.prove(site.surroundings(), repository);
            assertThat(alone.state()).isEqualTo(ServerAudit.State.ABSENT);
            assertThat(alone.report().findings()).isEmpty();
            assertThat(alone.report().trails().getFirst().published()).isEqualTo(5);
        }
        running = site.start();
    }
}
