package dev.mainstay.server.metrics;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What is known of the server process's own means.
///
/// @param certificateEnds when the certificate that it shows stops being valid; empty without TLS
/// @param tokens those that have an end
public record HostFacts(Optional<Instant> certificateEnds, List<ExpiringToken> tokens) {
    /// A token of the API.
    public record ExpiringToken(String id, String name, Instant ends) {}

    public HostFacts {
        tokens = List.copyOf(tokens);
    }
}
