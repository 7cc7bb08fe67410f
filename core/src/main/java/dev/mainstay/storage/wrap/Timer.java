package dev.mainstay.storage.wrap;

import java.time.Duration;

/// The passing of time, for who holds others back.
public interface Timer {
    Timer OF_THE_SYSTEM =
            new Timer() {
                @Override
                public long nanos() {
                    return System.nanoTime();
                }

                @Override
                public void pause(Duration duration) throws InterruptedException {
                    Thread.sleep(duration);
                }
            };

    /// Counted from anywhere, as [System#nanoTime] does.
    long nanos();

    void pause(Duration duration) throws InterruptedException;
}
