package dev.mainstay.storage.wrap;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/// Holds whoever asks down to so many bytes a second, all together. Thread-safe.
public final class Throttle {
    private final Optional<Pace> pace;
    private final Timer timer;
    private final LongAdder passed = new LongAdder();

    private Throttle(Optional<Pace> pace, Timer timer) {
        this.pace = pace;
        this.timer = timer;
    }

    /// @param perSecond empty lets everything through
    public static Throttle of(Optional<ByteSize> perSecond) {
        return of(perSecond, Timer.OF_THE_SYSTEM);
    }

    /// One that can be set while it holds; begins without a limit.
    public static Throttle adjustable() {
        return of(Optional.of(ByteSize.of(Long.MAX_VALUE)));
    }

    /// How many bytes a second may go from now on; only an [#adjustable] one without a limit from
    /// its beginning has to be set.
    ///
    /// @param perSecond `Long.MAX_VALUE` for any number
    public void allow(long perSecond) {
        pace.ifPresent(each -> each.set(perSecond));
    }

    /// How many bytes went so far.
    public long passedBytes() {
        return passed.sum();
    }

    /// The same by another clock.
    public static Throttle of(Optional<ByteSize> perSecond, Timer timer) {
        return new Throttle(perSecond.map(Pace::new), timer);
    }

    /// Waits until so many more bytes may go.
    ///
    /// @throws MainstayException INTERRUPTED
    public void await(long bytes) {
        passed.add(bytes);
        long waitNanos = pace.map(each -> each.bookNanos(bytes, timer.nanos())).orElse(0L);
        if (waitNanos == 0) {
            return;
        }
        try {
            timer.pause(Duration.ofNanos(waitNanos));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "interrupted while held back by max-rate", interrupted);
        }
    }

    /// A stream of which every byte that is read is counted.
    public InputStream hold(InputStream in) {
        return pace.isEmpty() ? in : new Held(in);
    }

    private final class Held extends FilterInputStream {
        Held(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int one = in.read();
            await(one < 0 ? 0 : 1);
            return one;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int got = in.read(into, offset, length);
            await(Math.max(got, 0));
            return got;
        }

        /// Nothing is passed over unread.
        @Override
        public long skip(long bytes) throws IOException {
            return Math.max(0, read(new byte[Math.clamp(bytes, 0, 1 << 16)]));
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
