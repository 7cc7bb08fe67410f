package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import java.time.Duration;

/// How a rule judges; what it has no use for is zero.
///
/// @param after how long something may be so
/// @param size how much something may be
/// @param percent that have to be free
public record RuleSettings(Severity severity, Duration after, ByteSize size, int percent) {
    /// The same, as grave as this.
    public RuleSettings with(Severity other) {
        return new RuleSettings(other, after, size, percent);
    }

    /// The same, no graver than this.
    public RuleSettings atMost(Severity most) {
        return severity.isGraverThan(most) ? with(most) : this;
    }
}
