package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

class ApiDocumentTest {
    private static final Pattern ASSET = Pattern.compile("(?:src|href)=\"([^\"]+)\"");

    @TempDir Path folder = Path.of("");
    private Site site = Site.none();
    private @Nullable MainstayServer running;

    @BeforeEach
    void start() {
        site = Site.of(folder, "listen: 127.0.0.1:0\nschedules: off\n");
        running = site.start();
    }

    @AfterEach
    void stop() {
        server().close();
    }

    private MainstayServer server() {
        return Objects.requireNonNull(running);
    }

    @Test
    void theDocumentHasEveryEndpointWithTheLeastRole() {
        ApiOperations operations = ApiOperations.read(site, server());
        assertThat(operations.document().get("openapi").asString()).startsWith("3.1.");
        assertThat(
                        new TreeSet<>(
                                operations.list().stream()
                                        .map(ApiOperations.Operation::toString)
                                        .toList()))
                .isEqualTo(new TreeSet<>(server().endpoints()));
        Set<String> ids = new HashSet<>();
        for (ApiOperations.Operation each : operations.list()) {
            JsonNode said =
                    operations
                            .document()
                            .get("paths")
                            .get(each.path())
                            .get(each.method().toLowerCase(Locale.ROOT));
            assertThat(ids.add(said.get("operationId").asString())).as(each.toString()).isTrue();
            assertThat(said.path("summary").asString("")).as(each + ": summary").isNotEmpty();
            assertThat(said.get("security").size())
                    .as(each + ": security")
                    .isEqualTo(each.least().isPresent() ? 1 : 0);
            if (!each.method().equals("GET")) {
                assertThat(each.least().orElse("viewer")).as(each + " changes something").isNotEqualTo("viewer");
            }
        }
    }

    @Test
    void namesInTheDocumentMeanOneThing() {
        JsonNode schemas =
                ApiOperations.read(site, server()).document().at("/components/schemas");
        assertThat(schemas.at("/Job/properties").propertyNames()).contains("progress", "result");
        assertThat(schemas.at("/Token/properties").propertyNames()).contains("role", "expires");
        assertThat(schemas.propertyNames())
                .as("a record without a name of its own may hide another")
                .doesNotContain("View", "Wanted", "Page");
    }

    @Test
    void thePageIsThereForPeopleAndLoadsNothingFromElsewhere() {
        HttpResponse<String> first = site.get(server(), "api/docs");
        assertThat(first.statusCode()).isEqualTo(302);
        String page = first.headers().firstValue("Location").orElseThrow();
        String html = read(page);
        assertThat(html).contains("swagger-ui");
        int assets = 0;
        Matcher asset = ASSET.matcher(html);
        while (asset.find()) {
            assertThat(asset.group(1)).doesNotContain("//");
            read(server().url().resolve(page).resolve(asset.group(1)).getPath());
            assets++;
        }
        assertThat(assets).isGreaterThan(3);
        String settings = read("api/openapi.json/swagger-config");
        assertThat(settings).contains("/api/openapi.json").doesNotContain("swagger.io");
        assertThat(settings).as("no other host is asked whether the document is valid").contains(
                "\"validatorUrl\":\"none\"");
    }

    private String read(String path) {
        HttpResponse<String> answer = site.get(server(), path);
        assertThat(answer.statusCode()).as(path).isEqualTo(200);
        return answer.body();
    }

    @Test
    void whatIsNotNamedIsAnsweredNobody() {
        String first = server().firstToken().orElseThrow().reveal();
        for (String path :
                List.of("api/openapi.json.yaml", "webjars/swagger-ui/index.html", "error", "api")) {
            assertThat(site.get(server(), path).statusCode()).as(path).isIn(401, 403);
            assertThat(site.ask(server(), "GET", path, first, "").statusCode())
                    .as(path)
                    .isEqualTo(403);
        }
    }
}
