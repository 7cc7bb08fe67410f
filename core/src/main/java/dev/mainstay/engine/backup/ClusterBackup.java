package dev.mainstay.engine.backup;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.postgres.cluster.BackupSession;
import dev.mainstay.postgres.cluster.ClusterFile;
import dev.mainstay.postgres.cluster.ClusterFiles;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.Preflight;
import dev.mainstay.postgres.cluster.RelationPageReader;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.BegunBackup;
import dev.mainstay.repository.ChangedPages;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.wrap.Throttle;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/// Backs up a running primary: in its data directory where the configuration names one, else over
/// the replication protocol ([StreamedBackup]).
///
/// The order is what makes the result recoverable: server and directory are proved to be one
/// cluster; the backup is announced in the repository and started in the server, while a segment of
/// WAL is on its way; once that has arrived, the archive is alive, and only then files are listed
/// and read, `pg_control` last; the server ends the backup; the WAL up to its end is seen in the
/// repository; and then the commit record is put.
public final class ClusterBackup {
    /// Files are sorted by size within groups of so many, so that no large one is left for last.
    private static final int GROUP = 200_000;

    /// What the server calls the sessions of a backup.
    public static final String APPLICATION = "mainstay backup";

    /// What to do.
    ///
    /// @param type `auto` takes an incremental wherever an earlier backup can serve
    /// @param archiveTimeout how long a WAL segment may take to arrive in the repository
    /// @param verifyChanges read everything, and fail if the log does not name what changed
    public record Request(
            Type type, Duration archiveTimeout, Waiter waiter, boolean verifyChanges) {
        public Request(Type type, Duration archiveTimeout, Waiter waiter) {
            this(type, archiveTimeout, waiter, false);
        }

        public enum Type {
            AUTO,
            FULL,
            INCREMENTAL
        }
    }

    /// What was done.
    public record Result(CommittedBackup backup, BackupDetails details, Duration duration) {}

    private final ProtectedSource source;
    private final RepositorySettings repository;
    private final PostgresSettings settings;
    private final ConnectionSpec connection;
    private final Progress progress;

    /// From where on the log has to tell what changed since an earlier backup. Its start: while it
    /// was copied, pages changed that it has in their earlier state.
    private Function<BackupDetails, Lsn> since = BackupDetails::startLsn;

    /// Holds every byte of the cluster that is read.
    private Throttle throttle;

    public ClusterBackup(
            ProtectedSource source,
            RepositorySettings repository,
            PostgresSettings settings,
            ConnectionSpec connection,
            Progress progress) {
        this.source = source;
        this.repository = repository;
        this.settings = settings;
        this.connection = connection;
        this.progress = progress;
        this.throttle = Throttle.of(settings.limits().maxRate());
    }

    /// For the test that shows that any other interval is wrong.
    ClusterBackup withChangesSince(Function<BackupDetails, Lsn> other) {
        since = other;
        return this;
    }

    /// Reads by another clock than the system's, for tests of `max-rate`.
    ClusterBackup withThrottle(Throttle other) {
        throttle = other;
        return this;
    }

    /// Takes the backup.
    ///
    /// @throws MainstayException with a 05xx or 06xx code; the repository then holds nothing new
    public Result run(Request request) {
        return run(request, SqlSession.openSql(connection, APPLICATION));
    }

