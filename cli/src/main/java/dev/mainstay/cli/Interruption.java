package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Ctrl-C and SIGTERM: interrupts the running command and keeps the JVM alive until it has cleaned
/// up and said so, but not for ever.
final class Interruption {
    private final Duration patience;
    private final PrintStream err;
    private final CountDownLatch ended = new CountDownLatch(1);
    private @Nullable Thread worker;
    private boolean requested;
    private boolean over;
    private int exitCode = Exits.FAILED;

    Interruption(Duration patience, PrintStream err) {
        this.patience = patience;
        this.err = err;
    }

    /// Begins on the calling thread what a signal will interrupt.
    ///
    /// @throws MainstayException INTERRUPTED if one came before
    synchronized void begin() {
        if (requested) {
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "stopped by a signal before it began");
        }
        worker = Thread.currentThread();
    }

    /// The command cleaned up and printed what happened.
    synchronized void end(int code) {
        worker = null;
        over = true;
        exitCode = code;
        ended.countDown();
    }

    /// Whether the command has still something to say.
    synchronized boolean isRunning() {
        return !over;
    }

    synchronized boolean isRequested() {
        return requested;
    }

    /// What the shutdown hook runs.
    ///
    /// @return whether the command ended well: being stopped is its ordinary end, or it was done
    boolean stop() {
        synchronized (this) {
            if (over) {
                return exitCode == Exits.OK;
            }
            requested = true;
            if (worker != null) {
                worker.interrupt();
            }
        }
        try {
            if (!ended.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                err.println(
                        "ERROR: [MS-0407] the command did not stop within "
                                + PlainText.duration(patience)
                                + " and was left");
                return false;
            }
        } catch (InterruptedException unexpected) {
            Thread.currentThread().interrupt();
            return false;
        }
        synchronized (this) {
            return exitCode == Exits.OK;
        }
    }
}
