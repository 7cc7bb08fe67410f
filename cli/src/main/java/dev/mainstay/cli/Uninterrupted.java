package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.util.function.Supplier;

/// What takes a moment and must not be left half done: a signal that comes before keeps it from
/// beginning, one that comes meanwhile waits until it is done and then changes nothing.
final class Uninterrupted {
    private Uninterrupted() {}

    /// @throws MainstayException INTERRUPTED if the signal was there first, or what the work throws
    static <T> T call(Supplier<T> work) {
        if (Thread.interrupted()) {
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "stopped by a signal before anything was made");
        }
        Work<T> inside = new Work<>(work);
        Thread thread = Thread.ofPlatform().name("uninterrupted").start(inside);
        while (true) {
            try {
                thread.join();
                return inside.outcome();
            } catch (InterruptedException later) {
                // it is nearly done; a second signal ends the process
            }
        }
    }

    private static final class Work<T> implements Runnable {
        private final Supplier<T> work;
        private @Nullable T result;
        private @Nullable RuntimeException failure;
        private @Nullable Error error;

        Work(Supplier<T> work) {
            this.work = work;
        }

        @Override
        public void run() {
            try {
                result = work.get();
            } catch (RuntimeException thrown) {
                failure = thrown;
            } catch (Error thrown) {
                error = thrown;
            }
        }

        T outcome() {
            if (failure != null) {
                throw failure;
            }
            if (error != null) {
                throw error;
            }
            return java.util.Objects.requireNonNull(result);
        }
    }
}
