package dev.mainstay.server.job;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.Optional;

/// How the work of a job ended.
///
/// @param reason why the thread was interrupted, if it was
record Outcome(
        RunningJob.@Nullable Reason reason,
        @Nullable Throwable failed,
        Map<String, String> result) {
    /// What was done in spite of everything is done.
    JobState state() {
        if (failed == null) {
            return JobState.DONE;
        }
        if (reason == null) {
            return JobState.FAILED;
        }
        return switch (reason) {
            case CANCELLED -> JobState.CANCELLED;
            case TIMED_OUT -> JobState.FAILED;
            case STOPPED, LOST -> JobState.INTERRUPTED;
        };
    }

    Optional<JobFailure> failure() {
        if (failed == null) {
            return Optional.empty();
        }
        if (reason == RunningJob.Reason.TIMED_OUT) {
            return Optional.of(
                    JobFailure.of(
                            new MainstayException(
                                    ErrorCode.JOB_TIMED_OUT,
                                    "cancelled: it took longer than it may")));
        }
        if (reason != null) {
            String why =
                    switch (reason) {
                        case CANCELLED, TIMED_OUT -> "cancelled; what was committed before is untouched";
                        case STOPPED -> "the server was stopped";
                        case LOST -> "another server gave this one up";
                    };
            return Optional.of(
                    new JobFailure(
                            ErrorCode.INTERRUPTED.id(), why, ErrorCode.INTERRUPTED.hint()));
        }
        return Optional.of(
                JobFailure.of(
                        failed instanceof MainstayException known
                                ? known
                                : new MainstayException(
                                        ErrorCode.INTERNAL,
                                        "unexpected " + failed.getClass().getName(),
                                        failed)));
    }

    /// What it failed of, by itself.
    Optional<ErrorCode> cause() {
        return reason == null && failed instanceof MainstayException known
                ? Optional.of(known.code())
                : Optional.empty();
    }

    /// That nobody thought of.
    Optional<Throwable> bug() {
        return Optional.ofNullable(failed).filter(each -> !(each instanceof MainstayException));
    }
}
