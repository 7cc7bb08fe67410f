package dev.mainstay.server.metrics;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;

/// What is known of the state of protection. What was not found out yet, or could not be, is
/// absent: nothing in here is guessed.
///
/// @param at when it was put together
/// @param sources by name, in the order of the configuration
/// @param copies by name, in the order of the configuration
/// @param spaces file systems that must not fill
public record Facts(
        Instant at,
        Map<String, SourceFacts> sources,
        Map<String, CopyFacts> copies,
        RepositoryFacts repository,
        JobFacts jobs,
        List<SpaceFacts> spaces,
        HostFacts host) {
    public Facts {
        sources = Collections.unmodifiableMap(new LinkedHashMap<>(sources));
        copies = Collections.unmodifiableMap(new LinkedHashMap<>(copies));
        spaces = List.copyOf(spaces);
    }

    /// @throws NoSuchElementException if no such source is configured
    public SourceFacts source(String name) {
        return Optional.ofNullable(sources.get(name))
                .orElseThrow(() -> new NoSuchElementException(name));
    }
}
