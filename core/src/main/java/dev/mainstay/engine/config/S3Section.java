package dev.mainstay.engine.config;

import dev.mainstay.storage.ObjectName;
import dev.mainstay.storage.remote.S3Place;

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
import java.util.Set;
import java.util.function.Function;

/// Keys of the section `repository` that belong to a repository in S3.
final class S3Section {
    static final List<String> KEYS =
            List.of(
                    "region",
                    "endpoint",
                    "allow-http",
                    "path-style",
                    "profile",
                    "access-key-id",
                    "secret-access-key",
                    "session-token",
                    "storage-class",
                    "server-side-encryption",
                    "ca-file",
                    "proxy");

    static final List<String> SECRETS = List.of("secret-access-key", "session-token");

    private static final String SCHEME = "s3://";
    private static final int MOST_SECRET = 64 << 10;

    /// Objects of these must be thawed for hours before they can be read.
    private static final Set<String> FROZEN = Set.of("GLACIER", "DEEP_ARCHIVE");

    private final Map<String, ConfigNode> entries;
    private final Function<ConfigNode, Path> path;

    private S3Section(Map<String, ConfigNode> entries, Function<ConfigNode, Path> path) {
        this.entries = entries;
        this.path = path;
    }

    /// @param entries of the section
    /// @param path reads a path
    static Optional<S3Place> read(
            String url, Map<String, ConfigNode> entries, Function<ConfigNode, Path> path) {
        if (url.startsWith(SCHEME)) {
            return Optional.of(new S3Section(entries, path).place(url));
        }
        for (String key : KEYS) {
            ConfigNode stray = entries.get(key);
            if (stray != null) {
                throw stray.invalid(
                        "belongs to a repository in S3 (s3://bucket/prefix), and repository.url is "
                                + url);
            }
        }
        return Optional.empty();
    }

    /// Whether the text names a bucket and a prefix.
    ///
    /// @throws IllegalArgumentException if it tries to
    static String checkUrl(String url) {
        if (!url.startsWith(SCHEME)) {
            return url;
        }
        String bucket = bucket(url);
        if (!bucket.matches("[a-z0-9A-Z][a-z0-9A-Z._-]{0,254}")) {
            throw new IllegalArgumentException(
                    "'" + url + "' names no bucket (try s3://bucket/prefix)");
        }
        String prefix = prefix(url);
        if (!prefix.isEmpty() && (!ObjectName.isValid(prefix) || prefix.length() > 400)) {
            throw new IllegalArgumentException(
                    "'"
                            + url
                            + "': a prefix is up to 400 of a-z A-Z 0-9 . _ - in parts between"
                            + " single '/'");
        }
        return url;
    }

    private static String bucket(String url) {
        String rest = url.substring(SCHEME.length());
        int slash = rest.indexOf('/');
        return slash < 0 ? rest : rest.substring(0, slash);
    }

    private static String prefix(String url) {
        String rest = url.substring(SCHEME.length());
        int slash = rest.indexOf('/');
        String prefix = slash < 0 ? "" : rest.substring(slash + 1);
        return prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix;
    }

    private S3Place place(String url) {
        Optional<URI> endpoint = endpoint();
        return new S3Place(
                bucket(url),
                prefix(url),
                text("region"),
                endpoint,
                flag("path-style"),
                login(),
                new S3Place.Storing(storageClass(), encryption()),
                new S3Place.Route(Optional.ofNullable(entries.get("ca-file")).map(path), proxy()));
    }

    private Optional<String> text(String key) {
        return Optional.ofNullable(entries.get(key)).map(ConfigNode::text);
    }

    private boolean flag(String key) {
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

    private Optional<URI> endpoint() {
        ConfigNode node = entries.get("endpoint");
        if (node == null) {
            return Optional.empty();
        }
        URI endpoint = node.parsed(text -> web(text, "https://minio.example.org:9000"));
        if (endpoint.getRawUserInfo() != null || endpoint.getRawQuery() != null) {
            throw node.invalid("names a server only: https://HOST:PORT");
        }
        if ("http".equals(endpoint.getScheme()) && !flag("allow-http")) {
            throw node.invalid(
                    "would send everything unencrypted: use https, or say allow-http: true beside"
                            + " it");
        }
        return Optional.of(endpoint);
    }

    private Optional<URI> proxy() {
        return Optional.ofNullable(entries.get("proxy"))
                .map(node -> node.parsed(text -> web(text, "http://proxy.example.org:3128")));
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

    private S3Place.Login login() {
        ConfigNode id = entries.get("access-key-id");
        ConfigNode secret = entries.get("secret-access-key");
        ConfigNode token = entries.get("session-token");
        ConfigNode profile = entries.get("profile");
        if (id == null && secret == null) {
            if (token != null) {
                throw token.invalid("needs access-key-id and secret-access-key beside it");
            }
            return new S3Place.Login.Chain(Optional.ofNullable(profile).map(ConfigNode::text));
        }
        ConfigNode one = id == null ? secret : id;
        if (one != null && (id == null || secret == null)) {
            throw one.invalid(
                    "needs " + (id == null ? "access-key-id" : "secret-access-key") + " beside it");
        }
        if (profile != null) {
            throw profile.invalid("cannot stand beside access-key-id: give one of them");
        }
        return new S3Place.Login.Keys(
                given(id), given(secret), Optional.ofNullable(token).map(this::given));
    }

    /// A value, or `{ file: PATH }`.
    private String given(@Nullable ConfigNode node) {
        if (node == null) {
            throw new IllegalStateException("checked before");
        }
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

    private Optional<String> storageClass() {
        ConfigNode node = entries.get("storage-class");
        if (node == null) {
            return Optional.empty();
        }
        String name = node.text().toUpperCase(Locale.ROOT);
        if (FROZEN.contains(name)) {
            throw node.invalid(
                    name
                            + " cannot be read before it was thawed, and Mainstay reads what it"
                            + " keeps; GLACIER_IR and STANDARD_IA can");
        }
        return Optional.of(name);
    }

    private Optional<S3Place.Encryption> encryption() {
        ConfigNode node = entries.get("server-side-encryption");
        if (node == null) {
            return Optional.empty();
        }
        Map<String, ConfigNode> parts =
                node.isMapping() ? node.entries("type", "kms-key") : Map.of("type", node);
        ConfigNode type = parts.get("type");
        if (type == null) {
            throw node.invalid("needs the key 'type'");
        }
        ConfigNode key = parts.get("kms-key");
        return Optional.of(
                switch (type.text()) {
                    case "AES256" -> {
                        if (key != null) {
                            throw key.invalid("belongs to the type aws:kms");
                        }
                        yield new S3Place.Encryption.Aes256();
                    }
                    case "aws:kms" ->
                            new S3Place.Encryption.Kms(
                                    Optional.ofNullable(key).map(ConfigNode::text));
                    default ->
                            throw type.invalid(
                                    "'" + type.text() + "' is none of AES256 and aws:kms");
                });
    }
}
