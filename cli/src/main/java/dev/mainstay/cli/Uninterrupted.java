package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
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
        FutureTask<T> task = new FutureTask<>(work::get);
        Thread.ofPlatform().name("uninterrupted").start(task);
        while (true) {
            try {
                return task.get();
            } catch (InterruptedException later) {
                // it is nearly done; a second signal ends the process
            } catch (ExecutionException failed) {
                switch (failed.getCause()) {
                    case RuntimeException thrown -> throw thrown;
                    case Error thrown -> throw thrown;
                    case null, default -> throw new IllegalStateException(failed);
                }
            }
        }
    }
}
