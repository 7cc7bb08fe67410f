package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.Await;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/// What has to be confirmed, asked as people ask it.
class ConfirmationsApiTest {
    /// What destroys, or may.
    private static final Set<String> CONFIRMED =
            Set.of(
                    "POST /api/v1/jobs",
                    "POST /api/v1/restores",
                    "POST /api/v1/backups/{id}/release",
                    "POST /api/backup/restore",
                    "POST /backup/cleanup",
                    "POST /v1/backup-recovery/retention/enforce-policies");

    /// What changes something, and takes nothing away that cannot be had again.
    private static final Set<String> HARMLESS =
            Set.of(
                    "POST /api/backup/create",
                    "POST /api/backup/verify",
                    "POST /api/v1/alerts/{id}/acknowledge",
                    "POST /api/v1/alerts/{id}/resolve",
                    "POST /api/v1/backups/{id}/hold",
                    "POST /api/v1/configuration/reload", // who may write the file has decided
                    "POST /api/v1/confirmations",
                    "POST /api/v1/confirmations/{id}/approve",
                    "POST /api/v1/confirmations/{id}/refuse",
                    "POST /api/v1/jobs/{id}/cancel",
                    "POST /api/v1/notifications/{channel}/test",
                    "POST /api/v1/restores/plan",
                    "POST /api/v1/restores/validate",
                    "POST /api/v1/tokens",
                    "DELETE /api/v1/tokens/{id}",
                    "POST /backup/disaster-recovery/test",
                    "POST /backup/failover",
                    "POST /backup/full",
                    "POST /backup/incremental",
                    "POST /backup/verify/{id}",
                    "POST /v1/backup-recovery/database/backup/full",
                    "POST /v1/backup-recovery/database/backup/incremental",
                    "POST /v1/backup-recovery/disaster-recovery/failover",
                    "POST /v1/backup-recovery/disaster-recovery/plans",
                    "POST /v1/backup-recovery/disaster-recovery/test/{planId}",
                    "POST /v1/backup-recovery/documents/backup",
                    "POST /v1/backup-recovery/documents/backups/{id}/verify",
                    "POST /v1/backup-recovery/monitoring/alerts/{id}/acknowledge",
                    "POST /v1/backup-recovery/monitoring/alerts/{id}/resolve",
                    "POST /v1/backup-recovery/verification/verify-all",
                    "POST /v1/backup-recovery/verification/verify/{id}");

    private static final String PRUNE = "{\"kind\":\"prune\"}";
    private static final String ASK = "{\"action\":\"prune\"}";

    @TempDir Path folder = Path.of("");
    private Site site = Site.none();
    private @Nullable MainstayServer running;
    private String first = "";

