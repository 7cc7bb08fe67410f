package dev.mainstay.server.job;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;

import java.util.Map;

/// What a job does: the same operations as the command line's. Ends early, with INTERRUPTED, when
/// its thread is interrupted.
@FunctionalInterface
public interface JobWork {
    /// @return what to say about what was done, by name
    /// @throws MainstayException what went wrong
    Map<String, String> run(JobRequest request, Progress progress, Attempt attempt);
}
