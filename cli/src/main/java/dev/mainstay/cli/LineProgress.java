package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.Progress;

import org.jspecify.annotations.Nullable;

import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// One line every few seconds, for logs.
final class LineProgress implements Progress {
    private static final long EVERY_NANOS = Duration.ofSeconds(5).toNanos();

    private final PrintStream out;
    private final LongSupplier nanoTime;
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong nextLine = new AtomicLong();
    private volatile @Nullable Step step;

    private record Step(String what, long totalBytes, long beganNanos) {}

    LineProgress(PrintStream out, LongSupplier nanoTime) {
        this.out = out;
        this.nanoTime = nanoTime;
    }

    @Override
    public synchronized void begin(String what, long totalBytes) {
        end();
        long now = nanoTime.getAsLong();
        done.set(0);
        nextLine.set(now + EVERY_NANOS);
        step = new Step(what, totalBytes, now);
    }

    @Override
    public void advance(long bytes) {
        Step current = step;
        if (current == null) {
            return;
        }
        long sum = done.addAndGet(bytes);
        long now = nanoTime.getAsLong();
        long due = nextLine.get();
        if (now - due >= 0 && nextLine.compareAndSet(due, now + EVERY_NANOS)) {
            out.println(line(current, sum, now));
        }
    }

    @Override
    public void note(String line) {
        out.println(line);
    }

    @Override
    public synchronized void end() {
        Step current = step;
        if (current == null) {
            return;
        }
        step = null;
        out.println(
                current.what
                        + ": "
                        + ByteSize.of(done.get())
                        + " in "
                        + PlainText.duration(
                                Duration.ofNanos(nanoTime.getAsLong() - current.beganNanos)));
    }

    private static String line(Step step, long bytes, long nowNanos) {
        double seconds = Math.max(1, nowNanos - step.beganNanos) / 1e9;
        double rate = bytes / seconds;
        StringBuilder line = new StringBuilder(step.what + ": " + ByteSize.of(bytes));
        if (step.totalBytes > 0) {
            line.append(" of ").append(ByteSize.of(step.totalBytes));
            line.append(" (").append(Math.min(100, bytes * 100 / step.totalBytes)).append("%)");
        }
        line.append(", ").append(ByteSize.of((long) rate)).append("/s");
        if (step.totalBytes > bytes && rate >= 1) {
            long left = (long) ((step.totalBytes - bytes) / rate);
            line.append(", ").append(PlainText.duration(Duration.ofSeconds(left))).append(" left");
        }
        return line.toString();
    }
}
