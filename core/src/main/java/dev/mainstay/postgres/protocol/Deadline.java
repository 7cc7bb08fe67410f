package dev.mainstay.postgres.protocol;

import java.time.Duration;

/// A point of the monotonic clock until which somebody waits.
record Deadline(long nanos) {
    private static final Duration LONGEST = Duration.ofDays(3650);

    static Deadline after(Duration wait) {
        Duration bounded = wait.compareTo(LONGEST) > 0 ? LONGEST : wait;
        return new Deadline(System.nanoTime() + bounded.toNanos());
    }

    long remainingNanos() {
        return nanos - System.nanoTime();
    }

    boolean passed() {
        return remainingNanos() <= 0;
    }

    Deadline orAfter(Duration wait) {
        Deadline other = after(wait);
        return other.nanos - nanos < 0 ? other : this;
    }
}
