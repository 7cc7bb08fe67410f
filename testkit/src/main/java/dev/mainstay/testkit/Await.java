package dev.mainstay.testkit;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/// Waits for what another thread or process brings about, by asking again and again.
public final class Await {
    private static final long POLL_NANOS = 10_000_000;

    private Await() {}

    /// As [#until(String, Duration, Callable)], with half a minute of patience.
    public static void until(String what, Callable<Boolean> condition) {
        until(what, Duration.ofSeconds(30), condition);
    }

    /// Returns once `condition` holds.
    ///
    /// @param what completes "waited … for"
    /// @throws AssertionError if it does not hold in time; what the condition threw last is its
    ///   cause
    public static void until(String what, Duration patience, Callable<Boolean> condition) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            Exception last = null;
            try {
                if (condition.call()) {
                    return;
                }
            } catch (Exception notYet) {
                last = notYet;
            }
            if (Thread.currentThread().isInterrupted()) {
                throw new AssertionError("interrupted while waiting for " + what, last);
            }
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("waited " + patience + " in vain for " + what, last);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }
}
