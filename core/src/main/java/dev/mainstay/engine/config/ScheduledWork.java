package dev.mainstay.engine.config;

import java.util.Locale;

/// What a server does by itself.
public enum ScheduledWork {
    FULL,
    INCREMENTAL,
    EXPIRE,
    VERIFY,
    AMCHECK,
    PRUNE,
    COPY,
    SCRUB;

    /// Its key in the file.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
