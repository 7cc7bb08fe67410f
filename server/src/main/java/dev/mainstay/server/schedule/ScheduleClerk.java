package dev.mainstay.server.schedule;

import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.DailyHours;
import dev.mainstay.engine.config.Followed;
import dev.mainstay.engine.config.ScheduleSettings;
import dev.mainstay.server.job.JobRequest;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.transaction.support.TransactionOperations;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// Looks which schedules are due and decides about each of their times exactly once, whichever
/// server does it: what was decided and the job that it starts are written in one transaction.
public final class ScheduleClerk {
    private static final Logger LOG = LoggerFactory.getLogger(ScheduleClerk.class);

    /// Later than this a time was missed.
    private static final Duration GRACE = Duration.ofMinutes(5);

    private final Followed<Configuration, List<Schedule>> schedules;
    private final ScheduleTable table;
    private final TransactionOperations transactions;
    private final Function<JobRequest, String> jobs;

    /// @param jobs queues a job and tells its id
    /// @throws dev.mainstay.base.MainstayException what [#check] says
    public ScheduleClerk(
            Supplier<Configuration> configuration,
            ScheduleTable table,
            TransactionOperations transactions,
            Function<JobRequest, String> jobs) {
        this.schedules = new Followed<>(configuration, Schedule::all);
        schedules.get(); // what is wrong is told at once
        this.table = table;
        this.transactions = transactions;
        this.jobs = jobs;
    }

    /// Whether all expressions of a configuration are some.
    ///
    /// @throws dev.mainstay.base.MainstayException CONFIG_INVALID, saying all that are not
    public static void check(Configuration configuration) {
        Schedule.all(configuration);
    }

    /// A schedule and when it comes next.
    ///
    /// @param window in which alone its work begins
    public record Next(
            String schedule,
            String cron,
            String zone,
            Optional<DailyHours> window,
            Optional<Instant> time) {}

    /// In the order of the configuration.
    public List<Next> next() {
        return schedules.get().stream()
                .map(
                        each ->
                                new Next(
                                        each.key(),
                                        each.settings().cron(),
                                        each.settings().zone().getId(),
                                        each.settings()
                                                .window()
                                                .map(ScheduleSettings.Window::hours),
                                        table.next(each.key()).map(each::due)))
                .toList();
    }

    /// Does what is due. One schedule that cannot be looked at keeps nobody from the others.
    public void tick(Instant now) {
        Map<String, ScheduleTable.Row> rows = table.rows();
        for (Schedule schedule : schedules.get()) {
            if (isQuiet(schedule, Optional.ofNullable(rows.get(schedule.key())), now)) {
                continue;
            }
            try {
                transactions.executeWithoutResult(_ -> look(schedule, now));
            } catch (DuplicateKeyException anotherServerWasFaster) {
                LOG.debug("{} is looked after elsewhere", schedule.key());
            } catch (RuntimeException failed) {
                LOG.error("schedule {} could not be looked at", schedule.key(), failed);
            }
        }
    }

    /// Nothing is locked or written while nothing is due.
    private static boolean isQuiet(
            Schedule schedule, Optional<ScheduleTable.Row> row, Instant now) {
        return row.isPresent()
                && row.get().definition().equals(schedule.definition())
                && schedule.due(row.get().next()).isAfter(now);
    }

    private void look(Schedule schedule, Instant now) {
        String key = schedule.key();
        Optional<ScheduleTable.Row> row = table.hold(key);
        if (row.isEmpty()) {
            schedule.after(now).ifPresent(next -> table.insert(key, schedule.definition(), next));
            return;
        }
        if (!row.get().definition().equals(schedule.definition())) {
            schedule.after(now).ifPresent(next -> table.update(key, schedule.definition(), next));
            return;
        }
        List<Instant> due = new ArrayList<>();
        Optional<Instant> time = Optional.of(row.get().next());
        while (time.isPresent() && !schedule.due(time.get()).isAfter(now)) {
            due.add(time.get());
            time = schedule.after(time.get());
        }
        if (due.isEmpty()) {
            return;
        }
        time.ifPresent(next -> table.update(key, schedule.definition(), next));
        for (Instant earlier : due.subList(0, due.size() - 1)) {
            table.record(
                    new Occurrence(key, earlier, Occurrence.Outcome.MISSED, Optional.empty()));
        }
        table.record(decided(schedule, due.getLast(), now));
    }

    private Occurrence decided(Schedule schedule, Instant time, Instant now) {
        String key = schedule.key();
        boolean late = Duration.between(schedule.due(time), now).compareTo(GRACE) > 0;
        if (!schedule.isOpen(time)) {
            LOG.info("{} at {} is left out: its window is closed", key, time);
            return new Occurrence(key, time, Occurrence.Outcome.MISSED, Optional.empty());
        }
        if (late && !schedule.settings().runsMissed()) {
            LOG.warn("{} at {} was missed", key, time);
            return new Occurrence(key, time, Occurrence.Outcome.MISSED, Optional.empty());
        }
        if (table.isUnderWay(key)) {
            LOG.warn("{} at {} is left out: the one before has not ended", key, time);
            return new Occurrence(key, time, Occurrence.Outcome.SKIPPED, Optional.empty());
        }
        return new Occurrence(
                key,
                time,
                Occurrence.Outcome.STARTED,
                Optional.of(jobs.apply(schedule.request())));
    }
}
