package dev.mainstay.server.notify;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;

import dev.mainstay.server.Certificate;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;

/// A small server that writes down what is put to it, and answers as it is told to.
final class Receiver implements AutoCloseable {
    final List<String> bodies = Collections.synchronizedList(new ArrayList<>());
    final List<HttpExchange> requests = Collections.synchronizedList(new ArrayList<>());
    private final Deque<String> answers = new ArrayDeque<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final HttpServer server;

    private Receiver(HttpServer server) {
        this.server = server;
        server.createContext("/", this::handle);
        server.setExecutor(task -> Thread.ofVirtual().start(task));
        server.start();
    }

    static Receiver plain() throws IOException {
        return new Receiver(HttpServer.create(here(), 0));
    }

    /// With the certificate of `localhost` in a folder.
    static Receiver tls(Path folder) throws Exception {
        HttpsServer server = HttpsServer.create(here(), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(Certificate.context(folder)));
        return new Receiver(server);
    }

    private static InetSocketAddress here() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    int port() {
        return server.getAddress().getPort();
    }

    /// `503`, `429 7` (seconds), `hang`; when there are no more, 200.
    synchronized void answer(String... next) {
        answers.addAll(List.of(next));
    }

    private synchronized String next() {
        String next = answers.poll();
        return next == null ? "200" : next;
    }

    private void handle(HttpExchange exchange) throws IOException {
        bodies.add(
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        requests.add(exchange);
        String[] answer = next().split(" ", -1);
        if (answer[0].equals("hang")) {
            try {
                closed.await();
            } catch (InterruptedException end) {
                Thread.currentThread().interrupt();
            }
            return;
        }
        if (answer.length > 1) {
            exchange.getResponseHeaders().add("Retry-After", answer[1]);
        }
        exchange.sendResponseHeaders(Integer.parseInt(answer[0]), -1);
        exchange.close();
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
    }
}
