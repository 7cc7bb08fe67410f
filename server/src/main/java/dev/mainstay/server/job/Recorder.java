package dev.mainstay.server.job;

import dev.mainstay.engine.Progress;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// Where an operation tells how far it is, and from where somebody else, who may wait for a
/// database, takes it.
final class Recorder implements Progress {
    /// A log is read by people.
    private static final int MOST_LINES = 1000;

    private final InstantSource clock;
    private final AtomicLong done = new AtomicLong();
    private final List<JobLine> fresh = new ArrayList<>();
    private int lines;
    private volatile @Nullable Step step;

    private record Step(String what, long total, Instant began) {}

    /// @param lines how many there are already
    Recorder(InstantSource clock, int lines) {
        this.clock = clock;
        this.lines = lines;
    }

    @Override
    public synchronized void begin(String what, long totalBytes) {
        done.set(0);
        step = new Step(what, Math.max(0, totalBytes), clock.instant());
        note(what);
    }

    @Override
    public void advance(long bytes) {
        if (step != null) {
            done.addAndGet(bytes);
        }
    }

    @Override
    public synchronized void note(String line) {
        lines++;
        if (lines < MOST_LINES) {
            fresh.add(new JobLine(lines, clock.instant(), line));
        } else if (lines == MOST_LINES) {
            fresh.add(new JobLine(lines, clock.instant(), "… and more lines, which are not kept"));
        }
    }

    /// The step's figures stay, so that whoever asks later sees how much it was.
    @Override
    public void end() {}

    Optional<JobProgress> now() {
        Step current = step;
        return current == null
                ? Optional.empty()
                : Optional.of(
                        new JobProgress(
                                current.what,
                                done.get(),
                                current.total,
                                current.began,
                                clock.instant()));
    }

    /// What was noted since the last call.
    synchronized List<JobLine> take() {
        List<JobLine> taken = List.copyOf(fresh);
        fresh.clear();
        return taken;
    }
}
