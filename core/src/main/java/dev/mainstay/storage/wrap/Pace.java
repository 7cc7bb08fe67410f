package dev.mainstay.storage.wrap;

import dev.mainstay.base.ByteSize;

import java.math.BigInteger;

/// Bytes over time. Each request books a stretch of time as long as its bytes need, behind those
/// booked before; idle time is credited up to a limit. The passing of time is passed in.
final class Pace {
    private static final long SECOND_NANOS = 1_000_000_000L;

    /// So short a burst evens out the waiting of small requests and is no burst to a network.
    private static final long CREDIT_NANOS = SECOND_NANOS / 10;

    private long bytesPerSecond;
    private boolean begun;
    private long bookedUntilNanos;

    Pace(ByteSize perSecond) {
        if (perSecond.bytes() == 0) {
            throw new IllegalArgumentException("a limit of 0 bytes a second lets nothing through");
        }
        this.bytesPerSecond = perSecond.bytes();
    }

    /// Books `bytes` at the time `nowNanos` and tells how long to wait before they may go.
    synchronized long bookNanos(long bytes, long nowNanos) {
        if (!begun || bookedUntilNanos - nowNanos < -CREDIT_NANOS) {
            begun = true;
            bookedUntilNanos = nowNanos - CREDIT_NANOS;
        }
        long waitNanos = Math.max(0, bookedUntilNanos - nowNanos);
        bookedUntilNanos += durationNanos(bytes);
        return waitNanos;
    }

    /// What is booked stays booked.
    synchronized void set(long perSecond) {
        bytesPerSecond = Math.max(1, perSecond);
    }

    private long durationNanos(long bytes) {
        return BigInteger.valueOf(bytes)
                .multiply(BigInteger.valueOf(SECOND_NANOS))
                .divide(BigInteger.valueOf(bytesPerSecond))
                .min(BigInteger.valueOf(Long.MAX_VALUE / 4))
                .longValueExact();
    }
}
