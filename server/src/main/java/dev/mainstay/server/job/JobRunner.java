package dev.mainstay.server.job;

import dev.mainstay.base.BackupId;
import dev.mainstay.engine.Progress;
import dev.mainstay.server.trace.TracedWork;
import dev.mainstay.server.trace.Tracing;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.transaction.TransactionException;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

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
    private final RetryRule retries;
    private final Duration reportEvery;
    private final Tracing tracing;
    private final Map<String, RunningJob> running = new ConcurrentHashMap<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private volatile boolean stopping;

    JobRunner(
            JobTable table,
            JobWork work,
            String server,
            InstantSource clock,
            RetryRule retries,
            Duration reportEvery,
            Tracing tracing) {
        this.table = table;
        this.work = work;
        this.server = server;
        this.clock = clock;
        this.retries = retries;
        this.reportEvery = reportEvery;
        this.tracing = tracing;
    }

    /// A try at a job.
    ///
    /// @param number of it, from 1 on
    /// @param latest when it has to have ended
    private record Try(
            String id,
            JobRequest request,
            int number,
            Instant latest,
            List<BackupId> earlier,
            List<BackupId> begun,
            Recorder recorder) {}

    private Try next(String id) {
        JobRequest request = table.get(id).request();
        List<JobAttempt> attempts = table.attempts(id);
        Instant late =
                request.timeout().map(attempts.getFirst().started()::plus).orElse(Instant.MAX);
        Instant closing = request.closing(attempts.getLast().started());
        return new Try(
                id,
                request,
                attempts.size(),
                late.isBefore(closing) ? late : closing,
                attempts.stream().flatMap(each -> each.backups().stream()).toList(),
                new CopyOnWriteArrayList<>(),
                new Recorder(clock, table.lines(id)));
    }

    /// Works on a job that was claimed, until it ends or is to be tried again.
    ///
    /// @return when that is
    Optional<Instant> run(String id) {
        Try now = next(id);
        JobRequest request = now.request;
        try (TracedWork span =
                tracing.attempt(id, request.kind().word(), request.target(), now.number)) {
            Outcome outcome = outcome(now, span.telling(now.recorder));
            span.end(outcome.state().word(), outcome.failure().map(JobFailure::error));
            return record(now, outcome);
        }
    }

    private Outcome outcome(Try now, Progress progress) {
        String id = now.id;
        RunningJob handle = new RunningJob();
        running.put(id, handle);
        if (stopping) {
            handle.interrupt(RunningJob.Reason.STOPPED);
        }
        LOG.info("job {} begins: {} {}", id, now.request.kind().word(), now.request.target());
        CountDownLatch over = new CountDownLatch(1);
        Thread reporter =
                Thread.ofVirtual()
                        .name("report " + id)
                        .start(() -> reportUntil(over, now, handle));
        Throwable failed = null;
        Map<String, String> result = Map.of();
        try {
            result =
                    work.run(now.request, progress, new Attempt(now.earlier, now.begun::add));
        } catch (RuntimeException | Error wrong) {
            failed = wrong;
        }
        RunningJob.Reason reason = handle.end();
        over.countDown();
        join(reporter);
        running.remove(id);
        return new Outcome(reason, failed, result);
    }

    private Optional<Instant> record(Try now, Outcome outcome) {
        Instant when = clock.instant();
        Optional<JobFailure> failure = outcome.failure();
        Optional<Instant> due =
                outcome.cause()
                        .flatMap(code -> retries.pause(now.request.kind(), code, now.number))
                        .map(when::plus)
                        .map(now.request::opening)
                        .filter(now.latest::isAfter);
        due.ifPresent(
                then ->
                        now.recorder.note(
                                "attempt %d of %d failed: [%s] %s; the next one, unless it is cancelled, is at %s"
                                        .formatted(
                                                now.number,
                                                retries.attempts(),
                                                failure.orElseThrow().error(),
                                                failure.orElseThrow().message(),
                                                then.truncatedTo(ChronoUnit.SECONDS))));
        report(now.id, now.recorder);
        if (due.isPresent() && again(now, failure.orElseThrow(), due.get(), when)) {
            LOG.warn(
                    "job {} failed and is tried again at {}: [{}] {}",
                    now.id,
                    due.get(),
                    failure.get().error(),
                    failure.get().message());
            return due;
        }
        end(now, outcome, failure, when);
        return Optional.empty();
    }

    private boolean again(Try now, JobFailure failure, Instant due, Instant when) {
        return told(
                now.id,
                JobState.FAILED,
                () -> table.again(now.id, server, failure, now.begun, due, when));
    }

    private void end(Try now, Outcome outcome, Optional<JobFailure> failure, Instant when) {
        JobState state = outcome.state();
        boolean mine =
                told(
                        now.id,
                        state,
                        () ->
                                table.end(
                                        now.id,
                                        server,
                                        state,
                                        failure,
                                        outcome.result(),
                                        now.begun,
                                        when));
        if (!mine) {
            LOG.warn("job {} was given up by another server before it ended here", now.id);
        }
        failure.ifPresentOrElse(
                why ->
                        LOG.warn(
                                "job {} is {}: [{}] {}",
                                now.id,
                                state.word(),
                                why.error(),
                                why.message()),
                () -> LOG.info("job {} is done", now.id));
        outcome.bug().ifPresent(bug -> LOG.error("job {} met a bug", now.id, bug));
    }

    /// What became of a job is known here alone: while the state cannot be told, it is tried again.
    ///
    /// @return whether it was still this server's to tell
    private boolean told(String id, JobState state, BooleanSupplier telling) {
        for (Duration pause = reportEvery; ; pause = longer(pause)) {
            try {
                return telling.getAsBoolean();
            } catch (DataIntegrityViolationException never) {
                throw never;
            } catch (DataAccessException | TransactionException away) {
                if (stopping) {
                    throw away; // whoever comes next finds that this server is gone
                }
                LOG.warn(
                        "job {} is {}, but the state cannot be told: {}",
                        id,
                        state.word(),
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

    private void reportUntil(CountDownLatch over, Try now, RunningJob handle) {
        try {
            while (!over.await(reportEvery.toMillis(), TimeUnit.MILLISECONDS)) {
                switch (report(now.id, now.recorder)) {
                    case GO_ON -> {}
                    case CANCEL -> handle.interrupt(RunningJob.Reason.CANCELLED);
                    case LOST -> handle.interrupt(RunningJob.Reason.LOST);
                }
                if (clock.instant().isAfter(now.latest)) {
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
