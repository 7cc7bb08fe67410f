package dev.mainstay.server;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerName;
import com.github.kagkarlsson.scheduler.task.helper.RecurringTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.github.kagkarlsson.scheduler.task.schedule.FixedDelay;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.alert.AlertBook;
import dev.mainstay.server.alert.Rulebook;
import dev.mainstay.server.metrics.FactsKeeper;
import dev.mainstay.server.notify.Courier;
import dev.mainstay.server.report.ReportClerk;
import dev.mainstay.server.state.History;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.StateDatabase;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.jdbc.core.simple.JdbcClient;

import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;

/// Judges what is known, and sees that people hear of it: on one of the servers that share a state
/// at a time, and in threads of its own, so that four long jobs silence no alert.
final class WatchDesk implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(WatchDesk.class);
    private static final Duration JUDGE = Duration.ofSeconds(15);
    private static final Duration DELIVER = Duration.ofSeconds(5);
    private static final Duration REPORT = Duration.ofSeconds(30);
    private static final Duration FORGET = Duration.ofHours(1);

    private final Surroundings surroundings;
    private final Scheduler scheduler;
    private volatile boolean running;

    WatchDesk(
            Surroundings surroundings,
            StateDatabase state,
            ServerName server,
            FactsKeeper keeper,
            Rulebook rules,
            AlertBook book,
            Courier courier,
            ReportClerk reports,
            History history) {
        this.surroundings = surroundings;
        if (!state.isShared()) {
            JdbcClient.create(state.source())
                    .sql("update watch_tasks set picked = false, picked_by = null where picked")
                    .update();
        }
        this.scheduler =
                Scheduler.create(state.source())
                        .tableName("watch_tasks")
                        .startTasks(
                                task("alerts", JUDGE, now -> judge(keeper, rules, book, now)),
                                task("deliveries", DELIVER, courier::deliver),
                                task("reports", REPORT, reports::tick),
                                task("history", FORGET, history::forget))
                        .schedulerName(new SchedulerName.Fixed(server.text()))
                        .threads(3)
                        .pollingInterval(Duration.ofSeconds(2))
                        .heartbeatInterval(Duration.ofSeconds(10))
                        .missedHeartbeatsLimit(4)
                        .shutdownMaxWait(Duration.ofSeconds(5))
                        .clock(surroundings.ground().clock()::instant)
                        .build();
    }

    private RecurringTask<Void> task(String name, Duration every, Consumer<Instant> work) {
        return Tasks.recurring(name, FixedDelay.of(every))
                .execute(
                        (_, _) -> {
                            try {
                                work.accept(surroundings.ground().clock().instant());
                            } catch (RuntimeException failed) {
                                LOG.error("{} could not be looked after", name, failed);
                            }
                        });
    }

    /// A server that has just started knows too little to call anything over.
    private static void judge(FactsKeeper keeper, Rulebook rules, AlertBook book, Instant now) {
        if (keeper.isInformed()) {
            book.take(rules.judge(keeper.facts(), now), now);
        }
    }

    @Override
    public void start() {
        scheduler.start();
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        scheduler.stop();
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
