package dev.mainstay.server.security;

import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/// What is known of a token; not the token.
///
/// @param sources what it is for; empty: all sources and the whole repository
/// @param makers names of who made it, as [Persons] has them
public record ApiToken(
        String id,
        String name,
        Role role,
        Instant created,
        Optional<Instant> expires,
        Optional<Set<String>> sources,
        Set<String> makers) {
    public ApiToken {
        makers = Set.copyOf(makers);
        sources = sources.map(Set::copyOf);
    }

    /// As others are told of it.
    @Override
    public String toString() {
        return "token " + id + " (" + name + ")";
    }
}
