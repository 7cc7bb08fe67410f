package dev.mainstay.engine.config;

import dev.mainstay.base.Loopback;

import java.net.URI;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The section `server.oidc`.
final class OidcSection {
    private static final List<String> ROLES =
            List.of("viewer", "operator", "auditor", "administrator");

    private OidcSection() {}

    static OidcSettings read(ConfigNode node, Function<ConfigNode, Path> path) {
        Map<String, ConfigNode> entries =
                node.entries(
                        "issuer",
                        "audience",
                        "jwk-set-uri",
                        "roles-claim",
                        "role-mapping",
                        "sources-claim",
                        "ca-file");
        return new OidcSettings(
                Sections.required(node, entries, "issuer").parsed(OidcSection::url),
                Sections.required(node, entries, "audience").text(),
                Optional.ofNullable(entries.get("jwk-set-uri"))
                        .map(each -> each.parsed(OidcSection::url)),
                Optional.ofNullable(entries.get("roles-claim"))
                        .map(ConfigNode::text)
                        .orElse("roles"),
                Optional.ofNullable(entries.get("role-mapping"))
                        .map(OidcSection::roles)
                        .orElse(Map.of()),
                Optional.ofNullable(entries.get("sources-claim")).map(ConfigNode::text),
                Optional.ofNullable(entries.get("ca-file")).map(path));
    }

    private static Map<String, String> roles(ConfigNode node) {
        Map<String, String> roles = new LinkedHashMap<>();
        node.entries().forEach((value, role) -> roles.put(value, role.parsed(OidcSection::role)));
        return roles;
    }

    private static String role(String word) {
        if (!ROLES.contains(word)) {
            throw new IllegalArgumentException(
                    "'" + word + "' is none of " + String.join(", ", ROLES));
        }
        return word;
    }

    /// Who can change what an issuer answers can be anybody: so nobody else may.
    private static String url(String text) {
        URI url;
        try {
            url = URI.create(text);
        } catch (IllegalArgumentException wrong) {
            throw new IllegalArgumentException("'" + text + "' is no URL", wrong);
        }
        String host = Optional.ofNullable(url.getHost()).orElse("");
        boolean safe =
                "https".equals(url.getScheme())
                        || "http".equals(url.getScheme()) && Loopback.is(host);
        if (host.isEmpty() || !safe) {
            throw new IllegalArgumentException("'" + text + "' is no https:// URL");
        }
        return text;
    }
}
