package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jwt.JWTClaimsSet;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// Tokens of an identity provider, beside the server's own.
class OidcTest {
    @TempDir Path folder = Path.of("");
    private @Nullable TestIssuer made;
    private Site site = Site.none();
    private @Nullable MainstayServer running;
    private String first = "";

    @BeforeEach
    void start() throws IOException {
        made = new TestIssuer();
        site =
                Site.ofTwoSources(
                        folder,
                        """
                        listen: 127.0.0.1:0
                        schedules: off
                        oidc:
                          issuer: %s
                          audience: mainstay
                          roles-claim: realm_access.roles
                          role-mapping: { dba: administrator, reader: viewer }
                          sources-claim: databases
                        """
                                .formatted(issuer().url()));
        running = site.start();
        first = server().firstToken().orElseThrow().reveal();
    }

    @AfterEach
    void stop() {
        server().close();
        issuer().close();
    }

    private TestIssuer issuer() {
        return Objects.requireNonNull(made);
    }

    private MainstayServer server() {
        return Objects.requireNonNull(running);
    }

    private JWTClaimsSet.Builder claims() {
        return issuer().claims().claim("databases", "*");
    }

    private HttpResponse<String> ask(String path, String token) {
        return site.ask(server(), "GET", path, token, "");
    }

    private void answers(int status, String token) {
        HttpResponse<String> answer = ask("api/v1/tokens", token);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        if (status == 401) {
            assertThat(answer.body()).contains("MS-1209").doesNotContain("Jwt", "signature", "audience");
        }
    }

    @Test
    void whoIsVouchedForIsLetInWithHisRoleAndIsOnRecord() {
        String token = issuer().token(claims().build());
        answers(200, token);
        String body = "{\"name\":\"n\",\"role\":\"viewer\"}";
        assertThat(site.ask(server(), "POST", "api/v1/tokens", token, body).statusCode())
                .isEqualTo(201);
        assertThat(ask("api/v1/audit", first).body()).contains("\"subject s-1 (alice)\"");
        answers(200, first);
        assertThat(issuer().asked()).isOne();
    }

    @Test
    void whatIsWrongWithATokenKeepsItOutAndIsNobodysBusiness() {
        Date past = Date.from(Instant.now().minusSeconds(300));
        answers(401, issuer().token(claims().issueTime(null).expirationTime(past).build()));
        answers(401, issuer().token(claims().expirationTime(null).build()));
        answers(401, issuer().token(claims().issuer("https://elsewhere.example").build()));
        answers(401, issuer().token(claims().audience("another").build()));
        answers(401, issuer().token(claims().audience((String) null).build()));
        answers(401, issuer().token(claims().subject(null).build()));
        answers(401, issuer().forged(claims().build()));
        answers(401, issuer().unsigned(claims().build()));
        answers(401, issuer().confused(claims().build()));
        answers(401, issuer().unknown(claims().build()));
        answers(401, "a.b.c");
        answers(401, "mst_" + issuer().token(claims().build()));
        answers(200, issuer().token(claims().build()));
    }

    private Map<String, String> badTokens() {
        Date past = Date.from(Instant.now().minusSeconds(300));
        Map<String, String> bad = new LinkedHashMap<>();
        bad.put("no token", "");
        bad.put("expired", issuer().token(claims().issueTime(null).expirationTime(past).build()));
        bad.put("without end", issuer().token(claims().expirationTime(null).build()));
        bad.put("wrong issuer", issuer().token(claims().issuer("https://other.example").build()));
        bad.put("wrong audience", issuer().token(claims().audience("another").build()));
        bad.put("no audience", issuer().token(claims().audience((String) null).build()));
        bad.put("wrong key", issuer().forged(claims().build()));
        bad.put("unknown key", issuer().unknown(claims().build()));
        bad.put("unsigned", issuer().unsigned(claims().build()));
        bad.put("signed with what everybody knows", issuer().confused(claims().build()));
        return bad;
    }

    private static String body(ApiOperations.Operation each) {
        return each.body().isPresent() ? "{}" : "";
    }

    /// Of the document: so a new endpoint is among them.
    @Test
    void everyEndpointKeepsOutWhoeverHasNoGoodToken() {
        Map<String, String> bad = badTokens();
        String good = issuer().token(claims().build());
        List<ApiOperations.Operation> all = ApiOperations.read(site, server()).list();
        assertThat(all).hasSizeGreaterThan(60);
        for (ApiOperations.Operation each : all) {
            String path = each.filled("none");
            bad.forEach(
                    (what, token) -> {
                        HttpResponse<String> answer =
                                site.ask(server(), each.method(), path, token, body(each));
                        String as = each + " with " + what + ": " + answer.body();
                        if (each.least().isEmpty() && token.isEmpty()) {
                            assertThat(answer.statusCode()).as(as).isNotIn(401, 403);
                        } else {
                            assertThat(answer.statusCode()).as(as).isEqualTo(401);
                            assertThat(answer.body()).as(as).contains("MS-1209");
                        }
                    });
            assertThat(site.ask(server(), each.method(), path, good, body(each)).statusCode())
                    .as(each.toString())
                    .isNotIn(401, 403);
        }
    }

