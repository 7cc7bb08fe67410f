package dev.mainstay.server.wal;

import dev.mainstay.engine.archive.ReceiverStatus;
import dev.mainstay.server.job.JobFailure;

import java.time.Instant;
import java.util.Optional;

/// How a source's WAL fares, as the server that receives it last said.
///
/// @param since when this state began
/// @param seen when it was said; a receiver says it every few seconds
/// @param status positions and lags, once it has received
/// @param warning what the receiver last warned of, until it receives again
/// @param failure why it ended
public record ReceiverReport(
        String source,
        String server,
        ReceiverState state,
        Instant since,
        Instant seen,
        Optional<ReceiverStatus> status,
        Optional<String> warning,
        Optional<JobFailure> failure) {}
