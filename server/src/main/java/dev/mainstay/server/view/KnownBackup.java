package dev.mainstay.server.view;

import dev.mainstay.base.BackupId;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.repository.CommittedBackup;

import java.time.Duration;
import java.time.Instant;

/// What is kept of a backup that is there, for as long as the server runs: a few words, since there
/// may be very many.
///
/// @param status `complete`, `damaged-pages`, or `damaged` if its record does not tell
/// @param bytes as a restore would write them
public record KnownBackup(
        BackupId id,
        String type,
        String status,
        Instant begin,
        Instant end,
        long bytes,
        long bytesRead,
        long bytesStored) {
    static KnownBackup of(CommittedBackup backup) {
        return new KnownBackup(
                backup.id(),
                backup.type().intern(), // one of two words
                BackupDetails.find(backup)
                        .map(details -> details.judgement().status())
                        .orElse("damaged"),
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
