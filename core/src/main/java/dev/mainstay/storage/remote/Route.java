package dev.mainstay.storage.remote;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/// How a server is reached.
///
/// @param caFile certificates (PEM) that are trusted, instead of those of the JDK
/// @param proxy through which requests go; may hold a user and a password
public record Route(Optional<Path> caFile, Optional<URI> proxy) {
    public static final Route DIRECT = new Route(Optional.empty(), Optional.empty());

    /// A proxy in its parts.
    ///
    /// @param scheme of the way to it: `http` or `https`
    public record Proxy(String scheme, String host, int port, Optional<User> user) {
        static Proxy of(URI uri) {
            int port =
                    uri.getPort() >= 0 ? uri.getPort() : "https".equals(uri.getScheme()) ? 443 : 80;
            return new Proxy(
                    uri.getScheme(),
                    uri.getHost(),
                    port,
                    Optional.ofNullable(uri.getRawUserInfo()).map(User::of));
        }
    }

    /// Whom a proxy lets through.
    public record User(String name, String password) {
        static User of(String raw) {
            int colon = raw.indexOf(':');
            return new User(
                    decoded(colon < 0 ? raw : raw.substring(0, colon)),
                    colon < 0 ? "" : decoded(raw.substring(colon + 1)));
        }

        private static String decoded(String text) {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        }

        @Override
        public String toString() {
            return "User(hidden)";
        }
    }

    /// The proxy, if there is one.
    public Optional<Proxy> through() {
        return proxy.map(Proxy::of);
    }

    @Override
    public String toString() {
        return "Route[" + caFile + (proxy.isPresent() ? ", proxy]" : "]");
    }
}
