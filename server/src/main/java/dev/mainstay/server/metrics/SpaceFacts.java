package dev.mainstay.server.metrics;

import java.time.Duration;
import java.util.Optional;

/// A file system, or what may be used of it.
///
/// @param what `repository`, `state` or `spool SOURCE`
/// @param path where that lies
/// @param used bytes of what it is for, as far as they were counted
/// @param free bytes that can still be written
/// @param total bytes that there are, or that may be used
/// @param untilFull at the growth of late; empty if that is not known, or it does not grow
public record SpaceFacts(
        String what,
        String path,
        long used,
        long free,
        long total,
        Optional<Duration> untilFull) {}
