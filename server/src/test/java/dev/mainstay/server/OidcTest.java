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
import java.util.List;
import java.util.Map;
import java.util.Objects;

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
