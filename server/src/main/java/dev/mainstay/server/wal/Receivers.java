package dev.mainstay.server.wal;

import dev.mainstay.engine.Surroundings;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// The receivers of all sources that have one here. They need nothing of the state: it is told how
/// they fare, and WAL flows on while it cannot be told.
public final class Receivers {
    private static final Logger LOG = LoggerFactory.getLogger(Receivers.class);

    /// A receiver that is stopped stores what it can for some seconds.
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);

    /// How soon things happen.
    ///
    /// @param first the pause after a failure, which doubles with each further one
    /// @param longest that it becomes
    /// @param standBy how often it is tried whether another receiver is gone
    /// @param report how often the state is told
    public record Pace(Duration first, Duration longest, Duration standBy, Duration report) {
        public static final Pace USUAL =
                new Pace(
                        Duration.ofMillis(500),
                        Duration.ofMinutes(5),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(3));

        Duration after(int failures) {
            Duration pause = first.multipliedBy(1L << Math.min(failures - 1, 16));
            return pause.compareTo(longest) > 0 ? longest : pause;
        }
    }

    private final ReceiverTable table;
    private final Pace pace;
    private final List<SupervisedReceiver> receivers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread reporter;
    private boolean silent;

    /// @param server how this one is called among those that share the state
    public Receivers(
            Surroundings surroundings, ReceiverTable table, String server, Pace pace) {
        this.table = table;
        this.pace = pace;
        surroundings
                .configuration()
                .sources()
                .forEach(
                        (name, settings) -> {
                            if (settings.postgres().receiver().byServer()) {
                                receivers.add(
                                        new SupervisedReceiver(surroundings, name, server, pace));
                            }
                        });
        this.reporter = Thread.ofVirtual().name("receivers-report").unstarted(this::report);
    }

    public void start() {
        for (SupervisedReceiver each : receivers) {
            threads.add(Thread.ofPlatform().name("wal " + each.source()).start(each::run));
        }
        reporter.start();
    }

    private void report() {
        try {
            do {
                tell();
            } while (!ending.await(pace.report().toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private synchronized void tell() {
        try {
            for (SupervisedReceiver each : receivers) {
                table.put(each.report());
            }
            silent = false;
        } catch (DataAccessException unreachable) {
            if (!silent) {
                LOG.warn("the state cannot be told where WAL stands: {}", unreachable.getMessage());
            }
            silent = true;
        }
    }

    /// Begins to stop; [#await] waits for the end.
    public void stop() {
        receivers.forEach(SupervisedReceiver::end);
        threads.forEach(Thread::interrupt);
    }

    public void await() {
        boolean ended = true;
        boolean interrupted = false;
        long latest = System.nanoTime() + STOP_PATIENCE.toNanos();
        for (Thread each : threads) {
            try {
                ended &=
                        each.join(
                                Duration.ofNanos(Math.max(1, latest - System.nanoTime())));
            } catch (InterruptedException again) {
                interrupted = true;
                break;
            }
        }
        if (!ended || interrupted) {
            LOG.warn("receivers did not end in time and are left; nothing is lost by that");
        }
        ending.countDown();
        tell();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
