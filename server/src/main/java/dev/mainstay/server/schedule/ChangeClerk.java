package dev.mainstay.server.schedule;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.config.ChangeSettings;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ScheduleSettings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.server.job.JobKind;
import dev.mainstay.server.job.JobRequest;
import dev.mainstay.server.metrics.ArchiveFacts;
import dev.mainstay.server.view.KnownBackup;
import dev.mainstay.server.metrics.ClusterFacts;
import dev.mainstay.server.metrics.Facts;
import dev.mainstay.server.metrics.SourceFacts;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.transaction.support.TransactionOperations;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// Backs up sources that have changed enough, once for all servers that share a state: from when on
/// the next one may begin is written with the job of this one.
public final class ChangeClerk {
    private static final Logger LOG = LoggerFactory.getLogger(ChangeClerk.class);
    private static final String WORK = "/on-change";

    private final Supplier<Configuration> configuration;
    private final Supplier<Facts> facts;
    private final ScheduleTable table;
    private final TransactionOperations transactions;
    private final Function<JobRequest, String> jobs;

    /// @param facts what is known of sources
    /// @param jobs queues a job and tells its id
    public ChangeClerk(
            Supplier<Configuration> configuration,
            Supplier<Facts> facts,
            ScheduleTable table,
            TransactionOperations transactions,
            Function<JobRequest, String> jobs) {
        this.configuration = configuration;
        this.facts = facts;
        this.table = table;
        this.transactions = transactions;
        this.jobs = jobs;
    }

    /// What is waited for, and before when nothing is done about it.
    public List<ScheduleClerk.Next> next() {
        List<ScheduleClerk.Next> next = new ArrayList<>();
        for (SourceSettings source : configuration.get().sources().values()) {
            source.onChange()
                    .ifPresent(
                            each ->
                                    next.add(
                                            new ScheduleClerk.Next(
                                                    source.name() + WORK,
                                                    "after " + each.text(),
                                                    each.window()
                                                            .map(w -> w.hours().zone().getId())
                                                            .orElse("UTC"),
                                                    each.window().map(ScheduleSettings.Window::hours),
                                                    table.next(source.name() + WORK))));
        }
        return next;
    }

    /// Begins what is due. One source that cannot be looked at keeps nobody from the others.
    public void tick(Instant now) {
        for (SourceSettings source : configuration.get().sources().values()) {
            source.onChange().ifPresent(settings -> tick(source.name(), settings, now));
        }
    }

    private void tick(String source, ChangeSettings settings, Instant now) {
        boolean open = settings.window().map(each -> each.hours().contains(now)).orElse(true);
        Optional<SourceFacts> known = Optional.ofNullable(facts.get().sources().get(source));
        Optional<ArchiveFacts> archive = known.flatMap(SourceFacts::archive);
        Optional<String> why = known.flatMap(each -> why(each, settings));
        if (!open || why.isEmpty() || archive.isEmpty()) {
            return;
        }
        try {
            transactions.executeWithoutResult(
                    _ -> look(source, settings, archive.get().at(), why.get(), now));
        } catch (DuplicateKeyException anotherServerWasFaster) {
            LOG.debug("{} is looked after elsewhere", source);
        } catch (RuntimeException failed) {
            LOG.error("changes of {} could not be looked at", source, failed);
        }
    }

    /// Why a backup should be taken. Without one there is nothing that a change could be from: the
    /// first is the schedule's, or somebody's.
    private static Optional<String> why(SourceFacts source, ChangeSettings settings) {
        Optional<ClusterFacts.Readings> now =
                source.cluster().filter(ClusterFacts::up).flatMap(ClusterFacts::readings);
        Optional<KnownBackup> newest = source.archive().flatMap(ArchiveFacts::newest);
        if (now.isEmpty() || newest.isEmpty()) {
            return Optional.empty();
        }
        String since = " since backup " + newest.get().id() + " began";
        if (settings.configuration() && now.get().configured().isAfter(newest.get().begin())) {
            return Optional.of("the configuration was loaded at " + now.get().configured() + "," + since);
        }
        long written =
                source.archive()
                        .flatMap(ArchiveFacts::newestStart)
                        .map(start -> now.get().position().minus(start))
                        .orElse(0L);
        return settings.wal()
                .filter(size -> written >= size.bytes())
                .map(_ -> ByteSize.of(written) + " of WAL were written" + since);
    }

    /// @param read when the repository was read that the reason is of
    private void look(
            String source, ChangeSettings settings, Instant read, String why, Instant now) {
        String key = source + WORK;
        Optional<ScheduleTable.Row> row = table.hold(key);
        if (row.isEmpty()) {
            table.insert(key, WORK, now); // held by nobody yet: the next look begins it
            return;
        }
        boolean isOld =
                table.lastBackup(source).filter(ended -> !ended.isBefore(read)).isPresent();
        if (row.get().next().isAfter(now) || isOld || table.isBackedUp(source)) {
            return;
        }
        table.update(key, WORK, now.plus(settings.atMostEvery()));
        String job = jobs.apply(request(source, settings, why));
        table.record(new Occurrence(key, now, Occurrence.Outcome.STARTED, Optional.of(job)));
    }

    private static JobRequest request(String source, ChangeSettings settings, String why) {
        Map<String, String> parameters = new HashMap<>();
        parameters.put("type", "auto");
        parameters.put(JobRequest.BECAUSE, why);
        parameters.put(JobRequest.TIMEOUT, Long.toString(settings.timeout().toSeconds()));
        settings.window()
                .ifPresent(window -> parameters.putAll(Schedule.parameters(window)));
        return new JobRequest(JobKind.BACKUP, source, parameters, Schedule.asks(source + WORK));
    }
}