    /// Takes the backup with a session that is open already, and closes it.
    ///
    /// @throws MainstayException as [#run(Request)]
    public Result run(Request request, Connection sql) {
        if (settings.dataDirectory().isEmpty()) {
            return new StreamedBackup(source, repository, settings, connection, throttle, progress)
                    .run(request, sql);
        }
        Instant begin = source.repository().ground().clock().instant();
        try (BackupSession session = BackupSession.open(sql)) {
            Preflight.inspect(sql, dataDirectory(), request.waiter).requireReady();
            ControlFile control = ControlFile.read(dataDirectory(), request.waiter);
            Origin origin = Origin.of(control);
            WalArchive archive = source.wal(control.systemId(), repository.zstdLevel());
            ArchiveProof proof =
                    ArchiveProof.begin(
                            new ArchiveProof.Subject(
                                    source.name(), settings.receiver().slot(), archive, sql),
                            origin,
                            request,
                            progress);
            Optional<Basis.Parent> parent = Basis.parent(source, request.type, origin, progress);
            List<BegunBackup> begun =
                    request.verifyChanges
                            ? List.of()
                            : Resumption.find(
                                    source, origin, parent, sql, request.waiter, progress);
            try (BackupWriter writer =
                    source.newBackup(Basis.options(repository, parent, origin).resuming(begun))) {
                try {
                    return copy(
                            new Step(
                                    writer, session, control, proof, request, archive, parent,
                                    begun),
                            begin);
                } catch (RuntimeException | Error failed) {
                    abort(writer, failed, progress);
                    throw failed;
                }
            }
        }
    }

