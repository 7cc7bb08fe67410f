package dev.mainstay.server.wal;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.SourceSettings;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

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
    private final Surroundings surroundings;
    private final String server;

    /// By source, those that run; and those that were told to end.
    private final Map<String, Running> running = new LinkedHashMap<>();

    private final List<Running> leaving = new ArrayList<>();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread reporter;
    private boolean silent;
    private boolean stopping;

    /// @param server how this one is called among those that share the state
    public Receivers(
            Surroundings surroundings, ReceiverTable table, String server, Pace pace) {
        this.surroundings = surroundings;
        this.table = table;
        this.server = server;
        this.pace = pace;
        this.reporter = Thread.ofVirtual().name("receivers-report").unstarted(this::report);
    }

    /// @param settings by which it was started
    private record Running(
            SupervisedReceiver receiver, Thread thread, PostgresSettings settings) {
        void end() {
            receiver.end();
            thread.interrupt();
        }
    }

    public void start() {
        follow();
        reporter.start();
    }

    /// Begins and ends what the configuration says by now. Of a source that is another one by it the
    /// new receiver begins when the old one has ended.
    private synchronized void follow() {
        if (stopping) {
            return;
        }
        Map<String, PostgresSettings> wanted = new LinkedHashMap<>();
        surroundings
                .configuration()
                .sources()
                .forEach(
                        (name, source) -> {
                            if (source.postgres().receiver().byServer()) {
                                wanted.put(name, source.postgres());
                            }
                        });
        for (Running each : List.copyOf(running.values())) {
            String name = each.receiver.source();
            if (!each.settings.equals(wanted.get(name))) {
                tellEnd(name, each.settings);
                running.remove(name);
                leaving.add(each);
                each.end();
            }
        }
        wanted.forEach(
                (name, settings) -> {
                    if (!running.containsKey(name) && !isLeaving(name)) {
                        running.put(name, begun(name, settings));
                    }
                });
    }

    /// A slot that nobody reads any more fills the disk of the server that keeps it.
    private void tellEnd(String name, PostgresSettings before) {
        String slot = before.receiver().slot();
        SourceSettings now = surroundings.configuration().sources().get(name);
        if (now != null && now.postgres().receiver().slot().equals(slot)) {
            LOG.info("the receiver of {} ends: the configuration is another one", name);
        } else {
            LOG.warn(
                    "the receiver of {} ends: the configuration does not have it any more; its"
                            + " replication slot makes the server keep WAL until somebody drops it:"
                            + " SELECT pg_drop_replication_slot('{}')",
                    name,
                    slot);
        }
    }

    private boolean isLeaving(String source) {
        return leaving.stream()
                .anyMatch(
                        each ->
                                each.receiver.source().equals(source) && each.thread.isAlive());
    }

    private Running begun(String name, PostgresSettings settings) {
        SupervisedReceiver receiver = new SupervisedReceiver(surroundings, name, server, pace);
        return new Running(
                receiver,
                Thread.ofPlatform().name("wal " + name).start(receiver::run),
                settings);
    }

    private void report() {
        try {
            do {
                follow();
                tell();
            } while (!ending.await(pace.report().toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private synchronized void tell() {
        try {
            for (Running each : List.copyOf(leaving)) { // its last word is said behind its end
                boolean ended = !each.thread.isAlive();
                table.put(each.receiver.report());
                if (ended) {
                    leaving.remove(each);
                }
            }
            for (Running each : running.values()) {
                table.put(each.receiver.report());
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
    public synchronized void stop() {
        stopping = true;
        running.values().forEach(Running::end);
    }

    private synchronized List<Thread> threads() {
        return Stream.concat(running.values().stream(), leaving.stream())
                .map(Running::thread)
                .toList();
    }

    public void await() {
        boolean ended = true;
        boolean interrupted = false;
        long latest = System.nanoTime() + STOP_PATIENCE.toNanos();
        for (Thread each : threads()) {
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
