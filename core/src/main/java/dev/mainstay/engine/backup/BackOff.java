package dev.mainstay.engine.backup;

import dev.mainstay.base.ByteSize;

import java.util.Optional;

/// Decides how fast a backup may read, from how the server fares: half as fast whenever it fares
/// worse than it may, and a quarter faster for each time it fares well. Time is not known here: it
/// is asked once an interval.
final class BackOff {
    /// A backup always goes on, or it would never end on a server that always is this busy.
    static final ByteSize LEAST = ByteSize.mib(1);

    /// Neither too bad nor good enough for more.
    private static final double CLOSE = 0.7;

    private final long most;
    private final long least;
    private long rate;

    /// @param most `max-rate`; empty if there is none
    BackOff(Optional<ByteSize> most) {
        this.most = most.map(ByteSize::bytes).orElse(Long.MAX_VALUE);
        this.least = Math.min(this.most, LEAST.bytes());
        this.rate = this.most;
    }

    /// @param strain the worst of what was measured over what is allowed: more than 1 is too much
    /// @param read how many bytes a second were read since this was asked last
    /// @return how many may be from now on; `Long.MAX_VALUE` for any number
    long next(double strain, long read) {
        if (strain > 1) {
            rate = Math.max(least, Math.min(rate, read) / 2);
        } else if (strain < CLOSE) {
            rate = faster();
        }
        return rate;
    }

    private long faster() {
        long step = Math.max(1, rate / 4);
        return rate > most - step ? most : rate + step;
    }

    /// Whether the server holds it back at the moment.
    boolean isHeldBack() {
        return rate < most;
    }
}
