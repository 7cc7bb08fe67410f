package dev.mainstay.server.metrics;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What is known of the server process's own means.
///
/// @param certificateEnds when the certificate that it shows stops being valid; empty without TLS
/// @param configurationRefusal why the configuration file cannot be used since it was changed
/// @param tokens those that have an end
public record HostFacts(
        Optional<Instant> certificateEnds,
        Optional<String> configurationRefusal,
        List<ExpiringToken> tokens) {
    /// A token of the API.
    public record ExpiringToken(String id, String name, Instant ends) {}

    public HostFacts {
        tokens = List.copyOf(tokens);
    }
}
