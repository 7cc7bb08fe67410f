package dev.mainstay.server.security;

import io.github.bucket4j.Bucket;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/// How much of a limit a minute each of many has left; who was not seen for long is forgotten.
final class Buckets {
    private static final int MOST = 10_000;
    private static final long NANOS = Duration.ofSeconds(1).toNanos();

    private final int perMinute;
    private final Map<String, Bucket> buckets =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
                    return size() > MOST;
                }
            };

    Buckets(int perMinute) {
        this.perMinute = perMinute;
    }

    private synchronized Bucket of(String whom) {
        return buckets.computeIfAbsent(
                whom,
                _ ->
                        Bucket.builder()
                                .addLimit(
                                        limit ->
                                                limit.capacity(perMinute)
                                                        .refillGreedy(
                                                                perMinute, Duration.ofMinutes(1)))
                                .build());
    }

    /// Takes one.
    ///
    /// @return seconds to wait if there is none left, else 0
    long take(String whom) {
        return seconds(of(whom).tryConsumeAndReturnRemaining(1).getNanosToWaitForRefill());
    }

    /// Seconds until there is one to take, 0 if there is one now.
    long wait(String whom) {
        return seconds(of(whom).estimateAbilityToConsume(1).getNanosToWaitForRefill());
    }

    private static long seconds(long nanos) {
        return (nanos + NANOS - 1) / NANOS;
    }
}
