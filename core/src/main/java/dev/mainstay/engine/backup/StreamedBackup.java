package dev.mainstay.engine.backup;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.postgres.cluster.BackupSession;
import dev.mainstay.postgres.cluster.ConfigurationOnServer;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.protocol.BaseBackupRequest;
import dev.mainstay.postgres.protocol.BaseBackupStream;
import dev.mainstay.postgres.protocol.BaseBackupStream.Position;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ReplicationConnection;
import dev.mainstay.postgres.protocol.ReplicationOptions;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.BegunBackup;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.wrap.Throttle;

import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Backs up a running server whose files this host cannot read, over the replication protocol's
/// `BASE_BACKUP`.
///
/// The order is that of [ClusterBackup]: the connections are proved to lead to one cluster; the
/// backup is announced in the repository and started in the server, while a segment of WAL is on
/// its way; once that has arrived, the stream is read, `pg_control` stored last; all that came is
/// compared with the server's manifest; the WAL up to the end is seen in the repository; and then
/// the commit record is put.
///
/// One thread reads the stream; workers check, compare, compress and store the pages.
final class StreamedBackup {
    /// One stream feeds no more, and each of them holds memory.
    private static final int MOST_WORKERS = 8;

    /// Pages that one worker stores one after the other; a run of pages in one buffer.
    private static final int SLICE_PAGES = 2048;

    private static final int RUN_PAGES = 128;

    /// The server does not tell whose configuration files are, and who may read them.
    private static final int OWNER_ONLY = 0600;

    /// Nothing comes from the server while it makes its checkpoint. A dead host is noticed much
    /// sooner: TCP asks for signs of life.
    private static final Duration LIVENESS = Duration.ofHours(1);

    private final ProtectedSource source;
    private final RepositorySettings repository;
    private final PostgresSettings settings;
    private final ConnectionSpec connection;
    private final Throttle throttle;
    private final Progress progress;
    private BackupFindings findings = new BackupFindings();

    /// What came over streams that were given up.
    private long receivedBefore;

    StreamedBackup(
            ProtectedSource source,
            RepositorySettings repository,
            PostgresSettings settings,
            ConnectionSpec connection,
            Throttle throttle,
            Progress progress) {
        this.source = source;
        this.repository = repository;
        this.settings = settings;
        this.connection = connection;
        this.throttle = throttle;
        this.progress = progress;
    }

    /// Takes the backup.
    ///
    /// @param node its session is closed
    ClusterBackup.Result run(ClusterBackup.Request request, Node node) {
        Instant begin = source.repository().ground().clock().instant();
        ReplicationOptions options =
                ReplicationOptions.of(source.repository().ground().clock())
                        .withLiveness(LIVENESS)
                        .withNotices(notice -> findings.remark(notice));
        node.warn(findings);
        try (BackupSession given = node.open(node.sql())) {
            node.inspect(Optional.empty(), request.waiter()).requireReady();
            try (ReplicationConnection stream =
                            ReplicationConnection.open(
                                    connection.withApplicationName(ClusterBackup.APPLICATION),
                                    options);
                    StreamedServer server =
                            StreamedServer.open(given, node, connection, stream, options)) {
                return run(request, node, server, begin);
            }
        }
    }

    private ClusterBackup.Result run(
            ClusterBackup.Request request, Node node, StreamedServer server, Instant begin) {
        Origin origin = node.origin(server.origin());
        WalArchive archive = source.wal(origin.systemId(), repository.zstdLevel());
        ArchiveProof proof =
                node.prove(
                        new ArchiveProof.Subject(
                                source.name(),
                                settings.receiver().slot(),
                                archive,
                                node.isStandby() ? node.writing() : server.sql()),
                        origin,
                        request,
                        server.sql(),
                        progress);
        Optional<Basis.Parent> parent = Basis.parent(source, request.type(), origin, progress);
        IncrementalStart start =
                new IncrementalStart(source, settings, node, server, origin, archive, proof);
        Optional<String> everything =
                parent.flatMap(earlier -> start.everything(earlier, request.verifyChanges()));
        Plan plan = new Plan(request, node, server, origin, parent, proof, start);
        try {
            return run(plan, everything, begin);
        } catch (NotIncremental unfit) {
            progress.note("WARNING: every page has to come: " + unfit.reason());
            findings = new BackupFindings();
            node.warn(findings);
            server.reconnect();
            return run(plan, Optional.of(unfit.reason()), begin);
        }
    }

    /// @param everything why every page is to come, if the log was to tell what changed
    private ClusterBackup.Result run(Plan plan, Optional<String> everything, Instant begin) {
        boolean resumable = plan.parent.isEmpty() || everything.isPresent();
        List<BegunBackup> begun = resumable ? begun(plan) : List.of();
        try (BackupWriter writer =
                source.newBackup(
                        Basis.options(repository, plan.parent, plan.origin).resuming(begun))) {
            try {
                plan.request.begins().accept(writer.id());
                return copy(new Step(writer, plan, everything, resumable, begun), begin);
            } catch (RuntimeException | Error failed) {
                ClusterBackup.abort(writer, failed, progress);
                throw failed;
            }
        }
    }

