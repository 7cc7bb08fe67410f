package dev.mainstay.postgres.protocol;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;

import java.util.Optional;

/// The answer to IDENTIFY_SYSTEM.
///
/// @param flushed how far the server has flushed its WAL (on a standby: replayed or received)
public record SystemIdentity(
        SystemId systemId, TimelineId timeline, Lsn flushed, Optional<String> database) {}
