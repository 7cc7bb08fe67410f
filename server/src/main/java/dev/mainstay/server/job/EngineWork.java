package dev.mainstay.server.job;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.backup.SourceBackup;
import dev.mainstay.engine.check.LiveCheck;
import dev.mainstay.engine.config.CopySettings;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.proof.Scrubbing;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.engine.proof.VerifyReport;
import dev.mainstay.engine.retention.ExpiryPlan;
import dev.mainstay.engine.retention.KeptLocks;
import dev.mainstay.engine.retention.SettledPrune;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.engine.retention.SubsetRule;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Expiry;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.repository.ScrubPosition;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.wrap.Throttle;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Jobs on the configured repository and sources.
public final class EngineWork implements JobWork {
    private static final int THREADS = 2;

    private final Surroundings surroundings;

    public EngineWork(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Map<String, String> run(JobRequest request, Progress progress, Attempt attempt) {
        return switch (request.kind()) {
            case BACKUP -> backup(request, progress, attempt);
            case EXPIRE -> expire(request, progress);
            case PRUNE -> prune(progress);
            case COPY -> copy(request, progress);
            case VERIFY -> verify(request, progress);
            case AMCHECK -> amcheck(request, progress);
            case VERIFY_BACKUP -> verifyBackup(request, progress);
            case RESTORE -> new RestoreWork(surroundings).run(request, progress);
            case VALIDATE_RESTORE -> new RestoreWork(surroundings).validate(request, progress);
        };
    }

    private Map<String, String> backup(JobRequest request, Progress progress, Attempt attempt) {
        Optional<CommittedBackup> there = committed(request.target(), attempt.earlier());
        if (there.isPresent()) {
            progress.note(
                    "backup "
                            + there.get().id()
                            + " was committed by an earlier attempt, which failed behind that");
            return said(there.get(), BackupDetails.read(there.get().details()));
        }
        Optional.ofNullable(request.parameters().get(JobRequest.BECAUSE)).ifPresent(progress::note);
        String type = request.parameters().getOrDefault("type", "auto");
        ClusterBackup.Result result =
                new SourceBackup(surroundings, request.target(), progress)
                        .run(
                                new ClusterBackup.Request(
                                        ClusterBackup.Request.Type.valueOf(
                                                type.toUpperCase(Locale.ROOT)),
                                        Duration.ofSeconds(60),
                                        Waiter.sleeping(Duration.ofMillis(50)),
                                        attempt.begins()));
        result.details().judgement().warnings().forEach(progress::note);
        return said(result.backup(), result.details());
    }

    /// One job takes one backup: what an earlier attempt began either exists by now or never will.
    private Optional<CommittedBackup> committed(String source, List<BackupId> earlier) {
        if (earlier.isEmpty()) {
            return Optional.empty();
        }
        try (Repository repository = surroundings.open()) {
            ProtectedSource from = repository.requireSource(source);
            return earlier.stream().flatMap(id -> from.settle(id).stream()).findFirst();
        }
    }

    private static Map<String, String> said(CommittedBackup backup, BackupDetails details) {
        Map<String, String> said = new LinkedHashMap<>();
        said.put("backup", backup.id().text());
        said.put("type", backup.type());
        said.put("status", details.judgement().status());
        said.put("bytes", number(backup.statistics().number("bytes")));
        said.put("bytesRead", number(backup.statistics().number("bytes-read")));
        said.put("bytesStored", number(backup.statistics().number("bytes-stored")));
        if (details.judgement().damagedPageCount() > 0) {
            throw new MainstayException(
                    ErrorCode.BACKUP_PAGE_DAMAGED,
                    "backup "
                            + backup.id()
                            + " is complete, and has "
                            + details.judgement().damagedPageCount()
                            + " damaged pages");
        }
        return said;
    }

    private Map<String, String> expire(JobRequest request, Progress progress) {
        try (Repository repository = surroundings.open()) {
            SourceExpiry expiry =
                    new SourceExpiry(
                            repository.requireSource(request.target()),
                            surroundings.configuration().source(request.target()).retention(),
                            surroundings.ground().clock().instant());
            ExpiryPlan plan = expiry.plan();
            demandNotInterrupted();
            Optional<Set<BackupId>> agreed = request.backups();
            Expiry.Result result =
                    agreed.isPresent() ? expiry.run(agreed.get()) : expiry.run(plan);
            result.held().forEach(id -> progress.note("backup " + id + " stays: it was held"));
            result.refused()
                    .forEach(
                            id ->
                                    progress.note(
                                            "backup "
                                                    + id
                                                    + " is gone on record, but the store keeps its"
                                                    + " slot"));
            return Map.of(
                    "removed",
                    String.join(" ", result.removed().stream().map(BackupId::text).toList()),
                    "policy",
                    plan.policy().toString());
        }
    }

    private Map<String, String> prune(Progress progress) {
        try (Repository repository = surroundings.open()) {
            SettledPrune prune =
                    new SettledPrune(
                            surroundings.configuration(),
                            repository,
                            surroundings.ground().clock().instant());
            Prune.Report plan = prune.plan();
            demandNotInterrupted();
            progress.begin(
                    "pruning", plan.removed().size().bytes() + plan.wal().size().bytes());
            Prune.Report done = prune.run(progress::advance);
            progress.end();
            if (done.refused().count() > 0) {
                progress.note(
                        "the store keeps "
                                + done.refused().count()
                                + " packs that no backup refers to; the next run tries again");
            }
            return Map.of(
                    "packs",
                    number(done.removed().count()),
                    "bytes",
                    number(done.removed().size().bytes()),
                    "walSegments",
                    number(done.wal().freed()),
                    "packsWaiting",
                    number(done.waiting().count()),
                    "packsCompacted",
                    number(done.compacted().packs().count()));
        }
    }

    private Map<String, String> copy(JobRequest request, Progress progress) {
        CopySettings copy = surroundings.configuration().copy(request.target());
        try (Repository repository = surroundings.open();
                ObjectStore store =
                        RepositoryAccess.openCopy(copy.repository(), surroundings.ground())) {
            RepositoryCopy work =
                    new RepositoryCopy(
                            repository,
                            store,
                            SubsetRule.of(
                                    surroundings.configuration(),
                                    copy,
                                    surroundings.ground().clock().instant()),
                            Throttle.of(copy.maxRate()),
                            THREADS,
                            progress::advance);
            progress.begin(
                    "copying to " + copy.name(), RepositoryCopy.total(work.missing()).bytes());
            RepositoryCopy.Result result = work.run();
            progress.end();
            result.partial().waiting().forEach(each -> progress.note("waits: " + each));
            demandUndamaged(result);
            Amount total = result.total();
            return Map.of("objects", number(total.objects()), "bytes", number(total.bytes()));
        }
    }

    private static void demandUndamaged(RepositoryCopy.Result result) {
        List<RepositoryCopy.DamagedObject> damaged = result.damaged();
        if (!damaged.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    damaged.size()
                            + " objects of the repository are damaged, and were not copied: "
                            + damaged.getFirst().name()
                            + (damaged.size() == 1 ? "" : " and others"));
        }
    }

