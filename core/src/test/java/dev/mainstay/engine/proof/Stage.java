package dev.mainstay.engine.proof;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/// Threads that go on one at a time, in a time of their own: from one asking to the next, which is
/// before each call of a store. A seed decides whose turn it is and who pauses meanwhile, for
/// seconds or for days; time passes as quickly as the one who sleeps shortest lets it. Nothing else
/// decides anything, so that a seed replays exactly.
final class Stage {
    private static final int PAUSES_OF_10000 = 40;
    private static final long[] PAUSE_MINUTES = {1, 30, 5 * 60, 3 * 24 * 60, 12 * 24 * 60};

    /// One of them.
    private static final class Player {
        private final Semaphore go = new Semaphore(0);
        private boolean done;
        private Instant wakes = Instant.MIN;
    }

    private final Random random;
    private final Semaphore back = new Semaphore(0);
    private final List<Player> players = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Thread, Player> byThread = new ConcurrentHashMap<>();
    private volatile @Nullable Throwable failure;
    private Instant now;
    private long steps;
    private long pauses;

    Stage(Random random, Instant begin) {
        this.random = random;
        this.now = begin;
    }

    Instant now() {
        return now;
    }

    long steps() {
        return steps;
    }

    /// How often somebody paused in the middle of something.
    long pauses() {
        return pauses;
    }

    void add(Runnable body) {
        Player player = new Player();
        players.add(player);
        threads.add(Thread.ofPlatform().daemon().unstarted(() -> perform(player, body)));
    }

    private void perform(Player player, Runnable body) {
        byThread.put(Thread.currentThread(), player);
        player.go.acquireUninterruptibly();
        try {
            body.run();
        } catch (Throwable failed) {
            failure = failed;
        } finally {
            player.done = true;
            back.release();
        }
    }

    /// Asked before each step, on the thread of a player; others asking go on.
    void ask() {
        Player player = byThread.get(Thread.currentThread());
        if (player != null) {
            if (random.nextInt(10_000) < PAUSES_OF_10000) {
                int kind = Math.min(random.nextInt(9), random.nextInt(PAUSE_MINUTES.length));
                pauses++;
                player.wakes = now.plus(Duration.ofMinutes(PAUSE_MINUTES[kind]));
            }
            handOver(player);
        }
    }

    /// Does nothing for so long.
    void sleep(Duration time) {
        Player player = byThread.get(Thread.currentThread());
        if (player != null) {
            player.wakes = now.plus(time);
            handOver(player);
        }
    }

    private void handOver(Player player) {
        back.release();
        player.go.acquireUninterruptibly();
    }

    /// Goes on until all are done.
    ///
    /// @param between is run between two steps, and nobody moves then
    void play(Runnable between) {
        threads.forEach(Thread::start);
        while (true) {
            List<Player> left = players.stream().filter(each -> !each.done).toList();
            if (left.isEmpty() || failure != null) {
                break;
            }
            List<Player> awake = left.stream().filter(each -> !each.wakes.isAfter(now)).toList();
            if (awake.isEmpty()) {
                now = left.stream().map(each -> each.wakes).min(Comparator.naturalOrder()).get();
                continue;
            }
            now = now.plusMillis(200L + random.nextInt(2000));
            steps++;
            awake.get(random.nextInt(awake.size())).go.release();
            back.acquireUninterruptibly();
            between.run();
        }
        players.clear();
        threads.clear();
        byThread.clear();
        Throwable failed = failure;
        if (failed != null) {
            throw new AssertionError("somebody failed: " + failed, failed);
        }
    }
}
