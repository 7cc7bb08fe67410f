package dev.mainstay.server.wal;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.archive.ReceiverStatus;
import dev.mainstay.engine.archive.WalReceiver;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.repository.Repository;
import dev.mainstay.server.job.JobFailure;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// The receiver of one source's WAL, which is started again whenever it ends.
///
/// Nothing but the server of PostgreSQL says who receives: it has one receiver of a source, so of
/// several servers of Mainstay the others stand by and try again.
final class SupervisedReceiver {
    private static final Logger LOG = LoggerFactory.getLogger(SupervisedReceiver.class);

    private final Surroundings surroundings;
    private final String source;
    private final Receivers.Pace pace;
    private final InstantSource clock;
    private final CountDownLatch ending = new CountDownLatch(1);
    private volatile ReceiverReport report;

    SupervisedReceiver(
            Surroundings surroundings, String source, String server, Receivers.Pace pace) {
        this.surroundings = surroundings;
        this.source = source;
        this.pace = pace;
        this.clock = surroundings.ground().clock();
        this.report = ReceiverReport.starting(source, server, clock.instant());
    }

    String source() {
        return source;
    }

    /// Where it stands. Who receives is heard of when it says so itself, everybody else is heard
    /// of now.
    ReceiverReport report() {
        ReceiverReport last = report;
        return last.state() == ReceiverState.RECEIVING ? last : last.saidAt(clock.instant());
    }

    /// Ends the pauses; whoever runs it is interrupted beside that.
    void end() {
        ending.countDown();
    }

    /// Until the thread is interrupted, or [#end] is called.
    void run() {
        int failures = 0;
        while (!ending()) {
            Duration pause;
            try {
                receive();
                failures = 0;
                pause = pace.standBy();
            } catch (MainstayException failed) {
                if (failed.code() == ErrorCode.WAL_RECEIVER_RUNS) {
                    standBy(failed);
                    pause = pace.standBy();
                } else {
                    failures = report.status().isPresent() ? 1 : failures + 1;
                    pause = pace.after(failures);
                    failed(failed, pause);
                }
            } catch (RuntimeException bug) {
                LOG.error("the receiver of {} met a bug", source, bug);
                failures++;
                pause = pace.after(failures);
                failed(
                        new MainstayException(
                                ErrorCode.INTERNAL,
                                "unexpected " + bug.getClass().getName(),
                                bug),
                        pause);
            }
            if (waited(pause)) {
                break;
            }
        }
        change(ReceiverState.STOPPED, Optional.empty());
    }

    private boolean ending() {
        return ending.getCount() == 0 || Thread.currentThread().isInterrupted();
    }

    /// @return whether the wait is over because this ends
    private boolean waited(Duration pause) {
        try {
            return Thread.currentThread().isInterrupted()
                    || ending.await(pause.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException ended) {
            return true;
        }
    }

    private void receive() {
        if (report.state() != ReceiverState.STANDING_BY) {
            change(ReceiverState.STARTING, report.failure());
        }
        PostgresSettings settings = surroundings.configuration().source(source).postgres();
        try (Repository repository = surroundings.open()) {
            new WalReceiver(
                            repository.sourceOrAdd(source),
                            surroundings.connection(settings),
                            settings.receiver(),
                            surroundings.configuration().repository().zstdLevel(),
                            Progress.notes(this::noted),
                            pace.first(),
                            this::received)
                    .run();
        }
    }

    /// What a receiver notes is for people; what it warns of stays until it receives again.
    private void noted(String line) {
        if (line.startsWith("WARNING") || line.startsWith("ALARM")) {
            LOG.warn("{}: {}", source, line);
            warned(line);
        } else {
            LOG.info("{}: {}", source, line);
        }
    }

    private synchronized void warned(String line) {
        report = report.warned(line);
    }

    private synchronized void received(ReceiverStatus status) {
        if (report.state() != ReceiverState.RECEIVING) {
            LOG.info("{}: receiving WAL: {}", source, status);
        }
        report = report.received(status, clock.instant());
    }

    private void standBy(MainstayException another) {
        if (report.state() != ReceiverState.STANDING_BY) {
            LOG.info("{}: {}; standing by", source, another.getMessage());
        }
        change(ReceiverState.STANDING_BY, Optional.of(JobFailure.of(another)));
    }

    private void failed(MainstayException failed, Duration pause) {
        LOG.warn(
                "{}: receiving WAL ended: [{}] {}; trying again in {} s",
                source,
                failed.code().id(),
                failed.getMessage(),
                pause.toSeconds());
        change(ReceiverState.FAILED, Optional.of(JobFailure.of(failed)));
    }

    private synchronized void change(ReceiverState state, Optional<JobFailure> failure) {
        report = report.in(state, failure, clock.instant());
    }
}
