package dev.mainstay.server.operators;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.server.confirm.Confirmations;
import dev.mainstay.server.confirm.Danger;
import dev.mainstay.server.confirm.Dangers;
import dev.mainstay.server.job.Job;
import dev.mainstay.server.job.JobCounts;
import dev.mainstay.server.job.JobDesk;
import dev.mainstay.server.job.JobKind;
import dev.mainstay.server.job.JobRequest;
import dev.mainstay.server.job.JobState;
import dev.mainstay.server.security.Caller;
import dev.mainstay.server.view.BackupRow;
import dev.mainstay.server.view.RepositoryView;

import org.springframework.transaction.support.TransactionOperations;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/// What the three families of paths have in common: the figures that they tell, and the jobs that
/// they start.
final class BackupFigures {
    private static final Duration DAY = Duration.ofHours(24);

    private final Surroundings surroundings;
    private final RepositoryView view;
    private final JobCounts counts;
    private final JobDesk desk;
    private final Dangers dangers;
    private final Confirmations confirmations;
    private final TransactionOperations transactions;

    BackupFigures(
            Surroundings surroundings,
            RepositoryView view,
            JobCounts counts,
            JobDesk desk,
            Dangers dangers,
            Confirmations confirmations,
            TransactionOperations transactions) {
        this.surroundings = surroundings;
        this.view = view;
        this.counts = counts;
        this.desk = desk;
        this.dangers = dangers;
        this.confirmations = confirmations;
        this.transactions = transactions;
    }

    /// A backup as these paths tell it.
    record Item(
            String id,
            String source,
            String type,
            String status,
            Optional<Instant> startedAt,
            Optional<Instant> completedAt,
            long size,
            long storedSize) {}

    /// A job that was started.
    ///
    /// @param jobId empty where there is nothing to do, and no job: the status is `skipped`
    record Started(String jobId, String source, String kind, String status) {
        /// There is nothing of the source that could expire.
        static Started none(String source) {
            return new Started("", source, JobKind.EXPIRE.word(), "skipped");
        }

        static Started of(Job job) {
            return new Started(
                    job.id(),
                    job.request().target(),
                    job.request().kind().word(),
                    job.state().word());
        }
    }

    /// @param ageMinutes of the newest backup
    /// @param stored bytes that backups put
    record Figures(
            int total,
            Optional<Item> newest,
            Optional<Item> oldest,
            OptionalLong ageMinutes,
            long failedLastDay,
            long stored) {
        /// Nothing failed since, and there is something.
        boolean isUp() {
            return newest.isPresent() && failedLastDay == 0;
        }
    }

    /// Of every source, the newest first.
    List<Item> all() {
        return view.sources(_ -> true).stream()
                .flatMap(
                        source ->
                                source.backups().stream().map(row -> item(source.name(), row)))
                .sorted(Comparator.comparing(Item::id).reversed())
                .toList();
    }

    private static Item item(String source, BackupRow row) {
        return new Item(
                row.id().text(),
                source,
                row.type(),
                row.status(),
                row.begin(),
                row.end(),
                row.bytes(),
                row.bytesStored());
    }

    Figures figures() {
        Instant now = surroundings.ground().clock().instant();
        List<Item> whole =
                all().stream().filter(each -> each.completedAt().isPresent()).toList();
        Optional<Item> newest = whole.stream().findFirst();
        return new Figures(
                whole.size(),
                newest,
                whole.isEmpty() ? Optional.empty() : Optional.of(whole.getLast()),
                newest.flatMap(Item::completedAt).stream()
                        .mapToLong(end -> Math.max(0, Duration.between(end, now).toMinutes()))
                        .findFirst(),
                counts.since(now.minus(DAY)).stream()
                        .filter(each -> each.kind() == JobKind.BACKUP)
                        .filter(each -> each.state() == JobState.FAILED)
                        .mapToLong(JobCounts.Count::jobs)
                        .sum(),
                whole.stream().mapToLong(Item::storedSize).sum());
    }

    /// As people write it: `5.12 GB`.
    static String size(long bytes) {
        return ByteSize.of(bytes).toString();
    }

    /// A job for each configured source.
    List<Started> eachSource(JobKind kind, Map<String, String> parameters, String who) {
        return surroundings.configuration().sources().keySet().stream()
                .map(source -> desk.submit(new JobRequest(kind, source, parameters, who)))
                .map(Started::of)
                .toList();
    }

    /// What policies do not keep goes, of every source, and what was confirmed alone.
    List<Started> expire(Optional<String> confirmation, Caller caller) {
        Danger danger = dangers.expireAll();
        Runnable use = confirmations.admit(danger, confirmation, caller);
        return Objects.requireNonNull(
                transactions.execute(
                        _ -> {
                            use.run();
                            return danger.bound().entrySet().stream()
                                    .map(each -> expire(each.getKey(), each.getValue(), caller))
                                    .toList();
                        }));
    }

    private Started expire(String source, String backups, Caller caller) {
        if (!dangers.isStored(source)) {
            return Started.none(source);
        }
        JobRequest request = new JobRequest(JobKind.EXPIRE, source, Map.of(), caller.name());
        return Started.of(desk.submit(request.removing(backups)));
    }

    List<Started> backup(String type, String who) {
        return eachSource(JobKind.BACKUP, Map.of("type", type), who);
    }

    /// Everything that is stored.
    List<Started> verify(String who) {
        return List.of(
                Started.of(desk.submit(new JobRequest(JobKind.VERIFY, "", Map.of(), who))));
    }

    /// What one backup needs.
    List<Started> verify(String backup, String who) {
        FoundBackup found = view.backup(backup);
        return List.of(
                Started.of(
                        desk.submit(
                                JobRequest.verifying(
                                        found.source().name(), found.backup().id(), who))));
    }
}
