package dev.mainstay.server.view;

import dev.mainstay.base.BackupId;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.DamagedRecord;
import dev.mainstay.repository.Hold;
import dev.mainstay.repository.RecordChain;

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
    static BackupRow of(RecordChain chain, CommittedBackup backup) {
        return new BackupRow(
                backup.id(),
                backup.type(),
                BackupDetails.find(backup)
                        .map(details -> details.judgement().status())
                        .orElse("damaged"),
                Optional.of(backup.begin()),
                Optional.of(backup.end()),
                backup.statistics().number("bytes"),
                backup.statistics().number("bytes-stored"),
                Optional.ofNullable(chain.holds().get(backup.id())).map(Hold::reason));
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
