package dev.mainstay.server.alert;

import java.util.Locale;

/// How an alert stands.
public enum AlertState {
    FIRING,
    /// Somebody looks after it.
    ACKNOWLEDGED,
    /// It is over, or somebody said that it is.
    RESOLVED;

    /// As people write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static AlertState parse(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }
}
