package dev.mainstay.server.view;

import dev.mainstay.base.BackupId;
import dev.mainstay.repository.DamagedRecord;
import dev.mainstay.repository.Hold;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.Optional;

/// A backup in a list.
///
/// @param status `complete`, `damaged-pages`, or `damaged` if its record cannot be read: then
///   nothing else is known of it
/// @param held why, if it is
public record BackupRow(
        BackupId id,
        String type,
        String status,
        Optional<Instant> begin,
        Optional<Instant> end,
        long bytes,
        long bytesStored,
        Optional<String> held) {
    static BackupRow of(KnownBackup backup, @Nullable Hold hold) {
        return new BackupRow(
                backup.id(),
                backup.type(),
                backup.status(),
                Optional.of(backup.begin()),
                Optional.of(backup.end()),
                backup.bytes(),
                backup.bytesStored(),
                Optional.ofNullable(hold).map(Hold::reason));
    }

    static BackupRow of(DamagedRecord damaged) {
        return new BackupRow(
                damaged.backup().orElseThrow(),
                "unknown",
                "damaged",
                Optional.empty(),
                Optional.empty(),
                0,
                0,
                Optional.empty());
    }
}
