package dev.mainstay.engine.archive;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Tells a receiver that it is to end.
final class StopSignal {
    private final CountDownLatch raised = new CountDownLatch(1);

    void raise() {
        raised.countDown();
    }

    boolean isRaised() {
        return raised.getCount() == 0;
    }

    /// Waits; less if the receiver is to end.
    void pause(Duration wait) {
        try {
            boolean _ = raised.await(wait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException ended) {
            throw new IllegalStateException("nobody interrupts the receiver", ended);
        }
    }
}