    private Map<String, String> verify(JobRequest request, Progress progress) {
        Optional<String> source =
                request.target().isEmpty() ? Optional.empty() : Optional.of(request.target());
        double percent =
                Double.parseDouble(request.parameters().getOrDefault("data-percent", "100"));
        try (Repository repository = surroundings.open()) {
            RepositoryCheck.Options all =
                    new RepositoryCheck.Options(
                            source, percent, surroundings.ground().random().nextLong(), THREADS);
            Optional<Scrubbing> scrubbing =
                    Optional.ofNullable(request.parameters().get(JobRequest.SHARE))
                            .map(
                                    _ ->
                                            Scrubbing.next(
                                                    repository,
                                                    surroundings.configuration().verify(),
                                                    Optional.empty()));
            VerifyReport report =
                    new Verification(
                                    repository,
                                    scrubbing.map(each -> each.options(all)).orElse(all),
                                    progress)
                            .run();
            noted(report, progress);
            Map<String, String> said = new LinkedHashMap<>();
            scrubbing.ifPresent(each -> said.putAll(scrubbed(each, repository, progress)));
            demandWell(report);
            verifyLocks(repository, source, progress);
            said.put("backups", number(report.backups()));
            said.put("objects", number(report.contents().objects()));
            said.put("size", ByteSize.of(report.contents().bytes()).toString());
            said.put("packsRead", number(report.contents().packsRead()));
            said.put("walSegments", number(report.segments()));
            return said;
        }
    }