    private void start(String more) {
        site = Site.ofTwoSources(folder, "listen: 127.0.0.1:0\nschedules: off\n" + more);
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

    private JsonNode ask(String path, String token, String body, int status) {
        return json(site.ask(server(), "POST", "api/v1/" + path, token, body), status);
    }

    private JsonNode confirmed(String path, String token, String body, String with, int status) {
        return json(
                site.askWith(
                        server(),
                        "POST",
                        path,
                        token,
                        body,
                        Map.of("Confirmation-Token", with)),
                status);
    }

    private String token(String name, String role, String by) {
        String body = "{\"name\":\"%s\",\"role\":\"%s\"}".formatted(name, role);
        return ask("tokens", by, body, 201).get("text").asString();
    }

    private static void is(String code, JsonNode problem) {
        assertThat(problem.get("code").asString()).as(problem.toString()).isEqualTo(code);
        assertThat(problem.get("hint").asString()).isNotEmpty();
    }

    /// A new one has to be named here.
    @Test
    void everyEndpointThatChangesSomethingSaysWhetherItHasToBeConfirmed() {
        start("");
        Set<String> confirmed = new TreeSet<>();
        Set<String> harmless = new TreeSet<>();
        for (ApiOperations.Operation each : ApiOperations.read(site, server()).list()) {
            if (!each.method().equals("GET")) {
                boolean takes = each.said().toString().contains("\"Confirmation-Token\"");
                (takes ? confirmed : harmless).add(each.toString());
            }
        }
        assertThat(confirmed).isEqualTo(new TreeSet<>(CONFIRMED));
        assertThat(harmless).isEqualTo(new TreeSet<>(HARMLESS));
    }

    @Test
    void aPruneIsDoneOnceItIsConfirmed() {
        start("");
        is("MS-1270", ask("jobs", first, PRUNE, 428));
        JsonNode asked = ask("confirmations", first, ASK, 201);
        assertThat(asked.at("/confirmation/lost").toString()).contains("packs", "removed for good");
        assertThat(asked.at("/confirmation/state").asString()).isEqualTo("good");
        String token = asked.get("token").asString();
        String expire = "{\"kind\":\"expire\",\"target\":\"orders\"}";
        is("MS-1274", confirmed("api/v1/jobs", first, expire, token, 409));
        String other = token("other", "administrator", first);
        is("MS-1272", confirmed("api/v1/jobs", other, PRUNE, token, 403));
        is("MS-1272", confirmed("api/v1/jobs", first, PRUNE, "msc_x", 403));
        String id = confirmed("api/v1/jobs", first, PRUNE, token, 202).get("id").asString();
        is("MS-1273", confirmed("api/v1/jobs", first, PRUNE, token, 409));
        Await.until(
                "the job to be done",
                () ->
                        site.ask(server(), "GET", "api/v1/jobs/" + id, first, "")
                                .body()
                                .contains("\"state\":\"done\""));
        String trail = site.ask(server(), "GET", "api/v1/audit", first, "").body();
        assertThat(trail)
                .contains(
                        "\"confirmation asked\"",
                        "\"confirmation not accepted\"",
                        "\"confirmation used\"")
                .doesNotContain(token);
    }

    @Test
    void whatFailsLeavesAConfirmationAndWhatIsRepeatedNeedsNone() {
        start("");
        String token = ask("confirmations", first, ASK, 201).get("token").asString();
        server().sql("alter table job rename to job_away");
        assertThat(
                        site.askWith(
                                        server(),
                                        "POST",
                                        "api/v1/jobs",
                                        first,
                                        PRUNE,
                                        Map.of("Confirmation-Token", token))
                                .statusCode())
                .isEqualTo(500);
        server().sql("alter table job_away rename to job");
        Map<String, String> headers = new HashMap<>();
        headers.put("Confirmation-Token", token);
        headers.put("Idempotency-Key", "k");
        String id =
                json(site.askWith(server(), "POST", "api/v1/jobs", first, PRUNE, headers), 202)
                        .get("id")
                        .asString();
        assertThat(
                        json(
                                        site.askWith(
                                                server(),
                                                "POST",
                                                "api/v1/jobs",
                                                first,
                                                PRUNE,
                                                headers),
                                        202)
                                .get("id")
                                .asString())
                .isEqualTo(id);
    }

    @Test
    void whatRemovesNothingNeedsNone() {
        start("");
        ask("jobs", first, "{\"kind\":\"expire\",\"target\":\"orders\"}", 202);
        JsonNode cleaned = json(site.ask(server(), "POST", "backup/cleanup", first, ""), 202);
        assertThat(cleaned.valueStream().map(each -> each.get("source").asString()))
                .containsExactlyInAnyOrder("orders", "stock");
        assertThat(cleaned.valueStream().map(each -> each.get("status").asString()))
                .as("nothing of them is stored")
                .containsOnly("skipped");
        json(
                site.ask(
                        server(),
                        "POST",
                        "v1/backup-recovery/retention/enforce-policies",
                        first,
                        ""),
                202);
    }

    @Test
    void twoPeopleAreNeededWhereTheConfigurationSaysSo() {
        start("confirmations: { second-person: true }\n");
        String alice = token("alice", "administrator", first);
        String bob = token("bob", "operator", first);
        JsonNode asked = ask("confirmations", alice, ASK, 201);
        String token = asked.get("token").asString();
        assertThat(asked.at("/confirmation/state").asString()).isEqualTo("waiting");
        String approve = "confirmations/" + asked.at("/confirmation/id").asString() + "/approve";
        is("MS-1275", confirmed("api/v1/jobs", alice, PRUNE, token, 409));
        is("MS-1276", ask(approve, alice, "", 403));
        is("MS-1276", ask(approve, token("Alice ", "operator", first), "", 403));
        is("MS-1276", ask(approve, token("mallory", "operator", alice), "", 403));
        is("MS-1210", ask(approve, token("carol", "viewer", first), "", 403));
        is("MS-1275", confirmed("api/v1/jobs", alice, PRUNE, token, 409));
        assertThat(ask(approve, bob, "", 200).get("state").asString()).isEqualTo("good");
        confirmed("api/v1/jobs", alice, PRUNE, token, 202);
        JsonNode seen =
                json(site.ask(server(), "GET", "api/v1/confirmations", bob, ""), 200).get(0);
        assertThat(seen.get("state").asString()).isEqualTo("used");
        assertThat(seen.get("approvedBy").asString()).contains("(bob)");
        assertThat(seen.toString()).doesNotContain(token);
    }

    @Test
    void whatIsNoDangerIsNotConfirmed() {
        start("");
        for (String body :
                Set.of(
                        "{}",
                        "{\"action\":\"burn\"}",
                        "{\"action\":\"restore\"}",
                        "{\"action\":\"restore\",\"restore\":{\"source\":\"orders\",\"directory\":\"/x\"}}")) {
            ask("confirmations", first, body, 400);
        }
        ask("confirmations", first, "{\"action\":\"expire\",\"target\":\"ordres\"}", 404);
        ask("confirmations", first, "{\"action\":\"release\",\"target\":\"none\"}", 404);
        is(
                "MS-1210",
                ask(
                        "confirmations",
                        token("o", "operator", first),
                        "{\"action\":\"restore\",\"restore\":{\"source\":\"orders\",\"directory\":\"/x\",\"inPlace\":\"delta\"}}",
                        403));
    }
}
