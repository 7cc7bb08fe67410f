package dev.mainstay.server.metrics;

import dev.mainstay.engine.config.ServerSettings;
import dev.mainstay.server.security.TokenTable;

import org.springframework.boot.ssl.pem.PemContent;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Looks at what this server itself needs to go on.
final class HostLook {
    private final ServerSettings settings;
    private final TokenTable tokens;
    private final Supplier<Optional<String>> refusal;

    HostLook(
            ServerSettings settings, TokenTable tokens, Supplier<Optional<String>> refusal) {
        this.settings = settings;
        this.tokens = tokens;
        this.refusal = refusal;
    }

    HostFacts look() {
        List<HostFacts.ExpiringToken> expiring =
                tokens.list().stream()
                        .flatMap(
                                token ->
                                        token
                                                .expires()
                                                .map(
                                                        end ->
                                                                new HostFacts.ExpiringToken(
                                                                        token.id(),
                                                                        token.name(),
                                                                        end))
                                                .stream())
                        .toList();
        return new HostFacts(settings.tls().flatMap(HostLook::end), refusal.get(), expiring);
    }

    /// The end of the one that ends first: a chain holds as long as all of it does.
    private static Optional<Instant> end(ServerSettings.Tls tls) {
        try {
            return PemContent.load(tls.certificate()).getCertificates().stream()
                    .map(each -> each.getNotAfter().toInstant())
                    .min(Instant::compareTo);
        } catch (IOException | RuntimeException halfReplaced) {
            return Optional.empty();
        }
    }
}
