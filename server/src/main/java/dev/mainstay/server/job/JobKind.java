package dev.mainstay.server.job;

import java.util.Locale;

/// What jobs do.
public enum JobKind {
    BACKUP,
    EXPIRE,
    PRUNE,
    COPY,
    VERIFY,
    AMCHECK,
    /// Of one backup: what it says of the others is nothing.
    VERIFY_BACKUP,
    RESTORE,
    /// Reads and proves all that a restore would need.
    VALIDATE_RESTORE;

    /// As people write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// @throws IllegalArgumentException if there is no such kind
    public static JobKind parse(String word) {
        for (JobKind kind : values()) {
            if (kind.word().equals(word)) {
                return kind;
            }
        }
        throw new IllegalArgumentException("'" + word + "' is no kind of job");
    }
}
