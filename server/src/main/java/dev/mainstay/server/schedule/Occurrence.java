package dev.mainstay.server.schedule;

import java.time.Instant;
import java.util.Optional;

/// What became of one time of a schedule.
///
/// @param job the job it started
public record Occurrence(String schedule, Instant time, Outcome outcome, Optional<String> job) {
    /// What was decided when it was due.
    public enum Outcome {
        /// A job was queued; what became of it is told there.
        STARTED,
        /// No server was there, a later time of the same schedule was due as well, or its window was
        /// closed.
        MISSED,
        /// The job of an earlier time had not ended.
        SKIPPED
    }
}
