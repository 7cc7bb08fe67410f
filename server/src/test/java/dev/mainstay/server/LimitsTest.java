package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.net.http.HttpResponse;
import java.nio.file.Path;

/// Whoever asks too much, too often or too large.
class LimitsTest {
    @TempDir Path folder = Path.of("");

    private Site site(String limits) {
        return Site.of(folder, "listen: 127.0.0.1:0\nschedules: off\nlimits: " + limits + "\n");
    }

    @Test
    void whoGuessesTokensIsStoppedAndWhoHasAGoodOneIsNot() {
        Site site = site("{ refusals-per-minute: 5 }");
        try (MainstayServer server = site.start()) {
            String first = server.firstToken().orElseThrow().reveal();
            assertThat(site.ask(server, "GET", "api/v1/jobs", first, "").statusCode())
                    .isEqualTo(200);
            for (int i = 0; i < 5; i++) {
                assertThat(site.ask(server, "GET", "api/v1/jobs", "mst_" + i, "").statusCode())
                        .isEqualTo(401);
            }
            HttpResponse<String> stopped = site.ask(server, "GET", "api/v1/jobs", "mst_x", "");
            assertThat(stopped.statusCode()).isEqualTo(429);
            assertThat(stopped.body()).contains("MS-1234");
            assertThat(stopped.headers().firstValueAsLong("Retry-After").orElse(0))
                    .isBetween(1L, 12L);
            assertThat(site.get(server, "api/openapi.json").statusCode()).isEqualTo(429);
            assertThat(site.get(server, "health/liveness").statusCode()).isEqualTo(200);
            HttpResponse<String> mine = site.ask(server, "GET", "api/v1/audit", first, "");
            assertThat(mine.statusCode()).isEqualTo(200);
            assertThat(mine.body()).contains("429 MS-1234");
        }
    }

    @Test
    void aTokenIsLimitedByItselfAndAnotherIsNot() {
        Site site = site("{ requests-per-minute: 10 }");
        try (MainstayServer server = site.start()) {
            String first = server.firstToken().orElseThrow().reveal();
            String made =
                    site.ask(
                                    server,
                                    "POST",
                                    "api/v1/tokens",
                                    first,
                                    "{\"name\":\"n\",\"role\":\"viewer\"}")
                            .body();
            String second =
                    tools.jackson.databind.json.JsonMapper.shared()
                            .readTree(made)
                            .get("text")
                            .asString();
            int answered = 0;
            while (site.ask(server, "GET", "api/v1/jobs", first, "").statusCode() == 200) {
                answered++;
                assertThat(answered).isLessThan(100);
            }
            assertThat(answered).isGreaterThanOrEqualTo(9);
            assertThat(site.ask(server, "GET", "api/v1/jobs", second, "").statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void aBodyThatIsTooLargeIsNotRead() {
        Site site = site("{ body: 1KiB }");
        try (MainstayServer server = site.start()) {
            String first = server.firstToken().orElseThrow().reveal();
            String large = "{\"name\":\"" + "x".repeat(2000) + "\"}";
            HttpResponse<String> refused =
                    site.ask(server, "POST", "api/v1/tokens", first, large);
            assertThat(refused.statusCode()).isEqualTo(413);
            assertThat(refused.body()).contains("MS-1235");
        }
    }

    @Test
    void answersCarryTheHeadersThatBrowsersHeed() {
        Site site = site("{}");
        try (MainstayServer server = site.start()) {
            String first = server.firstToken().orElseThrow().reveal();
            HttpResponse<String> answer = site.ask(server, "GET", "api/v1/jobs", first, "");
            assertThat(answer.headers().firstValue("Content-Security-Policy"))
                    .contains("default-src 'none'; frame-ancestors 'none'");
            assertThat(answer.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
            assertThat(answer.headers().firstValue("X-Frame-Options")).contains("DENY");
            assertThat(answer.headers().firstValue("Referrer-Policy")).contains("no-referrer");
            assertThat(answer.headers().firstValue("Cache-Control").orElse(""))
                    .contains("no-store");
        }
    }
}
