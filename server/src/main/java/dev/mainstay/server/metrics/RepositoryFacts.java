package dev.mainstay.server.metrics;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// What is known of the repository as a whole.
///
/// @param at when it was asked last
/// @param problem why it could not be read; empty if it could
/// @param bytesByKind of its objects, as they are stored; empty until they were counted
/// @param readThrough everything was read since then, piece by piece
/// @param clockAhead how far its store's clock is ahead of this host's; empty if it did not say
public record RepositoryFacts(
        Instant at,
        Optional<String> problem,
        Map<String, Long> bytesByKind,
        Optional<Instant> readThrough,
        Optional<Duration> clockAhead) {
    public RepositoryFacts {
        bytesByKind = Map.copyOf(bytesByKind);
    }

    public static RepositoryFacts unknown(Instant at) {
        return new RepositoryFacts(
                at, Optional.empty(), Map.of(), Optional.empty(), Optional.empty());
    }

    public Optional<Long> bytes() {
        return bytesByKind.isEmpty()
                ? Optional.empty()
                : Optional.of(bytesByKind.values().stream().mapToLong(Long::longValue).sum());
    }
}
