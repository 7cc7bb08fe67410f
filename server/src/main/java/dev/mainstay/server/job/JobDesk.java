package dev.mainstay.server.job;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerName;
import com.github.kagkarlsson.scheduler.task.CompletionHandler;
import com.github.kagkarlsson.scheduler.task.FailureHandler;
import com.github.kagkarlsson.scheduler.task.TaskDescriptor;
import com.github.kagkarlsson.scheduler.task.helper.CustomTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.server.trace.Tracing;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.support.TransactionOperations;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Where jobs are handed in. Each is done once, by one of the servers that share a state; what a
/// server leaves undone when it dies is recorded as interrupted by another one, or by itself when
/// it comes back.
public final class JobDesk implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JobDesk.class);
    private static final TaskDescriptor<Void> TASK = TaskDescriptor.of("job");
    private static final int THREADS = 4;
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);

    /// How soon things are noticed.
    ///
    /// @param poll how often a server looks for what is due
    /// @param heartbeat how often it says that it lives
    /// @param missing how many that do not come mean that it is dead
    /// @param report how often a running job is told about, and asks whether to go on
    /// @param schedules how often a server asks which schedules are due
    public record Pace(
            Duration poll,
            Duration heartbeat,
            int missing,
            Duration report,
            Duration schedules) {
        public static final Pace USUAL =
                new Pace(
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(10),
                        4,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(5));
    }

    private final Surroundings surroundings;
    private final JobTable table;
    private final TransactionOperations transactions;
    private final JobRunner runner;
    private final Scheduler scheduler;
    private final String server;
    private final Pace pace;
    private final Tracing tracing;
    private final CountDownLatch closing = new CountDownLatch(1);
    private @Nullable Thread ticker;

    public JobDesk(
            Surroundings surroundings,
            StateDatabase state,
            ServerName server,
            JobTable table,
            TransactionOperations transactions,
            JobWork work,
            Pace pace,
            Tracing tracing) {
        this.surroundings = surroundings;
        this.table = table;
        this.transactions = transactions;
        this.server = server.text();
        this.pace = pace;
        this.tracing = tracing;
        this.runner =
                new JobRunner(
                        table,
                        work,
                        server.text(),
                        surroundings.ground().clock(),
                        new RetryRule(
                                () -> surroundings.configuration().server().retry(),
                                surroundings.ground().random()),
                        pace.report(),
                        tracing);
        if (!state.isShared()) {
            recoverAlone(state);
        }
        this.scheduler =
                Scheduler.create(new TransactionAwareDataSourceProxy(state.source()), task())
                        .schedulerName(new SchedulerName.Fixed(server.text()))
                        .threads(THREADS)
                        .pollingInterval(pace.poll())
                        .heartbeatInterval(pace.heartbeat())
                        .missedHeartbeatsLimit(pace.missing())
                        .shutdownMaxWait(Duration.ofSeconds(1))
                        .clock(surroundings.ground().clock()::instant)
                        .enableImmediateExecution()
                        .build();
    }

    /// @param everyFewSeconds is called by every server, so that none has to die before another does it
    public void start(Consumer<Instant> everyFewSeconds) {
        ticker = Thread.ofPlatform().name("schedules").start(() -> tick(everyFewSeconds));
        scheduler.start();
    }

    private void tick(Consumer<Instant> everyFewSeconds) {
        try {
            do {
                try {
                    everyFewSeconds.accept(now());
                } catch (RuntimeException failed) {
                    LOG.error("schedules could not be looked at: {}", failed.getMessage());
                }
            } while (!closing.await(pace.schedules().toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException unexpected) {
            Thread.currentThread().interrupt();
        }
    }

    /// Nobody else uses this state: what runs in it does not.
    private void recoverAlone(StateDatabase state) {
        for (String id : table.running()) {
            LOG.warn("job {} ran when the server was killed", id);
            table.lost(id, now());
        }
        JdbcClient.create(state.source())
                .sql("update scheduled_tasks set picked = false, picked_by = null where picked")
                .update();
    }

    private CustomTask<Void> task() {
        return Tasks.custom(TASK)
                .onFailure(new FailureHandler.OnFailureRetryLater<>(pace.poll()))
                .onDeadExecution(
                        (complete, operations) -> {
                            leave(complete.getExecution().getId());
                            operations.reschedule(complete, now()); // is it queued still?
                        })
                .execute((instance, _) -> execute(instance.getId()));
    }

    private void leave(String id) {
        if (table.lost(id, now())) {
            LOG.warn("job {} was left by a server that died", id);
            wakeNext(id);
        }
    }

    /// Who waits in the lane of a job that ended need not ask for it.
    private void wakeNext(String ended) {
        try {
            table.nextAfter(ended, now()).ifPresent(this::wake);
        } catch (RuntimeException asks) {
            LOG.debug("the job behind {} comes by itself: {}", ended, asks.getMessage());
        }
    }

    private void wake(String id) {
        try {
            scheduler.reschedule(TASK.instanceId(id), now());
        } catch (RuntimeException runs) {
            LOG.debug("job {} comes by itself: {}", id, runs.getMessage());
        }
    }

    private CompletionHandler<Void> execute(String id) {
        CompletionHandler<Void> later =
                (complete, operations) ->
                        operations.reschedule(complete, now().plus(pace.poll()));
        if (runner.isStopping()) {
            return later; // what waited for a job that is being ended is the next server's
        }
        return switch (table.claim(id, server, now())) {
            case GONE -> new CompletionHandler.OnCompleteRemove<>();
            case BUSY -> busy(id);
            case EARLY -> at(table.get(id).due().orElseGet(this::now));
            case LEFT -> {
                leave(id); // nobody else has its execution
                yield new CompletionHandler.OnCompleteRemove<>();
            }
            case CLAIMED -> {
                Optional<Instant> again = runner.run(id);
                wakeNext(id);
                yield again.map(JobDesk::at).orElseGet(CompletionHandler.OnCompleteRemove::new);
            }
        };
    }

    /// Who ended while this was being put off could not wake it.
    private CompletionHandler<Void> busy(String id) {
        return (complete, operations) -> {
            operations.reschedule(complete, now().plus(pace.poll()));
            try {
                if (table.isNext(id, now())) {
                    wake(id);
                }
            } catch (RuntimeException asks) {
                LOG.debug("job {} comes by itself: {}", id, asks.getMessage());
            }
        };
    }

    private static CompletionHandler<Void> at(Instant due) {
        return (complete, operations) -> operations.reschedule(complete, due);
    }

    /// Queues a job.
    ///
    /// @throws MainstayException SOURCE_UNKNOWN, USAGE_INVALID
    public Job submit(JobRequest request) {
        demandKnown(request);
        Instant now = now();
        String id = BackupId.of(now, surroundings.ground().randomBytes(4)).text();
        tracing.submitting(id);
        transactions.executeWithoutResult(
                _ -> {
                    table.insert(id, request, now);
                    scheduler.schedule(TASK.instance(id).scheduledTo(now));
                });
        return table.get(id);
    }

    /// What can be wrong with a request whatever else is so.
    private void demandKnown(JobRequest request) {
        switch (request.kind()) {
            case BACKUP, EXPIRE, AMCHECK -> surroundings.configuration().source(request.target());
            case COPY -> surroundings.configuration().copy(request.target());
            case VERIFY -> {
                if (!request.target().isEmpty()) {
                    surroundings.configuration().source(request.target());
                }
            }
            case RESTORE, VALIDATE_RESTORE, VERIFY_BACKUP -> {} // a source that is not configured any more has backups
            case PRUNE -> {
                if (!request.target().isEmpty()) {
                    throw new MainstayException(
                            ErrorCode.USAGE_INVALID, "prune is of the whole repository");
                }
            }
        }
    }

    /// @throws MainstayException JOB_UNKNOWN, JOB_OVER
    public void cancel(String id) {
        table.cancel(id, now());
        runner.cancel(id);
        wake(id); // what waited to be tried again is let go
    }

    private Instant now() {
        return surroundings.ground().clock().instant();
    }

    /// Ends what runs here, and says that it was interrupted.
    @Override
    public void close() {
        closing.countDown();
        if (!runner.stop(STOP_PATIENCE)) {
            LOG.warn("jobs did not end in time and are left");
        }
        joinTicker();
        scheduler.stop();
    }

    private void joinTicker() {
        try {
            if (ticker != null && !ticker.join(STOP_PATIENCE)) {
                LOG.warn("schedules are still being looked at");
            }
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }
}
