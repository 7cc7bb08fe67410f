package dev.mainstay.server.job;

import dev.mainstay.base.BackupId;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A try at a job, as the database has it.
///
/// @param number from 1 on
/// @param server which one made it
/// @param state running, or how it ended
/// @param backups what it had begun
public record JobAttempt(
        int number,
        String server,
        JobState state,
        Instant started,
        Optional<Instant> ended,
        Optional<JobFailure> failure,
        List<BackupId> backups) {
    public JobAttempt {
        backups = List.copyOf(backups);
    }
}
