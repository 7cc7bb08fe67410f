package dev.mainstay.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/// As much of Google Cloud Storage's JSON interface as this project asks for, in memory, as its
/// documentation describes it. **No evidence of how the service itself behaves.** It writes down
/// what it was asked.
public final class GcsStub implements AutoCloseable {
    private static final Pattern PATH =
            Pattern.compile("/(?:(upload|download)/)?storage/v1/b/([^/]+)/o(?:/([^/]+))?");
    private static final int MOST = 1000;

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final String bucket;
    private final NavigableMap<String, byte[]> objects = new ConcurrentSkipListMap<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();

    /// @param path as it was sent, with its escapes
    /// @param metadata of an upload, as it was sent
    public record Request(
            String method,
            String path,
            Map<String, String> query,
            String authorization,
            String metadata) {}

    public GcsStub(String bucket) throws IOException {
        this.bucket = bucket;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public List<Request> requests() {
        return requests;
    }

    public NavigableMap<String, byte[]> objects() {
        return objects;
    }

    private record Upload(String metadata, byte[] content) {}

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            Map<String, String> query = query(exchange);
            String method = exchange.getRequestMethod();
            String path = exchange.getRequestURI().getRawPath();
            Matcher parts = PATH.matcher(path);
            boolean upload = parts.matches() && "upload".equals(parts.group(1));
            Upload sent = upload ? upload(exchange, body) : new Upload("", body);
            String login = exchange.getRequestHeaders().getFirst("Authorization");
            requests.add(
                    new Request(method, path, query, login == null ? "" : login, sent.metadata()));
            if (!parts.matches()) {
                error(exchange, 404, "notFound", "Not Found");
            } else if (!parts.group(2).equals(bucket)) {
                error(exchange, 404, "notFound", "The specified bucket does not exist.");
            } else if (upload) {
                put(exchange, query, sent);
            } else if (parts.group(3) == null) {
                list(exchange, query);
            } else {
                one(exchange, URLDecoder.decode(parts.group(3), UTF_8), query);
            }
        }
    }

    private static Map<String, String> query(HttpExchange exchange) {
        Map<String, String> query = new HashMap<>();
        String raw = exchange.getRequestURI().getRawQuery();
        for (String each : (raw == null ? "" : raw).split("&", -1)) {
            int equals = each.indexOf('=');
            if (equals > 0) {
                query.put(
                        each.substring(0, equals),
                        URLDecoder.decode(each.substring(equals + 1), UTF_8));
            }
        }
        return query;
    }

    /// Of two parts: what the object is to be, and what it holds.
    private static Upload upload(HttpExchange exchange, byte[] body) {
        String type = exchange.getRequestHeaders().getFirst("Content-Type");
        String boundary = type.substring(type.indexOf("boundary=") + 9).replace("\"", "");
        String text = new String(body, ISO_8859_1);
        int first = text.indexOf("\r\n\r\n") + 4;
        int second = text.indexOf("--" + boundary, first);
        int content = text.indexOf("\r\n\r\n", second) + 4;
        int end = text.lastIndexOf("\r\n--" + boundary);
        return new Upload(
                text.substring(first, second).strip(), Arrays.copyOfRange(body, content, end));
    }

    private static String of(String json, String key) {
        Matcher found = Pattern.compile("\"" + key + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    private void put(HttpExchange exchange, Map<String, String> query, Upload sent)
            throws IOException {
        CRC32C sum = new CRC32C();
        sum.update(sent.content());
        byte[] bytes = ByteBuffer.allocate(4).putInt((int) sum.getValue()).array();
        String name = of(sent.metadata(), "name");
        if (!of(sent.metadata(), "crc32c").equals(Base64.getEncoder().encodeToString(bytes))) {
            error(exchange, 400, "invalidChecksum", "Provided CRC32C does not match");
            return;
        }
        if ("0".equals(query.get("ifGenerationMatch"))) {
            if (objects.putIfAbsent(name, sent.content()) != null) {
                error(exchange, 412, "conditionNotMet", "At least one of the pre-conditions");
                return;
            }
        } else {
            objects.put(name, sent.content());
        }
        json(exchange, 200, "{\"name\":\"" + name + "\"}");
    }

    private void one(HttpExchange exchange, String name, Map<String, String> query)
            throws IOException {
        byte[] content = objects.get(name);
        if (content == null) {
            error(exchange, 404, "notFound", "No such object: " + bucket + "/" + name);
        } else if (exchange.getRequestMethod().equals("DELETE")) {
            objects.remove(name);
            exchange.sendResponseHeaders(204, -1);
        } else if ("media".equals(query.get("alt"))) {
            media(exchange, content);
        } else {
            json(exchange, 200, item(name, content));
        }
    }

    private static void media(HttpExchange exchange, byte[] content) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        if (range == null) {
            exchange.sendResponseHeaders(200, content.length == 0 ? -1 : content.length);
            exchange.getResponseBody().write(content);
            return;
        }
        Matcher asked = Pattern.compile("bytes=(\\d+)-(\\d+)").matcher(range);
        if (!asked.matches()) {
            error(exchange, 400, "invalid", "a range was expected");
            return;
        }
        long from = Long.parseLong(asked.group(1));
        if (from >= content.length) {
            error(exchange, 416, "requestedRangeNotSatisfiable", "Request range not satisfiable");
            return;
        }
        int to = (int) Math.min(content.length, Long.parseLong(asked.group(2)) + 1);
        exchange.getResponseHeaders()
                .set("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + content.length);
        exchange.sendResponseHeaders(206, to - from);
        exchange.getResponseBody().write(content, (int) from, to - (int) from);
    }

    private void list(HttpExchange exchange, Map<String, String> query) throws IOException {
        String prefix = query.getOrDefault("prefix", "");
        int most = Math.min(MOST, Integer.parseInt(query.getOrDefault("maxResults", "1000")));
        String token = query.getOrDefault("pageToken", "");
        StringBuilder items = new StringBuilder();
        String next = "";
        String last = "";
        int count = 0;
        for (Map.Entry<String, byte[]> each :
                objects.tailMap(query.getOrDefault("startOffset", ""), true).entrySet()) {
            if (!each.getKey().startsWith(prefix) || each.getKey().compareTo(token) <= 0) {
                continue;
            }
            if (count == most) {
                next = ",\"nextPageToken\":\"" + last + "\"";
                break;
            }
            items.append(count == 0 ? "" : ",").append(item(each.getKey(), each.getValue()));
            last = each.getKey();
            count++;
        }
        json(exchange, 200, "{\"kind\":\"storage#objects\",\"items\":[" + items + "]" + next + "}");
    }

    private static String item(String name, byte[] content) {
        return "{\"name\":\"" + name + "\",\"size\":\"" + content.length + "\"}";
    }

    private static void error(HttpExchange exchange, int status, String reason, String message)
            throws IOException {
        json(
                exchange,
                status,
                "{\"error\":{\"code\":%d,\"message\":\"%s\",\"errors\":[{\"reason\":\"%s\",\"message\":\"%s\"}]}}"
                        .formatted(status, message, reason, message));
    }

    private static void json(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
