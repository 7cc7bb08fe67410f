package dev.mainstay.server.metrics;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;

import java.time.Instant;
import java.util.OptionalLong;

/// What is stored of a source's log.
///
/// @param stored end of what is stored without a gap from the newest backup on
/// @param movedAt when that was first seen to be so
/// @param covered everything that was committed until then can be recovered
/// @param lagBytes how far the server was ahead; empty while it does not say
/// @param gaps stretches that are missing since the newest backup
public record WalFacts(
        TimelineId timeline,
        Lsn stored,
        Instant movedAt,
        Instant covered,
        OptionalLong lagBytes,
        int gaps) {}
