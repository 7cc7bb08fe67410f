package dev.mainstay.engine.backup;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.storage.wrap.Throttle;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Has a backup read slower while its server fares badly: measures all the time, and sets the
/// throttle once a second ([BackOff]). Closed when the backup is done.
final class Considerate implements AutoCloseable {
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final ServerStrain server;
    private final Throttle throttle;
    private final BackOff rate;
    private final Progress progress;
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile boolean lost;
    private long passed;
    private boolean told;

    private Considerate(ServerStrain server, Throttle throttle, BackOff rate, Progress progress) {
        this.server = server;
        this.throttle = throttle;
        this.rate = rate;
        this.progress = progress;
    }

    /// Empty where the settings limit neither lag nor latency.
    ///
    /// @param primary the commits and standbys of which are watched
    static Optional<Considerate> begin(
            ConnectionSpec primary,
            PostgresSettings settings,
            Throttle throttle,
            Progress progress) {
        if (!settings.limits().isConsiderate()) {
            return Optional.empty();
        }
        Considerate begun =
                new Considerate(
                        ServerStrain.open(primary, settings),
                        throttle,
                        new BackOff(settings.limits().maxRate()),
                        progress);
        Thread.ofVirtual().name("probe").start(begun::measure);
        Thread.ofVirtual().name("back-off").start(begun::adjust);
        return Optional.of(begun);
    }

    private void measure() {
        try {
            do {
                server.measure();
            } while (!end.await(INTERVAL.toMillis(), TimeUnit.MILLISECONDS));
        } catch (SQLException failed) {
            if (end.getCount() > 0) {
                progress.note(
                        "WARNING: how the server fares cannot be seen any more, and the backup goes"
                                + " on slowly: "
                                + failed.getMessage());
                lost = true;
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void adjust() {
        try {
            while (!end.await(INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
                step();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// A server that cannot be asked may be one that suffers.
    private void step() {
        long now = throttle.passedBytes();
        long read = (now - passed) * 1000 / INTERVAL.toMillis();
        passed = now;
        throttle.allow(rate.next(lost ? 2 : server.strain(), read));
        if (rate.isHeldBack() && !told) {
            told = true;
            progress.note("reading slower for the server's sake: " + server.text());
        }
    }

    @Override
    public void close() {
        end.countDown();
        server.close();
    }
}
