package dev.mainstay.server.job;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// A job as the database has it.
///
/// @param server which one runs or ran it
/// @param attempts how often it was tried
/// @param due when it is tried again
/// @param started when it was last tried
/// @param failure why it did not end well
/// @param result what it says about what it did, by name
public record Job(
        String id,
        JobRequest request,
        JobState state,
        Instant created,
        Optional<Instant> started,
        Optional<Instant> ended,
        Optional<String> server,
        boolean cancelRequested,
        int attempts,
        Optional<Instant> due,
        Optional<JobProgress> progress,
        Optional<JobFailure> failure,
        Map<String, String> result) {
    public Job {
        result = Map.copyOf(result);
    }
}
