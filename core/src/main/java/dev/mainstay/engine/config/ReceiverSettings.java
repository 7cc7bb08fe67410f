package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/// The section `receiver` of a PostgreSQL source: how its WAL is streamed.
///
/// @param spool folder on this host's own disk where received WAL is synced first
/// @param spoolLimit what may wait there while the repository is down; then receiving stops
/// @param slot name of the replication slot that makes the server keep what is not stored
/// @param statusInterval how often positions are reported when nothing happens
/// @param shipInterval how often the unfinished segment is shipped to the repository
/// @param byServer whether `mainstay server` runs it; `mainstay wal receive` does in any case
public record ReceiverSettings(
        Path spool,
        ByteSize spoolLimit,
        String slot,
        Duration statusInterval,
        Duration shipInterval,
        boolean byServer) {
    public static final ByteSize DEFAULT_SPOOL_LIMIT = ByteSize.mib(10 * 1024);
    public static final Duration DEFAULT_STATUS_INTERVAL = Duration.ofSeconds(10);
    public static final Duration DEFAULT_SHIP_INTERVAL = Duration.ofSeconds(5);
    private static final int LONGEST_SLOT_NAME = 63;

    /// What a source has whose configuration says nothing about its receiver.
    public static ReceiverSettings defaults(String sourceName) {
        return new ReceiverSettings(
                defaultSpool(sourceName),
                DEFAULT_SPOOL_LIMIT,
                defaultSlot(sourceName),
                DEFAULT_STATUS_INTERVAL,
                DEFAULT_SHIP_INTERVAL,
                true);
    }

    /// The same, which a server leaves to others.
    ReceiverSettings notByServer() {
        return new ReceiverSettings(spool, spoolLimit, slot, statusInterval, shipInterval, false);
    }

    static Path defaultSpool(String sourceName) {
        return Path.of("/var/lib/mainstay/spool", sourceName);
    }

    /// `mainstay_` and the source's name, in the letters PostgreSQL allows for a slot.
    static String defaultSlot(String sourceName) {
        StringBuilder slot = new StringBuilder("mainstay_");
        String lower = sourceName.toLowerCase(Locale.ROOT);
        for (int i = 0; i < lower.length(); i++) {
            char c = lower.charAt(i);
            slot.append(isSlotLetter(c) ? c : '_');
        }
        slot.setLength(Math.min(slot.length(), LONGEST_SLOT_NAME));
        return slot.toString();
    }

    static boolean isSlotName(String text) {
        return !text.isEmpty()
                && text.length() <= LONGEST_SLOT_NAME
                && text.chars().allMatch(c -> isSlotLetter((char) c));
    }

    private static boolean isSlotLetter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    }
}
