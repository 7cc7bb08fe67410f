package dev.mainstay.storage.remote;

import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.RetentionLock;

import java.time.Duration;
import java.time.Instant;

/// How long what is needed at a place stays locked.
///
/// Locks end at the ends of *generations*, which begin anew every so many days, at the same times
/// everywhere. So all that is put or extended within a generation ends together, and a lock has to
/// be extended once in a generation, however often somebody looks.
///
/// @param days for which at least an object is locked when it is put
/// @param generationDays length of a generation; a lock lasts up to so many days longer
public record PlaceLock(LockMode mode, int days, int generationDays) {
    public PlaceLock {
        if (days < 1 || generationDays < 1 || generationDays > days) {
            throw new IllegalArgumentException(
                    "a lock of " + days + " days in generations of " + generationDays);
        }
    }

    /// The lock of what is put or extended now.
    public RetentionLock at(Instant now) {
        long generation = Duration.ofDays(generationDays).toSeconds();
        long least = now.plus(Duration.ofDays(days)).getEpochSecond() + 1;
        return new RetentionLock(
                mode, Instant.ofEpochSecond(Math.ceilDiv(least, generation) * generation));
    }

    /// What has to be locked until then at least: else nobody extended locks in the last
    /// generation.
    public Instant demandedAt(Instant now) {
        return now.plus(Duration.ofDays(days)).minus(Duration.ofDays(generationDays));
    }
}
