package dev.mainstay.engine.config;

import dev.mainstay.storage.remote.S3Place;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// Keys of the section `repository` that belong to a repository in S3.
final class S3Section {
    static final String SCHEME = "s3://";

    static final List<String> KEYS =
            List.of(
                    "region",
                    "path-style",
                    "profile",
                    "access-key-id",
                    "secret-access-key",
                    "session-token",
                    "storage-class",
                    "server-side-encryption",
                    "lock");

    /// Those that say who asks.
    static final List<String> LOGIN =
            List.of("region", "profile", "access-key-id", "secret-access-key", "session-token");

    static final List<String> SECRETS = List.of("secret-access-key", "session-token");

    /// Objects of these must be thawed for hours before they can be read.
    private static final Set<String> FROZEN = Set.of("GLACIER", "DEEP_ARCHIVE");

    private final RemoteKeys keys;

    private S3Section(RemoteKeys keys) {
        this.keys = keys;
    }

    static S3Place read(
            String url, Map<String, ConfigNode> entries, Function<ConfigNode, Path> path) {
        return new S3Section(new RemoteKeys(entries, path)).place(url);
    }

    /// @throws IllegalArgumentException if the text names no bucket, or no prefix
    static void checkUrl(String url) {
        String[] parts = RemoteKeys.parts(url, SCHEME, 1);
        if (!parts[0].matches("[a-z0-9A-Z][a-z0-9A-Z._-]{0,254}")) {
            throw new IllegalArgumentException(
                    "'" + url + "' names no bucket (try s3://bucket/prefix)");
        }
        RemoteKeys.checkPrefix(url, parts[1]);
    }

    private S3Place place(String url) {
        String[] parts = RemoteKeys.parts(url, SCHEME, 1);
        return new S3Place(
                parts[0],
                parts[1],
                keys.text("region"),
                keys.endpoint("https://minio.example.org:9000"),
                keys.flag("path-style"),
                login(keys),
                new S3Place.Storing(storageClass(), encryption()),
                keys.route());
    }

    static S3Place.Login login(RemoteKeys keys) {
        ConfigNode id = keys.node("access-key-id");
        ConfigNode secret = keys.node("secret-access-key");
        ConfigNode token = keys.node("session-token");
        ConfigNode profile = keys.node("profile");
        if (id == null && secret == null) {
            if (token != null) {
                throw token.invalid("needs access-key-id and secret-access-key beside it");
            }
            return new S3Place.Login.Chain(keys.text("profile"));
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
                keys.given("access-key-id").orElseThrow(),
                keys.given("secret-access-key").orElseThrow(),
                keys.given("session-token"));
    }

    private Optional<String> storageClass() {
        ConfigNode node = keys.node("storage-class");
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
        ConfigNode node = keys.node("server-side-encryption");
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
