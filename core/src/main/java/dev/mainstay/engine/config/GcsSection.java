package dev.mainstay.engine.config;

import dev.mainstay.storage.remote.GcsPlace;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// Keys of the section `repository` that belong to a repository in Google Cloud Storage.
final class GcsSection {
    static final String SCHEME = "gs://";

    static final List<String> KEYS =
            List.of(
                    "credentials-file",
                    "impersonate-service-account",
                    "anonymous",
                    "storage-class",
                    "kms-key");

    /// Those that say who asks.
    static final List<String> LOGIN =
            List.of("credentials-file", "impersonate-service-account", "anonymous");

    private static final Set<String> CLASSES =
            Set.of("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE");

    private final RemoteKeys keys;
    private final Function<ConfigNode, Path> path;

    private GcsSection(RemoteKeys keys, Function<ConfigNode, Path> path) {
        this.keys = keys;
        this.path = path;
    }

    static GcsPlace read(
            String url, Map<String, ConfigNode> entries, Function<ConfigNode, Path> path) {
        return new GcsSection(new RemoteKeys(entries, path), path).place(url);
    }

    /// @throws IllegalArgumentException if the text names no bucket, or no prefix
    static void checkUrl(String url) {
        String[] parts = RemoteKeys.parts(url, SCHEME, 1);
        if (!parts[0].matches("[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")) {
            throw new IllegalArgumentException(
                    "'" + url + "' names no bucket (try gs://bucket/prefix)");
        }
        RemoteKeys.checkPrefix(url, parts[1]);
    }

    private GcsPlace place(String url) {
        String[] parts = RemoteKeys.parts(url, SCHEME, 1);
        Optional<URI> endpoint = keys.endpoint("https://storage.example.org");
        return new GcsPlace(
                parts[0],
                parts[1],
                endpoint,
                login(keys, path, endpoint),
                new GcsPlace.Storing(storageClass(), keys.text("kms-key")),
                keys.route());
    }

    static GcsPlace.Login login(
            RemoteKeys keys, Function<ConfigNode, Path> path, Optional<URI> endpoint) {
        ConfigNode anonymous = keys.node("anonymous");
        if (anonymous != null && keys.flag("anonymous")) {
            if (endpoint.isEmpty()) {
                throw anonymous.invalid("needs the endpoint of an emulator beside it");
            }
            keys.oneOf(List.of("anonymous", "credentials-file"));
            keys.oneOf(List.of("anonymous", "impersonate-service-account"));
            return new GcsPlace.Login.Nobody();
        }
        ConfigNode server = keys.node("endpoint");
        if (server != null && endpoint.map(keys::isHttp).orElse(false)) {
            throw server.invalid(
                    "must be https where a token is sent; an emulator wants anonymous: true");
        }
        return new GcsPlace.Login.Chain(
                Optional.ofNullable(keys.node("credentials-file")).map(path),
                keys.text("impersonate-service-account"));
    }

    /// All of Google's classes can be read at once; the colder, the dearer.
    private Optional<String> storageClass() {
        ConfigNode node = keys.node("storage-class");
        if (node == null) {
            return Optional.empty();
        }
        String name = node.text().toUpperCase(Locale.ROOT);
        if (!CLASSES.contains(name)) {
            throw node.invalid(
                    "'" + node.text() + "' is none of STANDARD, NEARLINE, COLDLINE and ARCHIVE");
        }
        return Optional.of(name);
    }
}
