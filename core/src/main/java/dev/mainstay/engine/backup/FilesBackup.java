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
import dev.mainstay.postgres.cluster.RelationPageReader;
import dev.mainstay.postgres.protocol.ConnectionSpec;
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
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/// Backs up a running server whose data directory this host can read; the order is told at
/// [ClusterBackup].
final class FilesBackup {
    /// Files are sorted by size within groups of so many, so that no large one is left for last.
    private static final int GROUP = 200_000;

    private final ProtectedSource source;
    private final RepositorySettings repository;
    private final PostgresSettings settings;
    private final ConnectionSpec connection;
    private final Throttle throttle;
    private final Function<BackupDetails, Lsn> since;
    private final Progress progress;

    /// @param since from where on the log tells what changed since an earlier backup
    FilesBackup(
            ProtectedSource source,
            RepositorySettings repository,
            PostgresSettings settings,
            ConnectionSpec connection,
            Throttle throttle,
            Function<BackupDetails, Lsn> since,
            Progress progress) {
        this.source = source;
        this.repository = repository;
        this.settings = settings;
        this.connection = connection;
        this.throttle = throttle;
        this.since = since;
        this.progress = progress;
    }

    /// Takes the backup.
    ///
    /// @param node its session is closed
    ClusterBackup.Result run(ClusterBackup.Request request, Node node) {
        Instant begin = source.repository().ground().clock().instant();
        try (BackupSession session = node.open(node.sql())) {
            node.inspect(settings.dataDirectory(), request.waiter()).requireReady();
            ControlFile control = ControlFile.read(dataDirectory(), request.waiter());
            Origin origin = node.origin(Origin.of(control));
            WalArchive archive = source.wal(control.systemId(), repository.zstdLevel());
            ArchiveProof proof =
                    node.prove(
                            new ArchiveProof.Subject(
                                    source.name(),
                                    settings.receiver().slot(),
                                    archive,
                                    node.writing()),
                            origin,
                            request,
                            node.sql(),
                            progress);
            Optional<Basis.Parent> parent = Basis.parent(source, request.type(), origin, progress);
            List<BegunBackup> begun =
                    request.verifyChanges()
                            ? List.of()
                            : Resumption.find(
                                    source,
                                    origin,
                                    parent,
                                    node.writing(),
                                    Set.of(),
                                    request.waiter(),
                                    progress);
            try (BackupWriter writer =
                    source.newBackup(Basis.options(repository, parent, origin).resuming(begun))) {
                try {
                    request.begins().accept(writer.id());
                    return copy(
                            new Step(
                                    writer, node, session, control, origin, proof, request, archive,
                                    parent, begun),
                            begin);
                } catch (RuntimeException | Error failed) {
                    ClusterBackup.abort(writer, failed, progress);
                    throw failed;
                }
            }
        }
    }

    private record Step(
            BackupWriter writer,
            Node node,
            BackupSession session,
            ControlFile control,
            Origin origin,
            ArchiveProof proof,
            ClusterBackup.Request request,
            WalArchive archive,
            Optional<Basis.Parent> parent,
            List<BegunBackup> begun) {}

    private ClusterBackup.Result copy(Step step, Instant begin) {
        ControlFile control = step.control;
        int blockSize = control.layout().blockSizeBytes();
        step.writer.blockSize(blockSize);
        BackupSession.Start start = step.session.start("mainstay " + step.writer.id(), true);
        Instant startTime = step.node.time(start.time());
        step.proof.segmentArrives();
        step.node.begins(step.origin, start.segment(), step.archive);
        BackupFindings findings = new BackupFindings();
        step.node.warn(findings);
        Optional<RelationPageReader.Verification> verification =
                control.hasDataChecksums()
                        ? Optional.of(
                                new RelationPageReader.Verification(
                                        start.lsn(),
                                        step.session::currentInsertLsn,
                                        step.request.waiter(),
                                        findings::damaged))
                        : Optional.empty();
        Supplier<ChangeSearch> search =
                () ->
                        ChangeSearch.ofFiles(
                                step.archive,
                                Optional.of(dataDirectory().resolve("pg_wal")),
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
                                        step.request.verifyChanges()
                                                ? 0
                                                : settings.fullReadEvery()));
        Map<BackupId, KnownChanges> resumed = Resumption.changes(step.begun, known, search, start);
        step.writer.putDownProgress(
                () ->
                        Resumption.details(
                                step.origin,
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
                known.filter(_ -> step.request.verifyChanges())
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
                        step.request.waiter(),
                        throttle,
                        progress);
        ServerKnowledge knowledge = new ServerKnowledge(connection);
        Copied copied = copyAll(terms, step, knowledge);
        check.ifPresent(
                each ->
                        each.report()
                                .requireNoneMissed(step.parent.orElseThrow().backup().id().text()));
        knowledge.explainVanished(findings.vanishedRelations(), dataDirectory());
        Instant controlRead = source.repository().ground().clock().instant();
        ControlFile last = storeControlFile(step);
        BackupSession.Stop stop = step.session.stop();
        Node.End end =
                step.node.end(
                        new Node.End(stop.lsn(), stop.time()), step.origin, start.lsn(), last);
        step.writer.finishContent();
        progress.begin("waiting for WAL of " + source.name(), 0);
        step.proof.complete(start.segment(), end.lsn());
        progress.end();
        BackupDetails details =
                new BackupDetails(
                        control.systemId(),
                        start.timeline(),
                        start.lsn(),
                        end.lsn(),
                        startTime,
                        end.time(),
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
        step.writer.needsWal(
                details.systemId(), details.timeline(), details.startLsn(), details.stopLsn());
        CommittedBackup committed =
                step.writer.commit(
                        step.node.record(
                                record(
                                        details,
                                        changes(step, known),
                                        resumed,
                                        check,
                                        copied.described.movedPgClass())));
        Instant done = source.repository().ground().clock().instant();
        return new ClusterBackup.Result(committed, details, Duration.between(begin, done));
    }

    /// Nothing is said of a full backup that was asked for, or is the first.
    private Optional<Changes> changes(Step step, Optional<KnownChanges> known) {
        boolean unwanted =
                step.request.type() != ClusterBackup.Request.Type.FULL
                        && !source.newestBackups().isEmpty();
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

    private ControlFile storeControlFile(Step step) {
        byte[] bytes = ControlFile.readBytes(dataDirectory(), step.request.waiter());
        Path file = dataDirectory().resolve(ControlFile.PATH);
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
        return ControlFile.parse(bytes);
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
            return new Copied(tablespaces, ClusterBackup.outcome(described));
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
            ClusterBackup.endWorkers(workers);
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

    private static void stopIfInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "the backup was interrupted");
        }
    }
}
