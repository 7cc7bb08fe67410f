package dev.mainstay.engine.config;

import dev.mainstay.base.Loopback;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/// The section `server.tracing`.
final class TracingSection {
    private static final String PATH = "/v1/traces";
    private static final String EXAMPLE = "https://collector.example.org:4318" + PATH;
    private static final String SERVICE = "mainstay";
    private static final Pattern SHARE = Pattern.compile("0(\\.[0-9]{1,9})?|1(\\.0{1,9})?");
    private static final Pattern HEADER = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}");

    /// What the protocol says by itself.
    private static final Set<String> OWN =
            Set.of(
                    "connection",
                    "content-encoding",
                    "content-length",
                    "content-type",
                    "expect",
                    "host",
                    "transfer-encoding",
                    "upgrade",
                    "user-agent");

    private final Function<ConfigNode, Path> path;

    /// @param path reads a path
    TracingSection(Function<ConfigNode, Path> path) {
        this.path = path;
    }

    TracingSettings read(ConfigNode node) {
        Map<String, ConfigNode> entries =
                node.entries(
                        "endpoint", "allow-http", "sample", "headers", "ca-file", "service-name");
        ConfigNode plain = entries.get("allow-http");
        boolean insecure = plain != null && plain.parsed(ServerSection::truth);
        double sample = Sections.parsed(entries.get("sample"), TracingSection::share, 1.0);
        Map<String, Secret> headers =
                Optional.ofNullable(entries.get("headers")).map(this::headers).orElse(Map.of());
        Optional<Path> authorities = Optional.ofNullable(entries.get("ca-file")).map(path);
        String service =
                Optional.ofNullable(entries.get("service-name"))
                        .map(ConfigNode::text)
                        .orElse(SERVICE);
        ConfigNode at = Sections.required(node, entries, "endpoint");
        URI endpoint = at.parsed(TracingSection::endpoint);
        if (!"https".equals(endpoint.getScheme())
                && !insecure
                && !Loopback.is(String.valueOf(endpoint.getHost()))) {
            throw at.invalid(
                    "would send everything unencrypted: use https, or say allow-http: true beside"
                            + " it");
        }
        return new TracingSettings(endpoint, sample, headers, authorities, service);
    }

    /// Never repeats the text: it may hold a password.
    private static URI endpoint(String text) {
        try {
            URI url = new URI(text);
            boolean known = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
            if (known
                    && url.getHost() != null
                    && url.getRawUserInfo() == null
                    && url.getRawQuery() == null
                    && url.getRawFragment() == null) {
                String below = String.valueOf(url.getRawPath());
                return below.isEmpty() || below.equals("/") ? url.resolve(PATH) : url;
            }
        } catch (URISyntaxException _) {
            // reported below, without its message, which repeats the text
        }
        throw new IllegalArgumentException("is no url of a collector (try " + EXAMPLE + ")");
    }

    private static double share(String text) {
        if (!SHARE.matcher(text).matches()) {
            throw new IllegalArgumentException("'" + text + "' is no share from 0 to 1 (try 0.1)");
        }
        return Double.parseDouble(text);
    }

    private Map<String, Secret> headers(ConfigNode node) {
        Map<String, Secret> headers = new LinkedHashMap<>();
        node.entries().forEach((name, value) -> headers.put(name, header(name, value)));
        return headers;
    }

    private Secret header(String name, ConfigNode node) {
        if (!HEADER.matcher(name).matches() || OWN.contains(name.toLowerCase(Locale.ROOT))) {
            throw node.invalid("is no name of a header that can be given");
        }
        Secret value = SecretValue.read(node, path);
        if (value.reveal().chars().anyMatch(c -> c < ' ' || c > '~')) {
            throw node.invalid("cannot be sent: it holds more than letters, digits and signs");
        }
        return value;
    }
}
