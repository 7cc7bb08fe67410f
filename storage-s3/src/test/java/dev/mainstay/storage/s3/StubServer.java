package dev.mainstay.storage.s3;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Answers as it was told, in this order, and writes down what it was asked.
final class StubServer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    private volatile @Nullable Answer always;

    record Request(String line, Map<String, List<String>> headers, byte[] body) {
        String header(String name) {
            return headers.entrySet().stream()
                    .filter(each -> each.getKey().equalsIgnoreCase(name))
                    .map(each -> each.getValue().getFirst())
                    .findFirst()
                    .orElse("");
        }
    }

    interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    StubServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    private void handle(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        requests.add(
                new Request(
                        exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath(),
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

    void answer(Answer... next) {
        answers.addAll(List.of(next));
    }

    void answerAllWith(Answer answer) {
        always = answer;
    }

    List<Request> requests() {
        return requests;
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
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

    static Answer ok(String body) {
        return exchange -> send(exchange, 200, body);
    }

    static Answer part(String range, String body) {
        return exchange -> {
            exchange.getResponseHeaders().set("Content-Range", range);
            send(exchange, 206, body);
        };
    }

    static Answer error(int status, String code) {
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
    static Answer cut(String range, int length, String body) {
        return exchange -> {
            exchange.getResponseHeaders().set("Content-Range", range);
            exchange.sendResponseHeaders(206, length);
            exchange.getResponseBody().write(body.getBytes(US_ASCII));
            exchange.getResponseBody().flush();
        };
    }

    /// Takes the request, and closes the connection.
    static Answer reset() {
        return exchange -> {};
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
