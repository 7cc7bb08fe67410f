package dev.mainstay.server.job;

import org.jspecify.annotations.Nullable;

/// A job that a thread of this server works on. Its end and its interruption exclude each other: a
/// thread that records what became of a job is never interrupted.
final class RunningJob {
    /// Why a job is ended early.
    enum Reason {
        CANCELLED,
        TIMED_OUT,
        STOPPED,
        LOST
    }

    private final Thread worker = Thread.currentThread();
    private @Nullable Reason reason;
    private boolean over;

    synchronized void interrupt(Reason why) {
        if (!over && reason == null) {
            reason = why;
            worker.interrupt();
        }
    }

    /// Called by the worker when it is done, one way or the other.
    ///
    /// @return why it was interrupted, if it was
    synchronized @Nullable Reason end() {
        over = true;
        if (reason != null) {
            Thread.interrupted();
        }
        return reason;
    }
}