    /// All has to come again, but what is stored is not stored twice.
    private List<BegunBackup> begun(Plan plan) {
        return plan.request.verifyChanges()
                ? List.of()
                : Resumption.find(
                        source,
                        plan.origin,
                        plan.parent,
                        plan.node.writing(),
                        plan.server.processes(),
                        plan.request.waiter(),
                        progress);
    }

    /// What does not change if a backup has to be begun again.
    private record Plan(
            ClusterBackup.Request request,
            Node node,
            StreamedServer server,
            Origin origin,
            Optional<Basis.Parent> parent,
            ArchiveProof proof,
            IncrementalStart incremental) {}

    /// @param resumable whether all comes that there is, so that it can be gone on from
    /// @param begun what it goes on from
    private record Step(
            BackupWriter writer,
            Plan plan,
            Optional<String> everything,
            boolean resumable,
            List<BegunBackup> begun) {
        Node node() {
            return plan.node;
        }

        StreamedServer server() {
            return plan.server;
        }

        Origin origin() {
            return plan.origin;
        }
    }

    /// What came, and from when to when.
    private record Copied(
            StreamedFiles files,
            BaseBackupStream stream,
            BaseBackupStream.End end,
            ServerKnowledge.Described described,
            IncrementalStart.Begun begun) {}

    private ClusterBackup.Result copy(Step step, Instant begin) {
        step.writer.blockSize(step.origin().layout().blockSize());
        Copied copied;
        BaseBackupRequest request =
                new BaseBackupRequest("mainstay " + step.writer.id(), settings.limits().maxRate());
        IncrementalStart.Begun begun =
                step.plan.incremental.begin(request, step.plan.parent, step.everything);
        try (BaseBackupStream stream = begun.stream()) {
            if (step.resumable) {
                putDownProgress(step, begun);
            }
            try {
                copied = read(step, begun);
            } finally {
                receivedBefore += stream.receivedBytes();
            }
        }
        Position start = copied.stream.start();
        copied.end.damage().ifPresent(findings::damageSeenByServer);
        ControlFile control =
                StreamedChecks.requireConsistent(
                        step.origin(),
                        begun.known().flatMap(_ -> step.plan.parent),
                        start,
                        copied.end.position(),
                        copied.files);
        storeFrame(step, copied);
        copied.files.storeControlFile();
        Node.End end =
                step.node()
                        .end(
                                new Node.End(
                                        copied.end.position().lsn(),
                                        step.server().session().serverTime()),
                                step.origin(),
                                start.lsn(),
                                control);
        step.writer.finishContent();
        progress.begin("waiting for WAL of " + source.name(), 0);
        step.plan.proof.complete(begun.first(), end.lsn());
        progress.end();
        BackupDetails details =
                new BackupDetails(
                        step.origin().systemId(),
                        start.timeline(),
                        start.lsn(),
                        end.lsn(),
                        begun.time(),
                        end.time(),
                        copied.described.server(control),
                        step.origin().layout(),
                        step.server().setting("data_directory").orElse(""),
                        copied.files.label(),
                        copied.files.tablespaceMap(),
                        tablespaces(copied.stream),
                        copied.described.configuration(),
                        findings.judgement());
        step.writer.needsWal(
                details.systemId(), details.timeline(), details.startLsn(), details.stopLsn());
        CommittedBackup committed = step.writer.commit(record(step, details, copied));
        Instant done = source.repository().ground().clock().instant();
        return new ClusterBackup.Result(committed, details, Duration.between(begin, done));
    }

    private void putDownProgress(Step step, IncrementalStart.Begun begun) {
        BackupSession.Start start = begun.start();
        BackupFindings noted = findings;
        step.writer.putDownProgress(
                () ->
                        Resumption.details(
                                step.origin(),
                                step.plan.parent,
                                start,
                                step.server().session().currentInsertLsn(),
                                Optional.empty(),
                                noted));
    }

    private Json record(Step step, BackupDetails details, Copied copied) {
        Json json =
                BackupDetails.withReceived(
                        BackupDetails.withMovedPgClass(
                                step.node().record(details.toJson()),
                                copied.described.movedPgClass()),
                        receivedBefore);
        copied.begun.changes().ifPresent(changes -> json.put("changes", changes.toJson()));
        if (!step.begun.isEmpty()) {
            json.put("resumed", Resumption.allCompared(step.begun));
        }
        return json;
    }

    /// Everything but the control file that the stream does not bring as a file.
    private static void storeFrame(Step step, Copied copied) {
        long micros = TimeUnit.SECONDS.toMicros(copied.begun.time().getEpochSecond());
        int mode = step.server().dataDirectoryMode();
        step.writer.directory(StreamedFiles.facts("", mode, micros));
        for (BaseBackupStream.Tablespace each : copied.stream.tablespaces()) {
            if (each.oid().isPresent()) {
                String path = "pg_tblspc/" + each.oid().get();
                if (isElsewhere(each)) {
                    step.writer.link(StreamedFiles.facts(path, mode, micros), each.location());
                } else {
                    step.writer.directory(StreamedFiles.facts(path, mode, micros));
                }
            }
        }
    }

