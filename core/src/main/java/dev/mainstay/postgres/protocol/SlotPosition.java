package dev.mainstay.postgres.protocol;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;

import java.util.Optional;

/// The answer to READ_REPLICATION_SLOT. A slot that never reserved WAL has no position.
public record SlotPosition(
        String type, Optional<Lsn> restartLsn, Optional<TimelineId> restartTimeline) {}
