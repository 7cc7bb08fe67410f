package dev.mainstay.server.metrics;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// What is known of a copy.
///
/// @param at when it was looked at
/// @param problem why it could not be looked at; empty if it could
/// @param lag what a restore from it alone would lack; empty if it could not restore every source
/// @param bytes that it holds; empty until they were counted
public record CopyFacts(
        String name,
        Instant at,
        Optional<String> problem,
        Optional<Duration> lag,
        Optional<Long> bytes) {}
