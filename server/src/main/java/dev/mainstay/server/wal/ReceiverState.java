package dev.mainstay.server.wal;

import java.util.Locale;

/// What becomes of a source's WAL here.
public enum ReceiverState {
    STARTING,
    RECEIVING,
    /// Another receiver of the source runs; this server takes over when that one is gone.
    STANDING_BY,
    /// It ended with an error, and is tried again.
    FAILED,
    STOPPED;

    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static ReceiverState parse(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
}
