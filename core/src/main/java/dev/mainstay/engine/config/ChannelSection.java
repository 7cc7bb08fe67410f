package dev.mainstay.engine.config;

import dev.mainstay.base.Loopback;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Reads a channel of `server.notifications.channels`. What is secret comes from the environment or
/// a file of its own, never from this one.
final class ChannelSection {
    private static final String PAGERDUTY = "https://events.pagerduty.com/v2/enqueue";

    private final Function<ConfigNode, Path> path;

    ChannelSection(Function<ConfigNode, Path> path) {
        this.path = path;
    }

    ChannelSettings read(String name, ConfigNode node) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")) {
            throw node.invalid(
                    "the name of a channel has up to 63 letters, digits, '-', '_' and '.'");
        }
        ConfigNode type = node.entries().get("type");
        if (type == null) {
            throw node.invalid("needs the key 'type'");
        }
        return switch (type.text()) {
            case "email" -> email(name, node);
            case "slack" -> {
                Map<String, ConfigNode> entries = node.entries("type", "url", "ca-file");
                yield new ChannelSettings.Slack(name, ca(entries), address(node, entries));
            }
            case "teams" -> {
                Map<String, ConfigNode> entries = node.entries("type", "url", "ca-file");
                yield new ChannelSettings.Teams(name, ca(entries), address(node, entries));
            }
            case "pagerduty" -> {
                Map<String, ConfigNode> entries =
                        node.entries("type", "routing-key", "url", "ca-file");
                ConfigNode url = entries.get("url");
                yield new ChannelSettings.PagerDuty(
                        name,
                        ca(entries),
                        url == null ? URI.create(PAGERDUTY) : url.parsed(ChannelSection::https),
                        secret(Sections.required(node, entries, "routing-key")));
            }
            case "sentry" -> {
                Map<String, ConfigNode> entries = node.entries("type", "dsn", "ca-file");
                ConfigNode dsn = Sections.required(node, entries, "dsn");
                yield new ChannelSettings.Sentry(name, ca(entries), checked(dsn));
            }
            case "webhook" -> {
                Map<String, ConfigNode> entries = node.entries("type", "url", "secret", "ca-file");
                yield new ChannelSettings.Webhook(
                        name,
                        ca(entries),
                        address(node, entries),
                        secret(Sections.required(node, entries, "secret")));
            }
            default ->
                    throw type.invalid(
                            "'"
                                    + type.text()
                                    + "' is none of email, slack, teams, pagerduty, sentry and"
                                    + " webhook");
        };
    }

    private Optional<Path> ca(Map<String, ConfigNode> entries) {
        return Optional.ofNullable(entries.get("ca-file")).map(path);
    }

    private ChannelSettings email(String name, ConfigNode node) {
        Map<String, ConfigNode> entries =
                node.entries(
                        "type", "host", "port", "tls", "user", "password", "from", "to", "ca-file");
        String host = Sections.required(node, entries, "host").text();
        ConfigNode tls = entries.get("tls");
        String how = tls == null ? "starttls" : tls.text();
        boolean plain = how.equals("none");
        if (!plain && !how.equals("starttls") && !how.equals("on")) {
            throw node.invalid("tls is none of starttls, on and none");
        }
        if (plain && !Loopback.is(host)) {
            throw node.invalid("tls: none is for a relay on this host, not for '" + host + "'");
        }
        ConfigNode port = entries.get("port");
        ConfigNode user = entries.get("user");
        ConfigNode password = entries.get("password");
        if ((user == null) != (password == null)) {
            throw node.invalid("user and password stand together");
        }
        return new ChannelSettings.Email(
                name,
                ca(entries),
                host,
                port == null
                        ? (how.equals("on") ? 465 : plain ? 25 : 587)
                        : port.integer(1, 65_535),
                how.equals("starttls"),
                plain,
                Optional.ofNullable(user).map(ConfigNode::text),
                Optional.ofNullable(password).map(this::secret),
                Sections.required(node, entries, "from").text(),
                Sections.required(node, entries, "to").texts());
    }

    private Secret address(ConfigNode node, Map<String, ConfigNode> entries) {
        return checked(Sections.required(node, entries, "url"));
    }

    private Secret checked(ConfigNode node) {
        Secret secret = secret(node);
        try {
            https(secret.reveal());
        } catch (IllegalArgumentException wrong) {
            throw node.invalid("is no https url"); // what it is nobody should read
        }
        return secret;
    }

    private Secret secret(ConfigNode node) {
        return SecretValue.read(node, path);
    }

    private static URI https(String text) {
        URI url = URI.create(text);
        String scheme = String.valueOf(url.getScheme());
        @Nullable String host = url.getHost();
        if (host == null
                || !(scheme.equals("https") || (scheme.equals("http") && Loopback.is(host)))) {
            throw new IllegalArgumentException("'" + text + "' is no https url");
        }
        return url;
    }
}