    private static void noted(VerifyReport report, Progress progress) {
        for (VerifyReport.Finding each : report.findings()) {
            progress.note(each.code().id() + ": " + each.object() + ": " + each.what());
        }
    }

    /// All that one backup needs. Locks, and what it does not need, are not looked at.
    private Map<String, String> verifyBackup(JobRequest request, Progress progress) {
        BackupId id = BackupId.parse(request.parameters().getOrDefault(JobRequest.BACKUP, ""));
        try (Repository repository = surroundings.open()) {
            VerifyReport report =
                    new Verification(
                                    repository,
                                    new RepositoryCheck.Options(
                                                    Optional.empty(),
                                                    100,
                                                    surroundings.ground().random().nextLong(),
                                                    THREADS)
                                            .of(request.target(), id),
                                    progress)
                            .run();
            noted(report, progress);
            if (!report.ok()) {
                throw new MainstayException(
                        ErrorCode.VERIFY_FAILED,
                        "backup "
                                + id
                                + " of "
                                + request.target()
                                + " needs "
                                + report.findingCount()
                                + " objects that are damaged or missing");
            }
            Map<String, String> said = new LinkedHashMap<>();
            said.put("backup", id.text());
            said.put("packsRead", number(report.contents().packsRead()));
            said.put("size", ByteSize.of(report.contents().bytes()).toString());
            said.put("frames", number(report.contents().frames()));
            said.put("walSegments", number(report.segments()));
            return said;
        }
    }

    private static Map<String, String> scrubbed(
            Scrubbing share, Repository repository, Progress progress) {
        ScrubPosition end = share.end(repository);
        share.warning().ifPresent(progress::note);
        Map<String, String> said = new LinkedHashMap<>();
        said.put("contentRead", share.read() + " of " + share.everything());
        end.before().ifPresent(since -> said.put("everythingReadSince", since.toString()));
        return said;
    }

    private static void demandWell(VerifyReport report) {
        if (!report.ok()) {
            throw new MainstayException(
                    ErrorCode.VERIFY_FAILED,
                    report.findingCount()
                            + " of the repository's objects are damaged or missing");
        }
    }

    private Map<String, String> amcheck(JobRequest request, Progress progress) {
        PostgresSettings settings =
                surroundings.configuration().source(request.target()).postgres();
        LiveCheck.Report report =
                new LiveCheck(
                                surroundings.connection(settings),
                                LiveCheck.rate(settings),
                                progress)
                        .run();
        report.notes().forEach(progress::note);
        report.damage().forEach(progress::note);
        report.demandWell(request.target());
        return Map.of(
                "databases",
                String.join(" ", report.databases()),
                "tables",
                number(report.tables()),
                "indexes",
                number(report.indexes()),
                "bytes",
                number(report.size().bytes()));
    }

    private void verifyLocks(Repository repository, Optional<String> source, Progress progress) {
        boolean well =
                repository
                        .store()
                        .locks()
                        .map(
                                locks ->
                                        KeptLocks.of(
                                                        surroundings.configuration(),
                                                        repository,
                                                        surroundings.ground().clock().instant())
                                                .look(locks, source, progress)
                                                .isWell())
                        .orElse(true);
        if (!well) {
            throw new MainstayException(
                    ErrorCode.LOCKS_LACKING,
                    "everything is readable, complete and continuous, but not everything is locked"
                            + " that should be");
        }
    }

    /// Before what cannot be taken back.
    private static void demandNotInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped before anything was done");
        }
    }

    private static String number(long value) {
        return Long.toString(value);
    }
}
