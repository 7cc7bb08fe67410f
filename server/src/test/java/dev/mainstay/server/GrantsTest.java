package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// Tokens that are for one source, of several.
class GrantsTest {
    /// What answers such a token at all; every other endpoint is of the whole repository.
    static final Set<String> OF_SOURCES =
            Set.of(
                    "GET /api/v1/jobs",
                    "GET /api/v1/jobs/{id}",
                    "GET /api/v1/jobs/{id}/log",
                    "GET /api/v1/jobs/{id}/attempts",
                    "GET /api/v1/jobs/{id}/events",
                    "GET /api/v1/sources",
                    "GET /api/v1/backups/{id}",
                    "POST /api/v1/backups/{id}/hold",
                    "POST /api/v1/backups/{id}/release",
                    "POST /api/v1/confirmations",
                    "GET /api/v1/confirmations",
                    "GET /api/v1/confirmations/{id}",
                    "POST /api/v1/confirmations/{id}/approve",
                    "POST /api/v1/confirmations/{id}/refuse",
                    "POST /api/v1/restores/plan",
                    "POST /api/v1/restores/validate",
                    "POST /api/v1/restores",
                    "POST /api/v1/jobs",
                    "POST /api/v1/jobs/{id}/cancel",
                    "GET /api/v1/receivers",
                    "GET /api/v1/schedules",
                    "GET /api/v1/schedules/times");

    @TempDir Path folder = Path.of("");
    private Site site = Site.none();
    private @Nullable MainstayServer running;
    private String first = "";
    private String orders = "";
    private String stock = "";

