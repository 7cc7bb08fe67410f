package dev.mainstay.server.alert;

import java.util.Locale;

/// What happened to an alert.
public enum News {
    FIRED,
    /// Nobody acknowledged it in time.
    ESCALATED,
    ACKNOWLEDGED,
    RESOLVED;

    /// As people write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
