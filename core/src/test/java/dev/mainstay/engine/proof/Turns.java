package dev.mainstay.engine.proof;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.LongConsumer;

/// Threads that go on one at a time, from one asking to the next; a seed decides whose turn it is,
/// and who sleeps for long meanwhile.
final class Turns {
    private static final int SLEEPS_OF_1000 = 15;
    private static final int LONGEST_SLEEP = 3000;

    /// One of them.
    private static final class Player {
        private final Semaphore go = new Semaphore(0);
        private boolean done;
        private long asleepUntil;
    }

    private final Random random;
    private final Semaphore back = new Semaphore(0);
    private final List<Player> players = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Thread, Player> byThread = new ConcurrentHashMap<>();
    private volatile @Nullable Throwable failure;

    Turns(Random random) {
        this.random = random;
    }

    void add(Runnable body) {
        Player player = new Player();
        players.add(player);
        threads.add(
                Thread.ofPlatform()
                        .daemon()
                        .unstarted(
                                () -> {
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
                                }));
    }

    /// Asked before each step, on the thread of a player.
    void ask() {
        Player player = byThread.get(Thread.currentThread());
        if (player != null) {
            back.release();
            player.go.acquireUninterruptibly();
        }
    }

    /// Goes on until all are done.
    ///
    /// @param between is run between two steps with the number of the step, and nobody moves then
    void play(LongConsumer between) {
        threads.forEach(Thread::start);
        for (long step = 0; ; step++) {
            long now = step;
            List<Player> left = players.stream().filter(each -> !each.done).toList();
            if (left.isEmpty() || failure != null) {
                break;
            }
            List<Player> awake = left.stream().filter(each -> each.asleepUntil <= now).toList();
            List<Player> able = awake.isEmpty() ? left : awake;
            Player next = able.get(random.nextInt(able.size()));
            if (random.nextInt(1000) < SLEEPS_OF_1000) {
                next.asleepUntil = step + random.nextInt(LONGEST_SLEEP);
                continue;
            }
            next.go.release();
            back.acquireUninterruptibly();
            between.accept(step);
        }
        Throwable failed = failure;
        if (failed != null) {
            throw new AssertionError("a player failed", failed);
        }
    }
}
