package dev.mainstay.engine.retention;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.repository.CommittedBackup;

import java.time.Instant;

/// What retention has to know of a backup. Its place among the others is that in the chain of
/// records; its time is a label that a clock wrote.
///
/// @param complete no page of it was found damaged
/// @param end when it ended, as the clock of the server said
/// @param start from where on a restore replays WAL
/// @param stop from where on a restore is consistent
public record RetainedBackup(
        BackupId id,
        SystemId system,
        TimelineId timeline,
        boolean incremental,
        boolean complete,
        Instant end,
        Lsn start,
        Lsn stop) {

    static RetainedBackup of(CommittedBackup backup, BackupDetails details) {
        return new RetainedBackup(
                backup.id(),
                details.systemId(),
                details.timeline(),
                backup.type().equals("incremental"),
                details.judgement().damagedPageCount() == 0,
                details.stopTime(),
                details.startLsn(),
                details.stopLsn());
    }

    String type() {
        return incremental ? "incremental" : "full";
    }
}
