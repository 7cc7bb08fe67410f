package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;

import java.io.IOException;
import java.net.Socket;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Everything that the document describes, asked in every wrong way: the answer is a problem of
/// whoever asked, in a few words.
class ApiFuzzTest {
    private static final String LONG = "x".repeat(5000);

    private static final List<String> TEXTS =
            List.of(
                    "",
                    " ",
                    "0",
                    "-1",
                    "1e400",
                    "99999999999999999999",
                    "NaN",
                    "null",
                    "..",
                    "../../etc/passwd",
                    "..\\..",
                    "%2e%2e%2f",
                    "a\u0000b",
                    "\uD83D\uDCA9\u202E\u0301",
                    "';drop table job;--",
                    "20991231T235959Z-ffffffff",
                    "2026-02-30T00:00:00Z",
                    "+1000000000-12-31T23:59:59Z",
                    "orders",
                    LONG);

    private static final List<String> VALUES =
            List.of(
                    "null",
                    "true",
                    "-1",
                    "1e400",
                    "99999999999999999999999999",
                    "[]",
                    "{}",
                    "[[[[1]]]]",
                    "\"\"",
                    "\"\\u0000\"",
                    "\"\\ud800\"",
                    "\"../../etc/passwd\"",
                    "\"/proc/1/mem\"",
                    "\"orders\"",
                    "\"+1000000000-12-31T23:59:59Z\"",
                    "\"" + LONG + "\"");

    @TempDir Path folder = Path.of("");
    private Site site = Site.none();
    private @Nullable MainstayServer running;
    private String token = "";

    @BeforeEach
    void start() {
        site = Site.of(folder, "listen: 127.0.0.1:0\nschedules: off\n");
        running = site.start();
        token = server().firstToken().orElseThrow().reveal();
    }

    @AfterEach
    void stop() {
        server().close();
    }

    private MainstayServer server() {
        return Objects.requireNonNull(running);
    }

    private void ask(ApiOperations.Operation operation, String path, String body) {
        HttpResponse<String> answer = site.ask(server(), operation.method(), path, token, body);
        String what = operation + " as " + path + " with " + body + ": ";
        assertThat(answer.statusCode())
                .as(what + answer.statusCode() + " " + answer.body())
                .isGreaterThanOrEqualTo(200)
                .isNotEqualTo(401);
        assertThat(ApiOperations.isFault(operation, answer.statusCode()))
                .as(what + answer.statusCode() + " " + answer.body())
                .isFalse();
        if (!path.matches("[^?]*%2[5E].*")) { // of which the web server makes another path
            assertThat(answer.statusCode()).as(what).isNotEqualTo(403);
        }
        assertThat(answer.body()).as(what).doesNotContain("Exception", "\tat ", "dev.mainstay.");
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace(".", "%2E"); // or the client leaves dots out itself
    }

    @Test
    void parametersThatMakeNoSense() {
        for (ApiOperations.Operation each : ApiOperations.read(site, server()).list()) {
            String body = each.body().isPresent() ? "{}" : "";
            for (String text : TEXTS) {
                if (!each.pathNames().isEmpty() && !text.isEmpty()) {
                    ask(each, each.filled(encoded(text)), body);
                }
                for (String name : each.queryNames()) {
                    ask(each, each.filled("orders") + "?" + name + "=" + encoded(text), body);
                }
            }
            for (String name : each.queryNames()) {
                String twice = name + "=1&" + name + "=2";
                ask(each, each.filled("orders") + "?" + twice, body);
            }
        }
    }

    @Test
    void bodiesThatMakeNoSense() {
        for (ApiOperations.Operation each : ApiOperations.read(site, server()).list()) {
            if (each.body().isPresent()) {
                for (String body : bodies(each.body().get())) {
                    ask(each, each.filled("orders"), body);
                }
            }
        }
    }

    private static List<String> bodies(JsonNode schema) {
        List<String> bodies =
                new ArrayList<>(
                        List.of(
                                "",
                                "{",
                                "nul",
                                "\u0000",
                                "\uFEFF{}",
                                "[".repeat(20_000),
                                "{\"a\":".repeat(20_000),
                                "{\"" + LONG + "\":1}",
                                "{\"a\":\"" + "y".repeat(3_000_000) + "\"}",
                                "{\"unknown\":1}"));
        bodies.addAll(VALUES);
        schema.path("properties")
                .propertyNames()
                .forEach(
                        name ->
                                VALUES.forEach(
                                        value -> bodies.add("{\"" + name + "\":" + value + "}")));
        String every =
                String.join(
                        ",",
                        schema.path("properties").propertyNames().stream()
                                .map(name -> "\"" + name + "\":%1$s")
                                .toList());
        VALUES.forEach(value -> bodies.add("{" + every.formatted(value) + "}"));
        return bodies;
    }

    @Test
    void requestsThatNoClientMakes() throws IOException {
        List<String> heads =
                List.of(
                        "GET /api/v1/../../etc/passwd HTTP/1.1",
                        "GET /api/v1/jobs/..%2f..%2fetc HTTP/1.1",
                        "GET /api/v1//jobs HTTP/1.1",
                        "GET /api/v1/jobs;x=1 HTTP/1.1",
                        "GET /api/v1/jobs/%zz HTTP/1.1",
                        "GET /api/v1/jobs/%ff%fe HTTP/1.1",
                        "GET /api/v1/jobs?limit=%zz HTTP/1.1",
                        "TRACE /api/v1/jobs HTTP/1.1",
                        "BREW /api/v1/jobs HTTP/1.1",
                        "GET /api/v1/jobs HTTP/9.9",
                        "GET /" + "a".repeat(20_000) + " HTTP/1.1",
                        "nothing at all");
        for (String head : heads) {
            String answer = raw(head);
            assertThat(answer).as(head).matches("(?s)HTTP/1\\.1 [45]0\\d.*");
            assertThat(answer).as(head).doesNotContain("HTTP/1.1 500", "Exception", "\tat ");
        }
    }

    private String raw(String head) throws IOException {
        try (Socket socket = new Socket(server().url().getHost(), server().url().getPort())) {
            socket.getOutputStream()
                    .write(
                            (head
                                            + "\r\nHost: x\r\nConnection: close\r\nAuthorization:"
                                            + " Bearer "
                                            + token
                                            + "\r\n\r\n")
                                    .getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }
}