    /// Developers may have tablespaces that are plain directories in `pg_tblspc`.
    private static boolean isElsewhere(BaseBackupStream.Tablespace tablespace) {
        return tablespace.location().startsWith("/");
    }

    private static List<BackupDetails.Tablespace> tablespaces(BaseBackupStream stream) {
        List<BackupDetails.Tablespace> tablespaces = new ArrayList<>();
        for (BaseBackupStream.Tablespace each : stream.tablespaces()) {
            if (each.oid().isPresent() && isElsewhere(each)) {
                tablespaces.add(new BackupDetails.Tablespace(each.oid().get(), each.location()));
            }
        }
        return tablespaces;
    }

    /// The server is asked what it knows while its files are read.
    private Copied read(Step step, IncrementalStart.Begun begun) {
        BaseBackupStream stream = begun.stream();
        ServerKnowledge knowledge = new ServerKnowledge(step.server().connection());
        try (ExecutorService aside = Executors.newSingleThreadExecutor()) {
            Future<ServerKnowledge.Described> described =
                    aside.submit(
                            () ->
                                    knowledge.describe(
                                            step.writer,
                                            sql -> storeConfiguration(sql, step.writer)));
            try {
                StreamedFiles files = readWithWorkers(step, begun);
                BaseBackupStream.End end = stream.end();
                return new Copied(files, stream, end, ClusterBackup.outcome(described), begun);
            } catch (RuntimeException | Error failed) {
                aside.shutdownNow();
                throw failed;
            }
        }
    }

    /// Stores configuration that lies outside the data directory, as far as the role may read it.
    ///
    /// @return the paths stored
    private List<String> storeConfiguration(Connection sql, BackupWriter writer) {
        ConfigurationOnServer files = ConfigurationOnServer.read(sql);
        files.unreadable()
                .forEach(
                        file ->
                                findings.warning(
                                        "configuration file "
                                                + file.path()
                                                + " is not in this backup: "
                                                + file.reason()));
        long now = source.repository().ground().clock().instant().toEpochMilli() * 1000;
        List<String> stored = new ArrayList<>();
        files.contents()
                .forEach(
                        (file, content) -> {
                            StreamedFiles.store(
                                    writer,
                                    StreamedFiles.facts(file.toString(), OWNER_ONLY, now),
                                    content);
                            stored.add(file.toString());
                        });
        return stored;
    }

    private StreamedFiles readWithWorkers(Step step, IncrementalStart.Begun begun) {
        BaseBackupStream stream = begun.stream();
        BackupDetails.Layout layout = step.origin().layout();
        int count = Math.min(settings.processMax(), MOST_WORKERS);
        int slices = SLICE_PAGES / RUN_PAGES * (count + 1);
        PageRelay relay = new PageRelay(slices, RUN_PAGES * layout.blockSize());
        Optional<StreamedPages.Verification> verification =
                layout.checksums()
                        ? Optional.of(
                                new StreamedPages.Verification(
                                        stream.start().lsn(),
                                        step.server().session()::currentInsertLsn,
                                        findings))
                        : Optional.empty();
        StreamedPages.Terms terms = new StreamedPages.Terms(step.writer, layout, verification);
        StreamedFiles files =
                new StreamedFiles(
                        step.writer,
                        layout,
                        relay,
                        progress,
                        SLICE_PAGES,
                        RUN_PAGES,
                        begun.known());
        progress.begin(
                "backing up " + source.name(),
                stream.tablespaces().stream().mapToLong(each -> each.sizeBytes().orElse(0)).sum());
        List<StreamedPages> workers = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                StreamedPages worker = new StreamedPages(terms, relay);
                workers.add(worker);
                running.add(threads.submit(worker::work));
            }
            readAll(step, stream, files);
            relay.finish();
            running.forEach(ClusterBackup::outcome);
            return files;
        } catch (RuntimeException | Error failed) {
            relay.fail(failed);
            throw failed;
        } finally {
            ClusterBackup.endWorkers(threads);
            workers.forEach(StreamedPages::close);
            progress.end();
        }
    }

    /// The server keeps `max-rate` too, but only between 32 KiB and 1 GiB a second.
    private void readAll(Step step, BaseBackupStream stream, StreamedFiles files) {
        for (Optional<BaseBackupStream.Part> part = stream.next();
                part.isPresent();
                part = stream.next()) {
            switch (part.get()) {
                case BaseBackupStream.Archive archive ->
                        files.read(archive.of().oid(), throttle.hold(archive.content()));
                case BaseBackupStream.Manifest manifest ->
                        StreamedChecks.requireComplete(
                                step.origin(), stream, files.arrived(), manifest);
            }
        }
    }
}
