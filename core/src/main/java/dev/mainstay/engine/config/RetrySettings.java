package dev.mainstay.engine.config;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// The section `server.jobs.retry`: how often a job is tried that failed of what may pass.
///
/// @param attempts all together, the first one included
/// @param firstAfter how long after the first failure; after each further one it is twice as long
/// @param atMost no pause is longer
public record RetrySettings(int attempts, Duration firstAfter, Duration atMost) {
    /// What holds where nothing is said.
    public static final RetrySettings DEFAULT =
            new RetrySettings(3, Duration.ofMinutes(1), Duration.ofMinutes(15));

    private static final RetrySettings OFF =
            new RetrySettings(1, DEFAULT.firstAfter, DEFAULT.atMost);
    private static final int MOST = 20;
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofHours(12);

    /// @param jobs the section `server.jobs`
    static RetrySettings read(ConfigNode jobs) {
        return Optional.ofNullable(jobs.entries("retry").get("retry"))
                .map(RetrySettings::ofRetry)
                .orElse(DEFAULT);
    }

    private static RetrySettings ofRetry(ConfigNode node) {
        if (!node.isMapping() && node.text().equals("off")) {
            return OFF;
        }
        Map<String, ConfigNode> entries = node.entries("attempts", "first-after", "at-most");
        Duration first = pause(entries, "first-after").orElse(DEFAULT.firstAfter);
        Optional<Duration> most = pause(entries, "at-most");
        if (most.isPresent() && most.get().compareTo(first) < 0) {
            throw node.invalid("at-most is less than first-after");
        }
        return new RetrySettings(
                Optional.ofNullable(entries.get("attempts"))
                        .map(each -> each.integer(1, MOST))
                        .orElse(DEFAULT.attempts),
                first,
                most.orElse(first.compareTo(DEFAULT.atMost) > 0 ? first : DEFAULT.atMost));
    }

    private static Optional<Duration> pause(Map<String, ConfigNode> entries, String key) {
        return Optional.ofNullable(entries.get(key))
                .map(each -> each.parsed(RetrySettings::duration));
    }

    private static Duration duration(String text) {
        Duration duration = Durations.parse(text);
        if (duration.compareTo(SHORTEST) < 0 || duration.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("'" + text + "' is not between 1s and 12h");
        }
        return duration;
    }
}
