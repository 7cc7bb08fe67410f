package dev.mainstay.testkit;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import javax.net.ssl.SSLContext;

/// Answers as it was told, in this order, and writes down what it was asked.
public final class StubServer implements AutoCloseable {
    private final HttpServer server;
    private final String scheme;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private volatile @Nullable Answer always;

    /// @param line method and path
    /// @param query decoded; empty without one
    public record Request(
            String line, String query, Map<String, List<String>> headers, byte[] body) {
        public String header(String name) {
            return headers.entrySet().stream()
                    .filter(each -> each.getKey().equalsIgnoreCase(name))
                    .map(each -> each.getValue().getFirst())
                    .findFirst()
                    .orElse("");
        }
    }

    /// What the server does with a request that was read.
    public interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    public StubServer() throws IOException {
        this(HttpServer.create(loopback(), 0), "http");
    }

    /// Speaks TLS only.
    public static StubServer secure(SSLContext identity) throws IOException {
        HttpsServer server = HttpsServer.create(loopback(), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(identity));
        return new StubServer(server, "https");
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private StubServer(HttpServer server, String scheme) {
        this.server = server;
        this.scheme = scheme;
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    private void handle(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        requests.add(
                new Request(
                        exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath(),
                        Optional.ofNullable(exchange.getRequestURI().getQuery()).orElse(""),
                        Map.copyOf(exchange.getRequestHeaders()),
                        body));
        Answer fixed = always;
        Answer next = fixed == null ? answers.poll() : fixed;
        try (exchange) {
            if (next == null) {
                throw new IOException("no answer is left for " + requests.getLast().line());
            }
            next.to(exchange);
        }
    }

    public void answer(Answer... next) {
        answers.addAll(List.of(next));
    }

    public void answerAllWith(Answer answer) {
        always = answer;
    }

    public List<Request> requests() {
        return requests;
    }

    public URI endpoint() {
        return URI.create(scheme + "://127.0.0.1:" + server.getAddress().getPort());
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(US_ASCII);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", Integer.toString(bytes.length));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        if (bytes.length > 0) {
            exchange.getResponseBody().write(bytes);
        }
    }

    public static Answer ok(String body) {
        return exchange -> send(exchange, 200, body);
    }

    public static Answer part(String range, String body) {
        return exchange -> {
            exchange.getResponseHeaders().set("Content-Range", range);
            send(exchange, 206, body);
        };
    }

    /// Any answer.
    public static Answer told(int status, Map<String, String> headers, String body) {
        return exchange -> {
            headers.forEach(exchange.getResponseHeaders()::set);
            send(exchange, status, body);
        };
    }

    /// An error as S3 tells it.
    public static Answer error(int status, String code) {
        String body =
                code.isEmpty()
                        ? ""
                        : "<?xml version=\"1.0\"?><Error><Code>"
                                + code
                                + "</Code><Message>told by a stub</Message></Error>";
        return exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "application/xml");
            send(exchange, status, body);
        };
    }

    /// Promises more than it sends.
    public static Answer cut(String range, int length, String body) {
        return exchange -> {
            exchange.getResponseHeaders().set("Content-Range", range);
            exchange.sendResponseHeaders(206, length);
            exchange.getResponseBody().write(body.getBytes(US_ASCII));
            exchange.getResponseBody().flush();
        };
    }

    /// Takes the request, and closes the connection.
    public static Answer reset() {
        return exchange -> {};
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
