package dev.mainstay.it;

import dev.mainstay.testkit.Await;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// Does something again and again, at a pace that leaves room for others, until it is closed.
final class Writing implements AutoCloseable {
    private final AtomicBoolean closing = new AtomicBoolean();
    private final AtomicReference<RuntimeException> failure = new AtomicReference<>();
    private final Thread thread;

    Writing(Duration pause, Runnable step) {
        thread =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        while (!closing.get()) {
                                            step.run();
                                            LockSupport.parkNanos(pause.toNanos());
                                        }
                                    } catch (RuntimeException failed) {
                                        failure.set(failed);
                                    }
                                });
    }

    /// Returns when the last step is over.
    @Override
    public void close() {
        closing.set(true);
        Await.until("the writer's end", () -> !thread.isAlive());
        RuntimeException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
    }
}
