package dev.mainstay.storage.wrap;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.time.Duration;
import java.util.Optional;

/// Holds whoever asks down to so many bytes a second, all together. Thread-safe.
public final class Throttle {
    private final Optional<Pace> pace;

    private Throttle(Optional<Pace> pace) {
        this.pace = pace;
    }

    /// @param perSecond empty lets everything through
    public static Throttle of(Optional<ByteSize> perSecond) {
        return new Throttle(perSecond.map(Pace::new));
    }

    /// Waits until so many more bytes may go.
    ///
    /// @throws MainstayException INTERRUPTED
    public void await(long bytes) {
        long waitNanos = pace.map(each -> each.bookNanos(bytes, System.nanoTime())).orElse(0L);
        if (waitNanos == 0) {
            return;
        }
        try {
            Thread.sleep(Duration.ofNanos(waitNanos));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "interrupted while held back by max-rate", interrupted);
        }
    }
}
