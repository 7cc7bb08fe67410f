package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A server's API, asked with a token. What the server refuses is thrown as if it had been refused
/// here.
final class RemoteServer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration ANSWER = Duration.ofMinutes(5);

    private final URI base;
    private final String token;
    private final Session session;
    private final HttpClient client;

    RemoteServer(String url, String token, ServerTrust trust, Session session) {
        this.base = base(url);
        this.token = token;
        this.session = session;
        HttpClient.Builder builder =
                HttpClient.newBuilder()
                        .connectTimeout(PATIENCE)
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER);
        trust.context().ifPresent(builder::sslContext);
        this.client = builder.build();
    }

    /// Whoever listens in would have the token.
    private static URI base(String url) {
        URI uri;
        try {
            uri = URI.create(url.endsWith("/") ? url : url + "/");
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "--server '" + url + "' is no URL", wrong);
        }
        boolean plain = "http".equals(uri.getScheme());
        if (uri.getHost() == null
                || uri.getRawUserInfo() != null
                || uri.getRawQuery() != null
                || !plain && !"https".equals(uri.getScheme())) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--server is no URL such as https://mainstay.example.org:8443");
        }
        if (plain && !isThisHost(uri.getHost())) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--server " + uri.getHost() + " by http:// would send the token in clear",
                    "use https://, or http:// with an address of this host",
                    null);
        }
        return uri;
    }

    private static boolean isThisHost(String host) {
        if (host.equals("localhost")) {
            return true;
        }
        try {
            return InetAddress.ofLiteral(host.replaceAll("^\\[|]$", "")).isLoopbackAddress();
        } catch (IllegalArgumentException _) {
            return false;
        }
    }

    /// As people name it.
    @Override
    public String toString() {
        String text = base.toString();
        return text.substring(0, text.length() - 1);
    }

    Session session() {
        return session;
    }

    /// For a path or query.
    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /// Names one request, however often it is sent.
    String newKey() {
        byte[] key = new byte[16];
        session.random().nextBytes(key);
        return HexFormat.of().formatHex(key);
    }

    /// Empty where the server has none.
    static Optional<Instant> time(JsonNode value) {
        return value.isString() ? Optional.of(Instant.parse(value.asString())) : Optional.empty();
    }

    /// Of an array; none where there is none.
    static List<String> texts(JsonNode array) {
        return array.values().stream().map(JsonNode::asString).toList();
    }

    JsonNode get(String path) throws InterruptedException {
        return json(send(request(path).timeout(ANSWER).build()));
    }

    JsonNode post(String path, Map<String, ?> body, Map<String, String> headers)
            throws InterruptedException {
        HttpRequest.Builder request =
                request(path)
                        .timeout(ANSWER)
                        .header("Content-Type", "application/json")
                        .POST(
                                HttpRequest.BodyPublishers.ofString(
                                        JsonMapper.shared().writeValueAsString(body)));
        headers.forEach(request::header);
        return json(send(request.build()));
    }

    /// The lines of a stream of events, as they come; to be closed.
    ///
    /// @param after id of the last event that is known; empty for all
    Stream<String> events(String path, String after) throws InterruptedException {
        HttpRequest.Builder request = request(path).header("Accept", "text/event-stream");
        if (!after.isEmpty()) {
            request.header("Last-Event-ID", after);
        }
        try {
            HttpResponse<Stream<String>> answer =
                    client.send(request.build(), HttpResponse.BodyHandlers.ofLines());
            if (answer.statusCode() != 200) {
                try (Stream<String> lines = answer.body()) {
                    throw problem(answer.statusCode(), String.join("\n", lines.toList()));
                }
            }
            return answer.body();
        } catch (IOException away) {
            throw away(away);
        }
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(base.resolve("api/v1/" + path))
                .header("Authorization", "Bearer " + token);
    }

    private HttpResponse<String> send(HttpRequest request) throws InterruptedException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException away) {
            throw away(away);
        }
    }

    private MainstayException away(IOException why) {
        String text = why.getMessage() == null ? why.toString() : why.getMessage();
        String what =
                why instanceof HttpTimeoutException
                        ? "did not answer in time"
                        : "cannot be reached: " + text;
        // TLS 1.3 refuses a client after its own handshake: it shows as an alert, or as a broken
        // connection.
        boolean isOfCertificates = text.contains("certificate") || text.contains("PKIX");
        return new MainstayException(
                ErrorCode.SERVER_AWAY,
                "the server " + this + " " + what,
                isOfCertificates
                        ? "--server-ca FILE names who vouches for the server; where it demands a"
                                + " certificate of its clients, give --client-cert and --client-key"
                        : ErrorCode.SERVER_AWAY.hint(),
                why);
    }

    private JsonNode json(HttpResponse<String> answer) {
        if (answer.statusCode() / 100 != 2) {
            throw problem(answer.statusCode(), answer.body());
        }
        try {
            return JsonMapper.shared().readTree(answer.body());
        } catch (JacksonException wrong) {
            throw strange(answer.statusCode());
        }
    }

    private MainstayException problem(int status, String body) {
        try {
            JsonNode problem = JsonMapper.shared().readTree(body);
            Optional<ErrorCode> code = code(problem.path("code").asString(""));
            if (code.isPresent()) {
                return new MainstayException(
                        code.get(),
                        problem.path("detail")
                                .asString(problem.path("title").asString("refused by the server")),
                        problem.path("hint").asString(code.get().hint()),
                        null);
            }
        } catch (JacksonException notOurs) {
            // told below
        }
        return strange(status);
    }

    private MainstayException strange(int status) {
        return new MainstayException(
                ErrorCode.SERVER_ANSWER,
                "the server " + this + " answered " + status + " and nothing that is understood");
    }

    /// Of `MS-0123`.
    static Optional<ErrorCode> code(String id) {
        return Arrays.stream(ErrorCode.values()).filter(each -> each.id().equals(id)).findFirst();
    }

    @Override
    public void close() {
        client.shutdownNow(); // streams that are still open, too
    }
}
