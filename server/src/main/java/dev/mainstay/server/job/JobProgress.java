package dev.mainstay.server.job;

import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;

/// How far a step of a job is.
///
/// @param total bytes; zero if nobody knows
/// @param seen when it was so
public record JobProgress(String step, long done, long total, Instant began, Instant seen) {
    /// Bytes a second since the step began.
    public long rate() {
        long millis = Math.max(1, Duration.between(began, seen).toMillis());
        return Math.round(done * 1000.0 / millis);
    }

    /// At the rate so far.
    public OptionalLong secondsLeft() {
        long rate = rate();
        return total <= done || rate == 0
                ? OptionalLong.empty()
                : OptionalLong.of((total - done + rate - 1) / rate);
    }
}
