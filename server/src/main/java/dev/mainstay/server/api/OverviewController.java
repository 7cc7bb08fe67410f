package dev.mainstay.server.api;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.StoredObjects;
import dev.mainstay.server.job.JobCounts;
import dev.mainstay.server.job.JobFailure;
import dev.mainstay.server.job.JobKind;
import dev.mainstay.server.job.JobState;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.view.BackupRow;
import dev.mainstay.server.view.KnownBackup;
import dev.mainstay.server.view.RepositoryView;
import dev.mainstay.server.view.SourcePicture;
import dev.mainstay.server.wal.ReceiverReport;
import dev.mainstay.server.wal.ReceiverState;
import dev.mainstay.server.wal.ReceiverTable;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// `/api/v1/statistics` and `/api/v1/dashboard`
@RestController
public final class OverviewController {
    private static final Duration DAY = Duration.ofHours(24);
    private static final Duration HEARD = Duration.ofMinutes(1);
    private static final int RECENT = 10;

    private final RepositoryView view;
    private final JobCounts jobs;
    private final ReceiverTable receivers;
    private final InstantSource clock;

    public OverviewController(
            RepositoryView view,
            JobCounts jobs,
            ReceiverTable receivers,
            Surroundings surroundings) {
        this.view = view;
        this.jobs = jobs;
        this.receivers = receivers;
        this.clock = surroundings.ground().clock();
    }

    @Schema(name = "JobCount")
    record Count(String kind, @Nullable String target, String state, long jobs) {
        static Count of(JobCounts.Count count) {
            return new Count(
                    count.kind().word(),
                    count.target().isEmpty() ? null : count.target(),
                    count.state().word(),
                    count.jobs());
        }
    }

    /// @param storedBytes that its backups put
    @Schema(name = "SourceStatistics")
    record OfSource(
            String source,
            int backups,
            long full,
            long incremental,
            long sizeBytes,
            long storedBytes,
            @Nullable Instant oldest,
            @Nullable Instant newest) {
        static OfSource of(SourcePicture source) {
            List<KnownBackup> whole = source.whole();
            return new OfSource(
                    source.name(),
                    source.backups().size(),
                    whole.stream().filter(each -> each.type().equals("full")).count(),
                    whole.stream().filter(each -> each.type().equals("incremental")).count(),
                    whole.stream().mapToLong(KnownBackup::bytes).sum(),
                    source.bytesStored(),
                    whole.isEmpty() ? null : whole.getFirst().end(),
                    source.newest().flatMap(BackupRow::end).orElse(null));
        }
    }

    @Schema(name = "ObjectCount")
    record Kind(long objects, long bytes) {
        static Kind of(Amount amount) {
            return new Kind(amount.objects(), amount.bytes());
        }
    }

    /// @param repository by kinds of objects, as the store listed them some minutes ago
    /// @param jobsOfLastDay and those that have not ended
    @Schema(name = "Statistics")
    record Statistics(
            long repositoryBytes,
            long repositoryObjects,
            Map<String, Kind> repository,
            List<OfSource> sources,
            List<Count> jobsOfLastDay) {}

    @GetMapping("/api/v1/statistics")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "how much there is of what")
    Statistics statistics() {
        StoredObjects objects = view.objects();
        Map<String, Kind> kinds = new TreeMap<>();
        objects.kinds().forEach((kind, amount) -> kinds.put(kind, Kind.of(amount)));
        return new Statistics(
                objects.total().bytes(),
                objects.total().objects(),
                kinds,
                view.sources(_ -> true).stream().map(OfSource::of).toList(),
                jobs.since(clock.instant().minus(DAY)).stream().map(Count::of).toList());
    }

    /// @param rpoSeconds what would be lost if the source were lost now, at most: by what the
    ///   receiver of its WAL says if it was heard of lately, else the age of the newest backup
    /// @param rpoBasis `wal` or `backup`
    /// @param failure why the rest cannot be told
    @Schema(name = "SourceSummary")
    record Summary(
            String source,
            BackupsController.@Nullable Row newest,
            @Nullable Long newestAgeSeconds,
            long failedBackupsOfLastDay,
            List<RecoveryController.Window> windows,
            @Nullable Double rpoSeconds,
            @Nullable String rpoBasis,
            @Nullable JobFailure failure) {}

    @Schema(name = "Dashboard")
    record Dashboard(
            Instant at,
            long backups,
            long failedJobsOfLastDay,
            long jobsRunning,
            long jobsQueued,
            long storedBytes,
            List<Summary> sources,
            List<BackupsController.Row> recentBackups) {}

    @GetMapping("/api/v1/dashboard")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "how everything is, on a page")
    Dashboard dashboard() {
        Instant now = clock.instant();
        List<JobCounts.Count> counts = jobs.since(now.minus(DAY));
        List<SourcePicture> sources = view.sources(_ -> true);
        return new Dashboard(
                now,
                sources.stream().mapToLong(each -> each.backups().size()).sum(),
                count(counts, JobState.FAILED),
                count(counts, JobState.RUNNING),
                count(counts, JobState.QUEUED),
                sources.stream().mapToLong(SourcePicture::bytesStored).sum(),
                sources.stream().map(each -> summary(each, counts, now)).toList(),
                recent(sources));
    }

    private static List<BackupsController.Row> recent(List<SourcePicture> sources) {
        return sources.stream()
                .flatMap(
                        source ->
                                source.backups().stream()
                                        .limit(RECENT)
                                        .map(row -> BackupsController.Row.of(source.name(), row)))
                .sorted(Comparator.comparing(BackupsController.Row::backup).reversed())
                .limit(RECENT)
                .toList();
    }

    private static long count(List<JobCounts.Count> counts, JobState state) {
        return counts.stream()
                .filter(each -> each.state() == state)
                .mapToLong(JobCounts.Count::jobs)
                .sum();
    }

    private Summary summary(SourcePicture source, List<JobCounts.Count> counts, Instant now) {
        Optional<Duration> age =
                source.newest().flatMap(BackupRow::end).map(end -> Duration.between(end, now));
        Optional<Duration> lag =
                receivers
                        .find(source.name())
                        .filter(each -> each.state() == ReceiverState.RECEIVING)
                        .filter(each -> each.seen().plus(HEARD).isAfter(now))
                        .flatMap(ReceiverReport::status)
                        .map(status -> status.storedLag())
                        .filter(_ -> age.isPresent()); // without a backup WAL brings nothing back
        List<RecoveryController.Window> windows = List.of();
        Optional<JobFailure> failure = Optional.empty();
        try {
            windows =
                    age.isEmpty()
                            ? List.of()
                            : view.plan(source.name()).before().stream()
                                    .map(RecoveryController.Window::of)
                                    .toList();
        } catch (MainstayException unknown) { // and the others are told all the same
            failure = Optional.of(JobFailure.of(unknown));
        }
        return new Summary(
                source.name(),
                source.newest()
                        .map(row -> BackupsController.Row.of(source.name(), row))
                        .orElse(null),
                age.map(Duration::toSeconds).orElse(null),
                counts.stream()
                        .filter(each -> each.kind() == JobKind.BACKUP)
                        .filter(each -> each.target().equals(source.name()))
                        .filter(each -> each.state() == JobState.FAILED)
                        .mapToLong(JobCounts.Count::jobs)
                        .sum(),
                windows,
                lag.or(() -> age).map(span -> span.toMillis() / 1000.0).orElse(null),
                lag.isPresent() ? "wal" : age.isPresent() ? "backup" : null,
                failure.orElse(null));
    }
}
