package dev.mainstay.engine.config;

import dev.mainstay.storage.remote.AzurePlace;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Keys of the section `repository` that belong to a repository in Azure Blob Storage.
final class AzureSection {
    static final String SCHEME = "az://";

    static final List<String> KEYS =
            List.of(
                    "account-key",
                    "sas-token",
                    "connection-string",
                    "client-id",
                    "authority-host",
                    "access-tier",
                    "encryption-scope");

    /// Those that say whose identity asks.
    static final List<String> IDENTITY = List.of("client-id", "authority-host");

    static final List<String> SECRETS = List.of("account-key", "sas-token", "connection-string");

    private static final String EXAMPLE = "https://ACCOUNT.blob.core.windows.net";

    private final RemoteKeys keys;

    private AzureSection(RemoteKeys keys) {
        this.keys = keys;
    }

    static AzurePlace read(
            String url, Map<String, ConfigNode> entries, Function<ConfigNode, Path> path) {
        return new AzureSection(new RemoteKeys(entries, path)).place(url);
    }

    /// @throws IllegalArgumentException if the text names no account, no container, or no prefix
    static void checkUrl(String url) {
        String[] parts = RemoteKeys.parts(url, SCHEME, 2);
        if (!parts[0].matches("[a-z0-9]{3,24}")
                || !parts[1].matches("[a-z0-9](-?[a-z0-9]){2,62}")
                || parts[1].length() > 63) {
            throw new IllegalArgumentException(
                    "'"
                            + url
                            + "' names no account and container (try"
                            + " az://account/container/prefix)");
        }
        RemoteKeys.checkPrefix(url, parts[2]);
    }

    private AzurePlace place(String url) {
        String[] parts = RemoteKeys.parts(url, SCHEME, 2);
        Optional<URI> endpoint = keys.endpoint(EXAMPLE);
        return new AzurePlace(
                parts[0],
                parts[1],
                parts[2],
                endpoint,
                login(parts[0], endpoint),
                new AzurePlace.Storing(tier(), keys.text("encryption-scope")),
                keys.route());
    }

    private AzurePlace.Login login(String account, Optional<URI> endpoint) {
        Optional<String> given = keys.oneOf(SECRETS);
        if (given.isEmpty()) {
            return chain(endpoint);
        }
        for (String stray : IDENTITY) {
            ConfigNode node = keys.node(stray);
            if (node != null) {
                throw node.invalid("cannot stand beside " + given.get() + ": give one of them");
            }
        }
        String secret = keys.given(given.get()).orElseThrow();
        return switch (given.get()) {
            case "account-key" -> new AzurePlace.Login.AccountKey(secret);
            case "sas-token" ->
                    new AzurePlace.Login.Sas(secret.startsWith("?") ? secret.substring(1) : secret);
            default -> connectionString(account, secret);
        };
    }

    private AzurePlace.Login chain(Optional<URI> endpoint) {
        ConfigNode node = keys.node("endpoint");
        if (node != null && endpoint.isPresent() && keys.isHttp(endpoint.get())) {
            throw node.invalid(
                    "must be https where a token of an identity is sent; with http give"
                            + " account-key, sas-token or connection-string");
        }
        return identity(keys);
    }

    static AzurePlace.Login.Chain identity(RemoteKeys keys) {
        return new AzurePlace.Login.Chain(
                keys.text("client-id"),
                keys.server("authority-host", "https://login.microsoftonline.us"));
    }

    /// Never repeats the text: it holds a secret.
    private AzurePlace.Login connectionString(String account, String text) {
        ConfigNode endpoint = keys.node("endpoint");
        if (endpoint != null) {
            throw endpoint.invalid("cannot stand beside connection-string, which says it");
        }
        ConfigNode node = keys.node("connection-string");
        if (node == null) {
            throw new IllegalStateException("checked before");
        }
        String plain = text.toLowerCase(Locale.ROOT);
        boolean emulator = plain.contains("usedevelopmentstorage=true");
        boolean http =
                emulator
                        || plain.contains("defaultendpointsprotocol=http;")
                        || plain.endsWith("defaultendpointsprotocol=http")
                        || plain.contains("blobendpoint=http:");
        if (http && !keys.flag("allow-http")) {
            throw keys.unencrypted("connection-string");
        }
        boolean names =
                List.of(text.split(";", -1)).stream()
                        .filter(part -> part.toLowerCase(Locale.ROOT).startsWith("accountname="))
                        .allMatch(part -> part.substring("accountname=".length()).equals(account));
        if (!names) {
            throw node.invalid("is that of another account than " + account);
        }
        if (!plain.contains("=")) {
            throw node.invalid("is none (try AccountName=NAME;AccountKey=KEY)");
        }
        return new AzurePlace.Login.ConnectionString(text);
    }

    private Optional<String> tier() {
        ConfigNode node = keys.node("access-tier");
        if (node == null) {
            return Optional.empty();
        }
        return Optional.of(
                switch (node.text().toLowerCase(Locale.ROOT)) {
                    case "hot" -> "Hot";
                    case "cool" -> "Cool";
                    case "cold" -> "Cold";
                    case "archive" ->
                            throw node.invalid(
                                    "Archive cannot be read before it was thawed, and Mainstay"
                                            + " reads what it keeps; Cold can");
                    default ->
                            throw node.invalid(
                                    "'" + node.text() + "' is none of Hot, Cool and Cold");
                });
    }
}
