package dev.mainstay.it;

import dev.mainstay.it.Program.Child;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/// When a program is killed: some time after it has done so much.
record KillPoint(long event, Duration delay) {
    private static final long POLL_NANOS = 100_000;
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration LEAST_DELAY = Duration.ofMillis(2);

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.1f ms after event %d", delay.toNanos() / 1e6, event);
    }

    /// For a program that was done before it could be killed. On a busy machine fewer of the names
    /// that come and go are seen, so it may end with fewer events than its course had.
    KillPoint earlier() {
        return new KillPoint(event - Math.ceilDiv(event, 10), delay.dividedBy(2));
    }

    /// @return false if the program ended by itself first
    boolean kill(Child child, Watch watch) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (child.isAlive() && watch.events() < event) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("it never came to event " + event + ": " + child);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        long end = System.nanoTime() + delay.toNanos();
        for (long rest = delay.toNanos();
                rest > 0 && child.isAlive();
                rest = end - System.nanoTime()) {
            LockSupport.parkNanos(Math.min(rest, POLL_NANOS));
        }
        return child.kill();
    }

    /// When the events of a run happened that nobody disturbed.
    record Course(List<Duration> events, Duration end) {
        Course {
            events = List.copyOf(events);
        }

        /// Follows a program to its end, which must be a good one.
        static Course of(Child child, Watch watch) {
            long begin = System.nanoTime();
            List<Duration> events = new ArrayList<>();
            boolean alive = true;
            while (alive) {
                alive = child.isAlive();
                long count = watch.events();
                Duration now = Duration.ofNanos(System.nanoTime() - begin);
                while (events.size() < count) {
                    events.add(now);
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
            if (child.awaitEnd() != 0) {
                throw new AssertionError(child.toString());
            }
            return new Course(events, Duration.ofNanos(System.nanoTime() - begin));
        }

        /// One of `count` points that are spread over the course: every other one evenly over time,
        /// the rest evenly over events, which come close together where much happens.
        KillPoint point(int number, int count, Random random) {
            double share = (number + random.nextDouble()) / count;
            if (number % 2 == 1) {
                Duration first = events.getFirst().dividedBy(2);
                long range = end.minus(first).toNanos();
                Duration at = first.plusNanos((long) (share * range));
                int event = 0;
                while (event < events.size() && events.get(event).compareTo(at) <= 0) {
                    event++;
                }
                return new KillPoint(event, at.minus(time(event)));
            }
            int event = (int) (share * (events.size() + 1));
            Duration gap = time(event + 1).minus(time(event));
            long most = Math.max(gap.toNanos(), LEAST_DELAY.toNanos());
            return new KillPoint(event, Duration.ofNanos((long) (random.nextDouble() * most)));
        }

        private Duration time(int event) {
            if (event == 0) {
                return Duration.ZERO;
            }
            return event <= events.size() ? events.get(event - 1) : end;
        }
    }
}