    @BeforeEach
    void start() {
        site = Site.ofTwoSources(folder, "listen: 127.0.0.1:0\nschedules: { prune: 0 1 * * * }\n");
        running = site.start();
        first = server().firstToken().orElseThrow().reveal();
        orders = token("operator", "orders");
        stock = token("operator", "stock");
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

    private JsonNode json(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return JsonMapper.shared().readTree(answer.body());
    }

    private String token(String role, String source) {
        String body =
                "{\"name\":\"n\",\"role\":\"%s\",\"sources\":[\"%s\"]}".formatted(role, source);
        return json(ask("POST", "api/v1/tokens", first, body), 201).get("text").asString();
    }

    private static String job(String kind, String target) {
        return "{\"kind\":\"%s\",\"target\":\"%s\"}".formatted(kind, target);
    }

    private void refused(HttpResponse<String> answer) {
        assertThat(json(answer, 403).get("code").asString()).isEqualTo("MS-1232");
    }

    @Test
    void jobsOfAnotherSourceAreNeitherSeenNorStartedNorCancelled() {
        String id =
                json(ask("POST", "api/v1/jobs", stock, job("expire", "stock")), 202)
                        .get("id")
                        .asString();
        refused(ask("POST", "api/v1/jobs", orders, job("expire", "stock")));
        refused(ask("GET", "api/v1/jobs/" + id, orders, ""));
        refused(ask("GET", "api/v1/jobs/" + id + "/log", orders, ""));
        refused(ask("GET", "api/v1/jobs/" + id + "/events", orders, ""));
        refused(ask("GET", "api/v1/jobs/" + id + "/attempts", orders, ""));
        refused(ask("POST", "api/v1/jobs/" + id + "/cancel", orders, ""));
        json(ask("GET", "api/v1/jobs/" + id, stock, ""), 200);
        assertThat(json(ask("GET", "api/v1/jobs", orders, ""), 200).get("jobs").size()).isZero();
        assertThat(json(ask("GET", "api/v1/jobs?target=stock", orders, ""), 200).get("jobs").size())
                .isZero();
        assertThat(json(ask("GET", "api/v1/jobs", stock, ""), 200).get("jobs").size()).isOne();
        assertThat(json(ask("GET", "api/v1/jobs", first, ""), 200).get("jobs").size()).isOne();
        refused(ask("POST", "api/v1/jobs", orders, job("prune", "")));
        refused(ask("POST", "api/v1/jobs", orders, job("verify", "")));
    }

    @Test
    void anotherSourceIsNeitherSeenNorRestored() {
        JsonNode seen = json(ask("GET", "api/v1/sources", orders, ""), 200);
        assertThat(seen.size()).isOne();
        assertThat(seen.get(0).get("name").asString()).isEqualTo("orders");
        json(ask("GET", "api/v1/sources/orders/backups", orders, ""), 200);
        for (String what : List.of("", "/backups", "/window", "/wal", "/timeline", "/retention")) {
            refused(ask("GET", "api/v1/sources/stock" + what, orders, ""));
        }
        String restore = "{\"source\":\"stock\",\"directory\":\"/tmp/none\"}";
        String administrator = token("administrator", "orders");
        refused(ask("POST", "api/v1/restores/plan", administrator, restore));
        refused(ask("POST", "api/v1/restores/validate", administrator, restore));
        refused(ask("POST", "api/v1/restores", administrator, restore));
    }

    @Test
    void whatIsDestroyedOfAnotherSourceIsNeitherConfirmedNorSeenNorApproved() {
        String expire = "{\"action\":\"expire\",\"target\":\"%s\"}";
        String id =
                json(ask("POST", "api/v1/confirmations", stock, expire.formatted("stock")), 201)
                        .at("/confirmation/id")
                        .asString();
        String whole =
                json(ask("POST", "api/v1/confirmations", first, "{\"action\":\"prune\"}"), 201)
                        .at("/confirmation/id")
                        .asString();
        for (String each : List.of(id, whole)) {
            refused(ask("GET", "api/v1/confirmations/" + each, orders, ""));
            refused(ask("POST", "api/v1/confirmations/" + each + "/approve", orders, ""));
            refused(ask("POST", "api/v1/confirmations/" + each + "/refuse", orders, ""));
        }
        assertThat(json(ask("GET", "api/v1/confirmations", orders, ""), 200).size()).isZero();
        assertThat(json(ask("GET", "api/v1/confirmations", stock, ""), 200).size()).isOne();
        assertThat(json(ask("GET", "api/v1/confirmations", first, ""), 200).size()).isEqualTo(2);
        refused(ask("POST", "api/v1/confirmations", orders, expire.formatted("stock")));
        refused(ask("POST", "api/v1/confirmations", orders, expire.formatted("")));
        refused(ask("POST", "api/v1/confirmations", orders, "{\"action\":\"prune\"}"));
        String administrator = token("administrator", "orders");
        refused(
                ask(
                        "POST",
                        "api/v1/confirmations",
                        administrator,
                        "{\"action\":\"restore\",\"restore\":{\"source\":\"stock\",\"directory\":\"/tmp/none\",\"inPlace\":\"delta\"}}"));
    }

    @Test
    void schedulesOfOthersAreNotSeen() {
        JsonNode seen = json(ask("GET", "api/v1/schedules", orders, ""), 200);
        assertThat(seen.size()).isPositive();
        seen.forEach(each -> assertThat(each.get("name").asString()).startsWith("orders/"));
        assertThat(json(ask("GET", "api/v1/schedules", first, ""), 200).toString())
                .contains("stock/full", "\"prune\"");
        refused(ask("GET", "api/v1/schedules/times?name=stock/full", orders, ""));
        refused(ask("GET", "api/v1/schedules/times?name=prune", orders, ""));
        json(ask("GET", "api/v1/schedules/times?name=orders/full", orders, ""), 200);
    }

    /// Also of those that come later: they have to say that they look at grants, and be listed here.
    @Test
    void everyOtherEndpointIsOfTheWholeRepository() {
        String administrator = token("administrator", "orders");
        for (ApiOperations.Operation each : ApiOperations.read(site, server()).list()) {
            if (each.least().isPresent() && !OF_SOURCES.contains(each.toString())) {
                refused(ask(each.method(), each.filled("none"), administrator, "{}"));
            }
        }
    }

    @Test
    void aTokenIsForSourcesThatThereAre() {
        assertThat(
                        ask(
                                        "POST",
                                        "api/v1/tokens",
                                        first,
                                        "{\"name\":\"n\",\"role\":\"viewer\",\"sources\":[\"ordres\"]}")
                                .body())
                .contains("MS-0209", "did you mean 'orders'");
        assertThat(
                        ask(
                                        "POST",
                                        "api/v1/tokens",
                                        first,
                                        "{\"name\":\"n\",\"role\":\"viewer\",\"sources\":[]}")
                                .statusCode())
                .isEqualTo(400);
        assertThat(json(ask("GET", "api/v1/tokens", first, ""), 200).toString())
                .contains("\"sources\":[\"stock\"]");
    }
}
