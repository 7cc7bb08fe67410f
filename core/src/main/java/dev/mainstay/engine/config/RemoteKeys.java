package dev.mainstay.engine.config;

import dev.mainstay.storage.ObjectName;
import dev.mainstay.storage.remote.Route;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Keys of the section `repository` that mean the same for every store over a network, and how the
/// others are read.
final class RemoteKeys {
    static final List<String> KEYS = List.of("endpoint", "allow-http", "ca-file", "proxy");

    /// Those of them that do not say where it is.
    static final List<String> WAY = List.of("ca-file", "proxy");

    private static final int MOST_SECRET = 64 << 10;
    private static final int LONGEST_PREFIX = 400;

    private final Map<String, ConfigNode> entries;
    private final Function<ConfigNode, Path> path;

    /// @param entries of the section
    /// @param path reads a path
    RemoteKeys(Map<String, ConfigNode> entries, Function<ConfigNode, Path> path) {
        this.entries = entries;
        this.path = path;
    }

    /// What stands behind a scheme, up to the nth slash and behind it; without one at its end.
    static String[] parts(String url, String scheme, int names) {
        String rest = url.substring(scheme.length());
        String[] parts = rest.split("/", names + 1);
        String[] all = new String[names + 1];
        for (int i = 0; i <= names; i++) {
            all[i] = i < parts.length ? parts[i] : "";
        }
        String prefix = all[names];
        all[names] = prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix;
        return all;
    }

    static void checkPrefix(String url, String prefix) {
        if (!prefix.isEmpty()
                && (!ObjectName.isValid(prefix) || prefix.length() > LONGEST_PREFIX)) {
            throw new IllegalArgumentException(
                    "'"
                            + url
                            + "': a prefix is up to "
                            + LONGEST_PREFIX
                            + " of a-z A-Z 0-9 . _ - in parts between single '/'");
        }
    }

    @Nullable ConfigNode node(String key) {
        return entries.get(key);
    }

    Optional<String> text(String key) {
        return Optional.ofNullable(entries.get(key)).map(ConfigNode::text);
    }

    boolean flag(String key) {
        ConfigNode node = entries.get(key);
        return node != null
                && node.parsed(
                        text ->
                                switch (text.toLowerCase(Locale.ROOT)) {
                                    case "true" -> true;
                                    case "false" -> false;
                                    default ->
                                            throw new IllegalArgumentException(
                                                    "'" + text + "' is none of true and false");
                                });
    }

    /// The key `endpoint`.
    Optional<URI> endpoint(String example) {
        Optional<URI> endpoint = server("endpoint", example);
        if (endpoint.isPresent() && isHttp(endpoint.get()) && !flag("allow-http")) {
            throw unencrypted("endpoint");
        }
        return endpoint;
    }

    boolean isHttp(URI uri) {
        return "http".equals(uri.getScheme());
    }

    RuntimeException unencrypted(String key) {
        ConfigNode node = entries.get(key);
        if (node == null) {
            throw new IllegalStateException(key);
        }
        return node.invalid(
                "would send everything unencrypted: use https, or say allow-http: true beside it");
    }

    /// A key that names a server.
    Optional<URI> server(String key, String example) {
        ConfigNode node = entries.get(key);
        if (node == null) {
            return Optional.empty();
        }
        URI server = node.parsed(text -> web(text, example));
        if (server.getRawUserInfo() != null || server.getRawQuery() != null) {
            throw node.invalid("names a server only: https://HOST:PORT");
        }
        return Optional.of(server);
    }

    Route route() {
        return new Route(
                Optional.ofNullable(entries.get("ca-file")).map(path),
                Optional.ofNullable(entries.get("proxy"))
                        .map(
                                node ->
                                        node.parsed(
                                                text ->
                                                        web(
                                                                text,
                                                                "http://proxy.example.org:3128"))));
    }

    /// Never repeats the text: it may hold a password.
    private static URI web(String text, String example) {
        try {
            URI uri = new URI(text);
            boolean known = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (known && uri.getHost() != null && !uri.getHost().isEmpty()) {
                return uri;
            }
        } catch (URISyntaxException _) {
            // reported below, without its message, which repeats the text
        }
        throw new IllegalArgumentException("is no url of a server (try " + example + ")");
    }

    Optional<String> given(String key) {
        return Optional.ofNullable(entries.get(key)).map(this::given);
    }

    /// A value, or `{ file: PATH }`.
    private String given(ConfigNode node) {
        if (!node.isMapping()) {
            return node.secret().reveal();
        }
        ConfigNode file = node.entries("file").get("file");
        if (file == null) {
            throw node.invalid("must be ${NAME} or { file: PATH }");
        }
        Path from = path.apply(file);
        try {
            String text = Files.size(from) > MOST_SECRET ? "" : Files.readString(from).strip();
            if (text.isEmpty() || text.contains("\n")) {
                throw file.invalid(from + " does not hold one line");
            }
            return text;
        } catch (IOException unreadable) {
            throw file.invalid("cannot read " + from + ": " + unreadable);
        }
    }

    /// The one of some keys that is given.
    ///
    /// @throws dev.mainstay.base.MainstayException if there are two
    Optional<String> oneOf(List<String> keys) {
        List<String> there = keys.stream().filter(entries::containsKey).toList();
        ConfigNode second = there.size() > 1 ? entries.get(there.getLast()) : null;
        if (second != null) {
            throw second.invalid("cannot stand beside " + there.getFirst() + ": give one of them");
        }
        return there.stream().findFirst();
    }
}
