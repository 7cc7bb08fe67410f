package dev.mainstay.engine.config;

import java.util.Locale;

/// How much an alert matters, the gravest first.
public enum Severity {
    CRITICAL,
    HIGH,
    WARNING,
    INFO;

    /// As people write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// @throws IllegalArgumentException if there is none
    public static Severity parse(String word) {
        for (Severity severity : values()) {
            if (severity.word().equals(word)) {
                return severity;
            }
        }
        throw new IllegalArgumentException(
                "'" + word + "' is none of critical, high, warning and info");
    }

    public boolean isGraverThan(Severity other) {
        return compareTo(other) < 0;
    }
}
