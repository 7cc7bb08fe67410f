package dev.mainstay.server.metrics;

import dev.mainstay.repository.CommittedBackup;

import java.time.Duration;
import java.time.Instant;

/// A backup that is there.
///
/// @param bytes as a restore would write them
public record BackupFacts(
        String id,
        String type,
        Instant begin,
        Instant end,
        long bytes,
        long bytesRead,
        long bytesStored) {
    static BackupFacts of(CommittedBackup backup) {
        return new BackupFacts(
                backup.id().text(),
                backup.type(),
                backup.begin(),
                backup.end(),
                backup.statistics().number("bytes"),
                backup.statistics().number("bytes-read"),
                backup.statistics().number("bytes-stored"));
    }

    public Duration duration() {
        return Duration.between(begin, end);
    }
}
