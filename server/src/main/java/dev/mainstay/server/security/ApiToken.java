package dev.mainstay.server.security;

import java.time.Instant;
import java.util.Optional;

/// What is known of a token; not the token.
public record ApiToken(
        String id, String name, Role role, Instant created, Optional<Instant> expires) {
    /// As others are told of it.
    @Override
    public String toString() {
        return "token " + id + " (" + name + ")";
    }
}
