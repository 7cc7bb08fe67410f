package dev.mainstay.engine.config;

import dev.mainstay.base.Loopback;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;

/// The section `server`.
final class ServerSection {
    private static final int MOST_PORT = 65_535;
    private static final Duration SHORTEST_HISTORY = Duration.ofDays(7);

    private final Function<ConfigNode, Path> path;
    private final BiConsumer<ConfigNode, String> secret;

    /// @param secret is told of each value that nobody else should read, and what it is
    ServerSection(Function<ConfigNode, Path> path, BiConsumer<ConfigNode, String> secret) {
        this.path = path;
        this.secret = secret;
    }

    private record Listen(String host, int port) {}

    ServerSettings read(@Nullable ConfigNode node) {
        if (node == null) {
            return ServerSettings.defaults();
        }
        Map<String, ConfigNode> entries =
                node.entries(
                        "listen",
                        "tls",
                        "insecure-http",
                        "state",
                        "schedules",
                        "health-details",
                        "oidc",
                        "limits",
                        "confirmations",
                        "jobs",
                        "log",
                        "history",
                        "tracing",
                        "metrics",
                        "alerts",
                        "notifications",
                        "reports");
        ConfigNode at = entries.get("listen");
        Listen listen =
                at == null
                        ? new Listen(ServerSettings.DEFAULT_HOST, ServerSettings.DEFAULT_PORT)
                        : at.parsed(ServerSection::listen);
        Optional<ServerSettings.Tls> tls = Optional.ofNullable(entries.get("tls")).map(this::tls);
        ConfigNode plain = entries.get("insecure-http");
        boolean insecure = plain != null && plain.parsed(ServerSection::truth);
        if (plain != null && insecure && tls.isPresent()) {
            throw plain.invalid("stands beside 'tls': only one of them can be meant");
        }
        if (tls.isEmpty() && !insecure && !Loopback.is(listen.host)) {
            throw (at == null ? node : at)
                    .invalid(
                            "'"
                                    + listen.host
                                    + "' is not of this host alone, so 'tls' is needed (or"
                                    + " insecure-http: true, behind a proxy that does it)");
        }
        ConfigNode state = entries.get("state");
        ConfigNode details = entries.get("health-details");
        return new ServerSettings(
                listen.host,
                listen.port,
                tls,
                insecure,
                state == null
                        ? new ServerState.Directory(ServerState.Directory.DEFAULT)
                        : state(state),
                SchedulesSection.ofRepository(entries.get("schedules")),
                details == null || details.parsed(ServerSection::truth),
                new WatchSection(path).read(entries),
                Optional.ofNullable(entries.get("oidc")).map(each -> OidcSection.read(each, path)),
                Optional.ofNullable(entries.get("limits"))
                        .map(LimitSettings::read)
                        .orElse(LimitSettings.DEFAULT),
                Optional.ofNullable(entries.get("confirmations"))
                        .map(ConfirmationSettings::read)
                        .orElse(ConfirmationSettings.DEFAULT),
                Optional.ofNullable(entries.get("jobs"))
                        .map(RetrySettings::read)
                        .orElse(RetrySettings.DEFAULT),
                Optional.ofNullable(entries.get("log"))
                        .map(each -> each.parsed(ServerSettings.Log::parse))
                        .orElse(ServerSettings.Log.TEXT),
                Optional.ofNullable(entries.get("history"))
                        .map(each -> each.parsed(ServerSection::history))
                        .orElse(ServerSettings.DEFAULT_HISTORY),
                Optional.ofNullable(entries.get("tracing")).map(new TracingSection(path)::read));
    }

    private static Duration history(String text) {
        Duration history = Durations.parse(text);
        if (history.compareTo(SHORTEST_HISTORY) < 0) {
            throw new IllegalArgumentException("'" + text + "' is less than 7d");
        }
        return history;
    }

    private ServerSettings.Tls tls(ConfigNode node) {
        Map<String, ConfigNode> entries =
                node.entries("certificate", "key", "client-ca", "client-certificate");
        ConfigNode authorities = entries.get("client-ca");
        ConfigNode needed = entries.get("client-certificate");
        if (authorities == null && needed != null) {
            throw needed.invalid("needs client-ca: who vouches for clients");
        }
        boolean everywhere = needed == null || needed.parsed(ServerSection::everywhere);
        return new ServerSettings.Tls(
                path.apply(Sections.required(node, entries, "certificate")),
                path.apply(Sections.required(node, entries, "key")),
                Optional.ofNullable(authorities)
                        .map(each -> new ServerSettings.Clients(path.apply(each), everywhere)));
    }

    private static boolean everywhere(String text) {
        return switch (text) {
            case "required" -> true;
            case "api" -> false;
            default ->
                    throw new IllegalArgumentException(
                            "'" + text + "' is none of required and api");
        };
    }

    private ServerState state(ConfigNode node) {
        Map<String, ConfigNode> entries = node.entries("directory", "url", "password");
        ConfigNode directory = entries.get("directory");
        ConfigNode url = entries.get("url");
        ConfigNode password = entries.get("password");
        if ((directory == null) == (url == null)) {
            throw node.invalid("needs one of directory and url");
        }
        if (url == null) {
            if (password != null) {
                throw password.invalid("is for a url");
            }
            return new ServerState.Directory(path.apply(directory));
        }
        String text = url.parsed(PostgresSection::serverUrl);
        if (UrlPassword.isIn(text)) {
            secret.accept(url, "password");
        }
        if (password != null) {
            secret.accept(password, "password");
        }
        return new ServerState.Shared(text, Optional.ofNullable(password).map(ConfigNode::secret));
    }

    static boolean truth(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default ->
                    throw new IllegalArgumentException("'" + text + "' is none of true and false");
        };
    }

    /// `HOST:PORT`; of an IPv6 address in brackets.
    private static Listen listen(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            host = "";
        }
        try {
            int port = Integer.parseInt(text.substring(colon + 1));
            if (!host.isEmpty() && port >= 0 && port <= MOST_PORT) {
                return new Listen(host, port);
            }
        } catch (NumberFormatException wrong) {
            throw new IllegalArgumentException(notListen(text), wrong);
        }
        throw new IllegalArgumentException(notListen(text));
    }

    private static String notListen(String text) {
        return "'" + text + "' is no address to listen at (try 127.0.0.1:8443 or [::1]:8443)";
    }
}
