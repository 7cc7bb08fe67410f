package dev.mainstay.server.job;

import java.util.Locale;

/// How far a job is.
public enum JobState {
    QUEUED(false),
    RUNNING(false),
    DONE(true),
    FAILED(true),
    /// Somebody asked for it.
    CANCELLED(true),
    /// The server that ran it stopped, or was killed.
    INTERRUPTED(true);

    private final boolean end;

    JobState(boolean end) {
        this.end = end;
    }

    public boolean isEnd() {
        return end;
    }

    /// As people write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static JobState parse(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }
}