    @Test
    void everyEndpointKeepsOutWhoHasNoRoleOrAnotherSourcesGrant() {
        String nobody =
                issuer().token(
                                claims().claim("realm_access", Map.of("roles", List.of("staff")))
                                        .build());
        String stock = issuer().token(claims().claim("databases", List.of("stock")).build());
        String none = issuer().token(claims().claim("databases", List.of()).build());
        for (ApiOperations.Operation each : ApiOperations.read(site, server()).list()) {
            if (each.least().isEmpty()) {
                continue;
            }
            String path = each.filled("orders");
            assertThat(site.ask(server(), each.method(), path, nobody, body(each)).body())
                    .as(each.toString())
                    .contains("MS-1210");
            if (!GrantsTest.OF_SOURCES.contains(each.toString())) {
                for (String token : List.of(stock, none)) {
                    assertThat(site.ask(server(), each.method(), path, token, body(each)).body())
                            .as(each.toString())
                            .contains("MS-1232");
                }
            }
        }
        lookingByThemselves(stock);
        lookingByThemselves(none);
    }

    /// Those that look at grants themselves, with what is of `orders`: each of them is here, but for
    /// those of a backup, of which [DestructionTest] has one.
    private void lookingByThemselves(String token) {
        String job = made("api/v1/jobs", "{\"kind\":\"expire\",\"target\":\"orders\"}", "id");
        String confirmation =
                made(
                        "api/v1/confirmations",
                        "{\"action\":\"expire\",\"target\":\"orders\"}",
                        "id");
        String restore = "{\"source\":\"orders\",\"directory\":\"/tmp/none\"}";
        Map<String, String> bodies =
                Map.of(
                        "POST /api/v1/jobs",
                        "{\"kind\":\"backup\",\"target\":\"orders\"}",
                        "POST /api/v1/confirmations",
                        "{\"action\":\"expire\",\"target\":\"orders\"}",
                        "POST /api/v1/restores",
                        restore,
                        "POST /api/v1/restores/plan",
                        restore,
                        "POST /api/v1/restores/validate",
                        restore);
        Set<String> lists =
                Set.of(
                        "GET /api/v1/jobs",
                        "GET /api/v1/confirmations",
                        "GET /api/v1/sources",
                        "GET /api/v1/receivers",
                        "GET /api/v1/schedules");
        for (ApiOperations.Operation each : ApiOperations.read(site, server()).list()) {
            if (!GrantsTest.OF_SOURCES.contains(each.toString())
                    || each.path().startsWith("/api/v1/backups/")) {
                continue;
            }
            String path =
                    each.filled(each.path().contains("/confirmations/") ? confirmation : job)
                            + (each.path().endsWith("/times") ? "?name=orders/full" : "");
            String body = bodies.getOrDefault(each.toString(), "");
            String answer = site.ask(server(), each.method(), path, token, body).body();
            if (lists.contains(each.toString())) {
                assertThat(answer).as(each.toString()).doesNotContain("orders", "MS-");
            } else {
                assertThat(answer).as(each.toString()).contains("MS-1232");
            }
        }
    }

    private String made(String path, String body, String name) {
        String answer = site.ask(server(), "POST", path, first, body).body();
        assertThat(answer).contains("\"" + name + "\":\"");
        return answer.replaceAll("(?s)^.*?\"" + name + "\":\"([^\"]+)\".*", "$1");
    }

    @Test
    void whoHasNoRoleHereMayNothing() {
        for (Object roles : List.of(List.of("staff"), List.of(), "administrator")) {
            answers(
                    403,
                    issuer().token(claims().claim("realm_access", Map.of("roles", roles)).build()));
        }
        answers(403, issuer().token(claims().claim("realm_access", null).build()));
        String reader =
                issuer().token(
                                claims().claim("realm_access", Map.of("roles", List.of("reader")))
                                        .build());
        answers(403, reader);
        assertThat(ask("api/v1/jobs", reader).statusCode()).isEqualTo(200);
    }

    @Test
    void sourcesOfAClaimAreTheOnlyOnes() {
        String orders = issuer().token(claims().claim("databases", List.of("orders")).build());
        answers(403, orders);
        assertThat(ask("api/v1/schedules", orders).body())
                .contains("orders/full")
                .doesNotContain("stock");
        String none = issuer().token(claims().claim("databases", null).build());
        assertThat(ask("api/v1/schedules", none).body()).isEqualTo("[]");
    }

    @Test
    void aKeyThatIsNewIsFoundAndTheOldOneStays() {
        String old = issuer().token(claims().build());
        answers(200, old);
        issuer().rotate();
        answers(200, issuer().token(claims().build()));
        answers(200, old);
        int asked = issuer().asked();
        for (int i = 0; i < 20; i++) {
            answers(401, issuer().unknown(claims().build()));
        }
        assertThat(issuer().asked()).as("requests that strangers cause").isLessThan(asked + 3);
    }

    @Test
    void whenTheIssuerIsAwayOwnTokensStillWork() {
        String token = issuer().token(claims().build());
        issuer().close();
        HttpResponse<String> away = ask("api/v1/tokens", token);
        assertThat(away.statusCode()).as(away.body()).isEqualTo(503);
        assertThat(away.body()).contains("MS-1233");
        answers(200, first);
    }
}
