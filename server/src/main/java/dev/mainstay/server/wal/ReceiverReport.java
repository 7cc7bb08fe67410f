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
        Optional<JobFailure> failure) {
    /// Of one that has not said anything yet.
    static ReceiverReport starting(String source, String server, Instant now) {
        return new ReceiverReport(
                source,
                server,
                ReceiverState.STARTING,
                now,
                now,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /// The same, said now.
    ReceiverReport saidAt(Instant now) {
        return new ReceiverReport(
                source, server, state, since, now, status, warning, failure);
    }

    ReceiverReport warned(String line) {
        return new ReceiverReport(
                source, server, state, since, seen, status, Optional.of(line), failure);
    }

    /// It receives: what it warned of and failed with is over.
    ReceiverReport received(ReceiverStatus position, Instant now) {
        return new ReceiverReport(
                source,
                server,
                ReceiverState.RECEIVING,
                state == ReceiverState.RECEIVING ? since : now,
                now,
                Optional.of(position),
                Optional.empty(),
                Optional.empty());
    }

    ReceiverReport in(ReceiverState next, Optional<JobFailure> why, Instant now) {
        return new ReceiverReport(
                source,
                server,
                next,
                state == next ? since : now,
                now,
                status,
                warning,
                why);
    }
}
