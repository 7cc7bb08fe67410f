package dev.mainstay.server.job;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.transaction.TransactionException;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Runs claimed jobs of this server, each on its caller's thread; beside it a thread tells the
/// database how far it is and hears whether it should go on. Only that one touches the database
/// meanwhile: the worker may be interrupted at any time.
final class JobRunner {
    private static final Logger LOG = LoggerFactory.getLogger(JobRunner.class);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private final JobTable table;
    private final JobWork work;
    private final String server;
    private final InstantSource clock;
    private final Duration reportEvery;
    private final Map<String, RunningJob> running = new ConcurrentHashMap<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private volatile boolean stopping;

    JobRunner(
            JobTable table,
            JobWork work,
            String server,
            InstantSource clock,
            Duration reportEvery) {
        this.table = table;
        this.work = work;
        this.server = server;
        this.clock = clock;
        this.reportEvery = reportEvery;
    }

    /// Works on a job that was claimed, to its end.
    void run(String id) {
        JobRequest request = table.get(id).request();
        Recorder recorder = new Recorder(clock);
        RunningJob handle = new RunningJob();
        running.put(id, handle);
        if (stopping) {
            handle.interrupt(RunningJob.Reason.STOPPED);
        }
        LOG.info("job {} begins: {} {}", id, request.kind().word(), request.target());
        CountDownLatch over = new CountDownLatch(1);
        Thread reporter =
                Thread.ofVirtual()
                        .name("report " + id)
                        .start(() -> reportUntil(over, id, request, recorder, handle));
        Throwable failed = null;
        Map<String, String> result = Map.of();
        try {
            result = work.run(request, recorder);
        } catch (RuntimeException | Error wrong) {
            failed = wrong;
        }
        RunningJob.Reason reason = handle.end();
        over.countDown();
        join(reporter);
        running.remove(id);
        record(id, new Outcome(reason, failed, result), recorder);
    }

    /// @param reason why the thread was interrupted, if it was
    private record Outcome(
            RunningJob.@Nullable Reason reason,
            @Nullable Throwable failed,
            Map<String, String> result) {
        /// What was done in spite of everything is done.
        JobState state() {
            if (failed == null) {
                return JobState.DONE;
            }
            if (reason == null) {
                return JobState.FAILED;
            }
            return switch (reason) {
                case CANCELLED -> JobState.CANCELLED;
                case TIMED_OUT -> JobState.FAILED;
                case STOPPED, LOST -> JobState.INTERRUPTED;
            };
        }

        Optional<JobFailure> failure() {
            if (failed == null) {
                return Optional.empty();
            }
            if (reason == RunningJob.Reason.TIMED_OUT) {
                return Optional.of(
                        JobFailure.of(
                                new MainstayException(
                                        ErrorCode.JOB_TIMED_OUT,
                                        "cancelled: it took longer than it may")));
            }
            if (reason != null) {
                String why =
                        switch (reason) {
                            case CANCELLED, TIMED_OUT -> "cancelled; what was committed before is untouched";
                            case STOPPED -> "the server was stopped";
                            case LOST -> "another server gave this one up";
                        };
                return Optional.of(
                        new JobFailure(
                                ErrorCode.INTERRUPTED.id(), why, ErrorCode.INTERRUPTED.hint()));
            }
            return Optional.of(
                    JobFailure.of(
                            failed instanceof MainstayException known
                                    ? known
                                    : new MainstayException(
                                            ErrorCode.INTERNAL,
                                            "unexpected " + failed.getClass().getName(),
                                            failed)));
        }
    }

    private void record(String id, Outcome outcome, Recorder recorder) {
        report(id, recorder);
        Optional<JobFailure> failure = outcome.failure();
        if (!ended(id, outcome, failure)) {
            LOG.warn("job {} was given up by another server before it ended here", id);
        }
        failure.ifPresentOrElse(
                why ->
                        LOG.warn(
                                "job {} is {}: [{}] {}",
                                id,
                                outcome.state().word(),
                                why.error(),
                                why.message()),
                () -> LOG.info("job {} is done", id));
        if (outcome.failed != null && !(outcome.failed instanceof MainstayException)) {
            LOG.error("job {} met a bug", id, outcome.failed);
        }
    }

    /// What became of a job is known here alone: while the state cannot be told, it is tried again.
    ///
    /// @return whether it was still this server's to end
    private boolean ended(String id, Outcome outcome, Optional<JobFailure> failure) {
        Instant when = clock.instant();
        for (Duration pause = reportEvery; ; pause = longer(pause)) {
            try {
                return table.end(id, server, outcome.state(), failure, outcome.result, when);
            } catch (DataIntegrityViolationException never) {
                throw never;
            } catch (DataAccessException | TransactionException away) {
                if (stopping) {
                    throw away; // whoever comes next finds that this server is gone
                }
                LOG.warn(
                        "job {} is {}, but the state cannot be told: {}",
                        id,
                        outcome.state().word(),
                        away.getMessage());
                waitForStop(pause);
            }
        }
    }

    private static Duration longer(Duration pause) {
        Duration twice = pause.multipliedBy(2);
        return twice.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : twice;
    }

    private void waitForStop(Duration most) {
        try {
            boolean _ = stop.await(most.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException unexpected) {
            Thread.currentThread().interrupt();
        }
    }

    private void reportUntil(
            CountDownLatch over,
            String id,
            JobRequest request,
            Recorder recorder,
            RunningJob handle) {
        Instant latest =
                request.timeout().map(clock.instant()::plus).orElse(Instant.MAX);
        try {
            while (!over.await(reportEvery.toMillis(), TimeUnit.MILLISECONDS)) {
                switch (report(id, recorder)) {
                    case GO_ON -> {}
                    case CANCEL -> handle.interrupt(RunningJob.Reason.CANCELLED);
                    case LOST -> handle.interrupt(RunningJob.Reason.LOST);
                }
                if (clock.instant().isAfter(latest)) {
                    handle.interrupt(RunningJob.Reason.TIMED_OUT);
                }
            }
        } catch (InterruptedException unexpected) {
            Thread.currentThread().interrupt();
        }
    }

    /// A database that is away for a while stops no backup.
    private JobTable.Standing report(String id, Recorder recorder) {
        try {
            for (JobLine line : recorder.take()) {
                table.note(id, line);
            }
            return table.report(id, server, recorder.now());
        } catch (DataAccessException away) {
            LOG.warn("job {} goes on, but the state cannot be told: {}", id, away.getMessage());
            return JobTable.Standing.GO_ON;
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException later) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// At once, if it runs here; else its server hears of it with its next report.
    void cancel(String id) {
        RunningJob handle = running.get(id);
        if (handle != null) {
            handle.interrupt(RunningJob.Reason.CANCELLED);
        }
    }

    /// Whether nothing may begin any more.
    boolean isStopping() {
        return stopping;
    }

    /// Interrupts everything and waits for it.
    ///
    /// @return whether all had ended in time
    boolean stop(Duration patience) {
        stopping = true;
        stop.countDown();
        running.values().forEach(each -> each.interrupt(RunningJob.Reason.STOPPED));
        long deadline = System.nanoTime() + patience.toNanos();
        while (!running.isEmpty()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException hurry) {
                Thread.currentThread().interrupt();
                return running.isEmpty();
            }
        }
        return true;
    }
}
