package dev.mainstay.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;

import dev.mainstay.testkit.Await;

import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.Span;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;
import java.util.stream.Collectors;

import javax.net.ssl.SSLContext;

/// Takes spans by OTLP over HTTP, as a collector does.
final class Collector implements AutoCloseable {
    static final int HANGS = 0;

    private final List<Seen> spans = new CopyOnWriteArrayList<>();
    private final List<byte[]> bodies = new CopyOnWriteArrayList<>();
    private final List<Map<String, List<String>>> headers = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final HttpServer server;
    private final String scheme;
    private final int status;

    /// A span, and of whom.
    record Seen(Span span, Resource resource) {
        String name() {
            return span.getName();
        }

        String trace() {
            return HexFormat.of().formatHex(span.getTraceId().toByteArray());
        }

        String id() {
            return HexFormat.of().formatHex(span.getSpanId().toByteArray());
        }

        String parent() {
            return HexFormat.of().formatHex(span.getParentSpanId().toByteArray());
        }

        /// Numbers and words alike, as text.
        Map<String, String> attributes() {
            return texts(span.getAttributesList());
        }

        Map<String, String> of() {
            return texts(resource.getAttributesList());
        }

        private static Map<String, String> texts(List<KeyValue> all) {
            return all.stream()
                    .collect(
                            Collectors.toMap(
                                    KeyValue::getKey,
                                    each ->
                                            each.getValue().hasStringValue()
                                                    ? each.getValue().getStringValue()
                                                    : Long.toString(each.getValue().getIntValue())));
        }
    }

    private Collector(HttpServer server, String scheme, int status) {
        this.server = server;
        this.scheme = scheme;
        this.status = status;
        server.createContext("/", this::handle);
        server.setExecutor(task -> Thread.ofVirtual().start(task));
        server.start();
    }

    static Collector open() throws IOException {
        return answering(200);
    }

    /// @param status or [#HANGS]
    static Collector answering(int status) throws IOException {
        return new Collector(HttpServer.create(here(0), 0), "http", status);
    }

    static Collector at(int port) throws IOException {
        return new Collector(HttpServer.create(here(port), 0), "http", 200);
    }

    static Collector tls(SSLContext context) throws IOException {
        HttpsServer server = HttpsServer.create(here(0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        return new Collector(server, "https", 200);
    }

    private static InetSocketAddress here(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    String url() {
        return scheme + "://localhost:" + server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        bodies.add(body);
        headers.add(Map.copyOf(exchange.getRequestHeaders()));
        if (status == HANGS) {
            try {
                closed.await();
            } catch (InterruptedException end) {
                Thread.currentThread().interrupt();
            }
            return;
        }
        if (exchange.getRequestURI().getPath().equals("/v1/traces")) {
            for (ResourceSpans each :
                    ExportTraceServiceRequest.parseFrom(body).getResourceSpansList()) {
                each.getScopeSpansList()
                        .forEach(
                                scope ->
                                        scope.getSpansList()
                                                .forEach(
                                                        span ->
                                                                spans.add(
                                                                        new Seen(
                                                                                span,
                                                                                each
                                                                                        .getResource()))));
            }
        }
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    List<Seen> spans() {
        return List.copyOf(spans);
    }

    /// How often it was asked.
    int asked() {
        return bodies.size();
    }

    List<Map<String, List<String>>> headers() {
        return List.copyOf(headers);
    }

    Seen await(String what, Predicate<Seen> which) {
        Await.until(what + " among " + names(), () -> spans.stream().anyMatch(which));
        return spans.stream().filter(which).findFirst().orElseThrow();
    }

    List<String> names() {
        return spans.stream().map(Seen::name).toList();
    }

    Seen await(String name) {
        return await("a span " + name, each -> each.name().equals(name));
    }

    List<Seen> below(Seen parent) {
        return spans.stream()
                .filter(each -> each.parent().equals(parent.id()))
                .filter(each -> each.trace().equals(parent.trace()))
                .toList();
    }

    /// All that was received, as far as it is text.
    String text() {
        return bodies.stream()
                .map(each -> new String(each, StandardCharsets.UTF_8))
                .collect(Collectors.joining());
    }

    /// All that was received, as it was.
    void write(Path file) throws IOException {
        for (int i = 0; i < bodies.size(); i++) {
            Files.write(file.resolveSibling(file.getFileName() + "-" + i), bodies.get(i));
        }
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
    }
}