    static void abort(BackupWriter writer, Throwable failed, Progress progress) {
        boolean interrupted = Thread.interrupted(); // cleaning up must not be cut short
        try {
            if (writer.abort()) {
                progress.note(
                        "what backup "
                                + writer.id()
                                + " has stored is kept: the next one goes on from there");
            }
        } catch (RuntimeException alsoFailed) {
            failed.addSuppressed(alsoFailed);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private record Step(
            BackupWriter writer,
            BackupSession session,
            ControlFile control,
            ArchiveProof proof,
            Request request,
            WalArchive archive,
            Optional<Basis.Parent> parent,
            List<BegunBackup> begun) {}

    private Result copy(Step step, Instant begin) {
        ControlFile control = step.control;
        int blockSize = control.layout().blockSizeBytes();
        step.writer.blockSize(blockSize);
        BackupSession.Start start = step.session.start("mainstay " + step.writer.id(), true);
        step.proof.segmentArrives();
        BackupFindings findings = new BackupFindings();
        Optional<RelationPageReader.Verification> verification =
                control.hasDataChecksums()
                        ? Optional.of(
                                new RelationPageReader.Verification(
                                        start.lsn(),
                                        step.session::currentInsertLsn,
                                        step.request.waiter,
                                        findings::damaged))
                        : Optional.empty();
        Supplier<ChangeSearch> search =
                () ->
                        new ChangeSearch(
                                step.archive,
                                dataDirectory().resolve("pg_wal"),
                                control.layout().walSegmentSizeBytes(),
                                control.layout().walBlockSizeBytes());
        Optional<KnownChanges> known =
                step.parent.map(
                        parent ->
                                KnownChanges.find(
                                        parent,
                                        since.apply(BackupDetails.read(parent.backup().details())),
                                        search.get(),
                                        start,
                                        step.request.verifyChanges ? 0 : settings.fullReadEvery()));
        Map<BackupId, KnownChanges> resumed = Resumption.changes(step.begun, known, search, start);
        step.writer.putDownProgress(
                () ->
                        Resumption.details(
                                Origin.of(control),
                                step.parent,
                                start,
                                step.session.currentInsertLsn(),
                                known,
                                findings));
        Map<BackupId, KnownChanges> earlier = new HashMap<>(resumed);
        step.parent.ifPresent(parent -> earlier.put(parent.backup().id(), known.orElseThrow()));
        BiFunction<ClusterFile, BackupId, ChangedPages> changedSince =
                (file, id) ->
                        Objects.requireNonNull(earlier.get(id))
                                .pages(file, control.layout().relationSegmentBlocks());
        Optional<ChangeCheck> check =
                known.filter(_ -> step.request.verifyChanges)
                        .filter(each -> each.changes() instanceof Changes.FromWal)
                        .map(
                                _ ->
                                        new ChangeCheck(
                                                blockSize,
                                                start.lsn(),
                                                file ->
                                                        changedSince.apply(
                                                                file,
                                                                step.parent
                                                                        .orElseThrow()
                                                                        .backup()
                                                                        .id())));
        FileCopier.Terms terms =
                new FileCopier.Terms(
                        step.writer,
                        changedSince,
                        check,
                        blockSize,
                        control.layout().relationSegmentBlocks(),
                        verification,
                        findings,
                        step.request.waiter,
                        throttle,
                        progress);
        ServerKnowledge knowledge = new ServerKnowledge(connection);
        Copied copied = copyAll(terms, step, knowledge);
        check.ifPresent(
                each ->
                        each.report()
                                .requireNoneMissed(step.parent.orElseThrow().backup().id().text()));
        knowledge.explainVanished(findings.vanishedRelations(), dataDirectory());
        Instant controlRead = storeControlFile(step);
        BackupSession.Stop stop = step.session.stop();
        step.writer.finishContent();
        progress.begin("waiting for WAL of " + source.name(), 0);
        step.proof.complete(start.segment(), stop.lsn());
        progress.end();
        BackupDetails details =
                new BackupDetails(
                        control.systemId(),
                        start.timeline(),
                        start.lsn(),
                        stop.lsn(),
                        start.time(),
                        stop.time(),
                        copied.described.server(control),
                        Origin.of(control).layout(),
                        dataDirectory().toString(),
                        stop.backupLabel(),
                        stop.tablespaceMap(),
                        copied.tablespaces,
                        copied.described.configuration(),
                        findings.judgement());
        if (controlRead.isAfter(stop.time().plusSeconds(3600))) {
            findings.warning("this host's clock is more than an hour ahead of the server's");
        }
        CommittedBackup committed =
                step.writer.commit(
                        record(
                                details,
                                changes(step, known),
                                resumed,
                                check,
                                copied.described.movedPgClass()));
        Instant end = source.repository().ground().clock().instant();
        return new Result(committed, details, Duration.between(begin, end));
    }

    /// Nothing is said of a full backup that was asked for, or is the first.
    private Optional<Changes> changes(Step step, Optional<KnownChanges> known) {
        boolean unwanted =
                step.request.type != Request.Type.FULL && !source.newestBackups().isEmpty();
        return known.map(KnownChanges::changes)
                .or(() -> unwanted ? Optional.of(Changes.NO_PARENT) : Optional.empty());
    }

    private static Json record(
            BackupDetails details,
            Optional<Changes> changes,
            Map<BackupId, KnownChanges> resumed,
            Optional<ChangeCheck> check,
            Map<Long, Long> movedPgClass) {
        Json json = BackupDetails.withMovedPgClass(details.toJson(), movedPgClass);
        changes.ifPresent(each -> json.put("changes", each.toJson()));
        if (!resumed.isEmpty()) {
            json.put("resumed", Resumption.toJson(resumed));
        }
        check.ifPresent(each -> json.put("verifiedChanges", each.report().toJson()));
        return json;
    }

    private Instant storeControlFile(Step step) {
        byte[] bytes = ControlFile.readBytes(dataDirectory(), step.request.waiter);
        Path file = dataDirectory().resolve(ControlFile.PATH);
        Instant now = source.repository().ground().clock().instant();
        try {
            step.writer.file(
                    new FileFacts(
                            ControlFile.PATH,
                            0600,
                            Files.getOwner(file).getName(),
                            ServerKnowledge.group(file),
                            Files.getLastModifiedTime(file)
                                    .to(java.util.concurrent.TimeUnit.MICROSECONDS)),
                    new ByteArrayInputStream(bytes));
        } catch (IOException failed) {
            throw FileCopier.unreadable(file, failed);
        }
        return now;
    }

    private record Copied(
            List<BackupDetails.Tablespace> tablespaces, ServerKnowledge.Described described) {}

    /// The server is asked what it knows while its files are read.
    private Copied copyAll(FileCopier.Terms terms, Step step, ServerKnowledge knowledge) {
        try (ExecutorService aside = Executors.newSingleThreadExecutor()) {
            Future<ServerKnowledge.Described> described =
                    aside.submit(
                            () ->
                                    knowledge.describe(
                                            step.writer, dataDirectory(), terms.findings()));
            List<BackupDetails.Tablespace> tablespaces;
            try {
                tablespaces = copyFiles(terms, step.control);
            } catch (RuntimeException | Error failed) {
                aside.shutdownNow();
                throw failed;
            }
            return new Copied(tablespaces, outcome(described));
        }
    }

    private List<BackupDetails.Tablespace> copyFiles(FileCopier.Terms terms, ControlFile control) {
        List<BackupDetails.Tablespace> tablespaces = new ArrayList<>();
        List<ClusterFile> group = new ArrayList<>();
        ExecutorService workers = Executors.newFixedThreadPool(settings.processMax());
        List<FileCopier> copiers = new ArrayList<>();
        try {
            for (int i = 0; i < settings.processMax(); i++) {
                copiers.add(new FileCopier(terms));
            }
            ClusterFiles.of(dataDirectory(), version(), control)
                    .scan(
                            file -> {
                                tablespace(file).ifPresent(tablespaces::add);
                                group.add(file);
                                if (group.size() == GROUP) {
                                    copyGroup(workers, copiers, group, terms);
                                }
                            });
            copyGroup(workers, copiers, group, terms);
        } finally {
            endWorkers(workers);
            copiers.forEach(FileCopier::close);
            progress.end();
        }
        return tablespaces;
    }

    private Path dataDirectory() {
        return settings.dataDirectory().orElseThrow();
    }

    private dev.mainstay.postgres.cluster.ServerVersion version() {
        return dev.mainstay.postgres.cluster.ServerVersion.ofDataDirectory(dataDirectory());
    }

    /// Returns when none works any more.
    static void endWorkers(ExecutorService workers) {
        workers.shutdownNow();
        boolean interrupted = Thread.interrupted();
        try {
            while (!workers.awaitTermination(1, java.util.concurrent.TimeUnit.MINUTES)) {
                // a worker ends with the file it is reading; its buffers must not be closed before
            }
        } catch (InterruptedException _) {
            interrupted = true;
            workers.close();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Optional<BackupDetails.Tablespace> tablespace(ClusterFile file) {
        if (file.kind() instanceof ClusterFile.Link link
                && file.path().startsWith("pg_tblspc/")
                && file.path().indexOf('/', 10) < 0) {
            return Optional.of(
                    new BackupDetails.Tablespace(file.path().substring(10), link.target()));
        }
        return Optional.empty();
    }

    private void copyGroup(
            ExecutorService workers,
            List<FileCopier> copiers,
            List<ClusterFile> group,
            FileCopier.Terms terms) {
        group.sort(Comparator.comparingLong(ClusterFile::sizeBytes).reversed());
        progress.begin(
                "backing up " + source.name(),
                group.stream().mapToLong(ClusterFile::sizeBytes).sum());
        ConcurrentLinkedQueue<FileCopier.Task> queue = new ConcurrentLinkedQueue<>();
        group.forEach(file -> queue.addAll(FileCopier.tasks(file, terms)));
        List<Future<?>> running = new ArrayList<>();
        for (FileCopier copier : copiers) {
            running.add(workers.submit(() -> work(queue, copier)));
        }
        running.forEach(ClusterBackup::outcome);
        group.clear();
    }

    /// A worker that fails leaves nothing for the others: they would go on for hours.
    private static void work(Queue<FileCopier.Task> queue, FileCopier copier) {
        try {
            for (FileCopier.Task task = queue.poll(); task != null; task = queue.poll()) {
                stopIfInterrupted();
                task.doWith(copier);
            }
        } catch (RuntimeException | Error failed) {
            queue.clear();
            throw failed;
        }
    }

    private static <T> T outcome(Future<T> task) {
        try {
            return task.get();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "the backup was interrupted", interrupted);
        } catch (ExecutionException failed) {
            switch (failed.getCause()) {
                case RuntimeException known -> throw known;
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException(failed);
            }
        }
    }

    private static void stopIfInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "the backup was interrupted");
        }
    }
}
