package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.testkit.Await;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// A server whose file is changed under its feet.
class ConfigurationReloadTest {
    private final Site site = Site.none();
    @TempDir private Path folder;

    private Path file() {
        return folder.resolve("mainstay.yaml");
    }

    private void write(String listen, String sources, String more) throws IOException {
        Files.writeString(
                file(),
                """
                repository: { url: "file://%1$s/repository", encryption: none }
                sources:
                  orders:
                    postgres: { url: postgresql://backup@127.0.0.1:1/postgres, receiver: off }
                %3$s
                server:
                  listen: %2$s
                  state: { directory: state }
                %4$s
                """
                        .formatted(folder, listen, sources.indent(2), more.indent(2)));
    }

    private Configuration read() {
        return new ConfigurationReader(Map.of("CHAT", "https://127.0.0.1:1/x")).read(file());
    }

    private static JsonNode json(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return JsonMapper.shared().readTree(answer.body());
    }

    @Test
    void whatIsInTheFileHoldsFromThenOnOrNothingOfIt() throws IOException {
        write("127.0.0.1:0", "", "");
        RepositoryAccess.create(read().repository(), Ground.ofThisHost()).close();
        try (MainstayServer server =
                MainstayServer.start(
                        new Surroundings(read(), Map.of(), Ground.ofThisHost()), this::read)) {
            String token = server.firstToken().orElseThrow().reveal();
            JsonNode same = json(reload(server, token), 200);
            assertThat(same.get("changed").size()).isZero();
            assertThat(same.get("needRestart").size()).isZero();
            anotherSource(server, token);
            nothingOfAWrongOne(server, token);
            theSourceIsGone(server, token);
            assertThat(
                            json(
                                            site.ask(
                                                    server, "GET", "api/v1/audit?limit=100", token, ""),
                                            200)
                                    .toString())
                    .contains("configuration reloaded", "configuration refused", "MS-0402");
        }
    }

    private HttpResponse<String> reload(MainstayServer server, String token) {
        return site.ask(server, "POST", "api/v1/configuration/reload", token, "");
    }

    private String get(MainstayServer server, String token, String path) {
        return json(site.ask(server, "GET", "api/v1/" + path, token, ""), 200).toString();
    }

    private void anotherSource(MainstayServer server, String token) throws IOException {
        write(
                "127.0.0.1:9",
                """
                stock:
                  postgres: { url: postgresql://backup@127.0.0.1:1/postgres, receiver: off }
                  schedules: { full: 0 3 * * SUN }
                """,
                """
                confirmations: { second-person: true }
                notifications: { channels: { chat: { type: slack, url: "${CHAT}" } } }
                tracing: { endpoint: "http://127.0.0.1:1" }
                """);
        JsonNode taken = json(reload(server, token), 200);
        assertThat(taken.get("changed").valueStream().map(JsonNode::asString))
                .containsExactly(
                        "server.notifications", "server.confirmations", "sources.stock");
        assertThat(taken.get("needRestart").valueStream().map(JsonNode::asString))
                .containsExactly("server.listen", "server.tracing");
        Await.until(
                "its schedule to be looked at",
                () -> get(server, token, "schedules").matches("(?s).*stock/full.{1,80}0 3 . . SUN.*"));
        assertThat(get(server, token, "notifications")).contains("chat", "slack");
        json(
                site.ask(
                        server,
                        "POST",
                        "api/v1/jobs",
                        token,
                        "{\"kind\":\"backup\",\"target\":\"stock\"}"),
                202);
        JsonNode asked =
                json(
                        site.ask(
                                server, "POST", "api/v1/confirmations", token, "{\"action\":\"prune\"}"),
                        201);
        assertThat(asked.get("confirmation").get("state").asString()).isEqualTo("waiting");
        Await.until(
                "who agrees to be called",
                () -> get(server, token, "notifications/deliveries").contains("CONFIRMATION"));
    }

    private void nothingOfAWrongOne(MainstayServer server, String token) throws IOException {
        String before = get(server, token, "schedules").replaceAll("\"next\":[^,}]*", "");
        write(
                "127.0.0.1:0",
                "stock: { postgres: { ulr: x } }",
                "schedules: { copy: 99 3 * * * }\nalerts: { group-wait: soon }");
        JsonNode refused = json(reload(server, token), 422);
        assertThat(refused.get("detail").asString() + refused.get("hint").asString())
                .contains("sources.stock.postgres", "server.alerts.group-wait");
        assertThatThrownBy(server::reload).isInstanceOf(MainstayException.class);
        assertThat(get(server, token, "schedules").replaceAll("\"next\":[^,}]*", ""))
                .isEqualTo(before);
        write("127.0.0.1:0", "", "schedules: { scrub: 99 3 * * * }");
        json(reload(server, token), 422); // what only the server looks at
        assertThat(get(server, token, "sources")).contains("stock");
    }

    private void theSourceIsGone(MainstayServer server, String token) throws IOException {
        write("127.0.0.1:0", "", "");
        JsonNode taken = json(reload(server, token), 200);
        assertThat(taken.get("changed").toString()).contains("sources.stock");
        assertThat(taken.get("needRestart").size()).isZero();
        json(
                site.ask(
                        server,
                        "POST",
                        "api/v1/jobs",
                        token,
                        "{\"kind\":\"backup\",\"target\":\"stock\"}"),
                404);
        assertThat(get(server, token, "schedules")).doesNotContain("stock");
    }
}
