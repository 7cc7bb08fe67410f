package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.time.Duration;

/// Lets the server finish what it is writing before something is read again.
@FunctionalInterface
public interface Waiter {
    /// Waits after attempt number `attempt` (from 1) failed.
    void await(int attempt);

    /// Sleeps `first` after the first attempt and a `first` longer after each further one.
    ///
    /// It throws INTERRUPTED when the thread is interrupted.
    static Waiter sleeping(Duration first) {
        return attempt -> {
            try {
                Thread.sleep(first.multipliedBy(attempt));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MainstayException(
                        ErrorCode.INTERRUPTED, "interrupted while waiting for the server", e);
            }
        };
    }
}
