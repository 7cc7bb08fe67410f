package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.format.ManifestEntry;

import org.jspecify.annotations.Nullable;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/// Carries out a plan. The order keeps half a restore from ever being started: everything is
/// written, proved and synced before `global/pg_control`, which appears under its name last of all.
/// The marks of the restore are gone by then: no cluster is ever taken for half a restore.
public final class RestoreRun {
    private static final int FRAMES_AT_ONCE = 100_000;
    private static final long PAGES_AT_ONCE = 4L << 20;

    private final ProtectedSource source;
    private final RestorePlan plan;
    private final KeptDatabases kept;
    private final Progress progress;
    private final Places places;
    private @Nullable Completion completion;
    private @Nullable TurnedUnlogged unlogged;
    private final RestoreMarks marks;

    public RestoreRun(ProtectedSource source, RestorePlan plan, Progress progress) {
        this(source, plan, KeptDatabases.all(), progress);
    }

    /// @param kept of the relations of other databases only names and sizes are restored
    public RestoreRun(
            ProtectedSource source, RestorePlan plan, KeptDatabases kept, Progress progress) {
        this.source = source;
        this.plan = plan;
        this.kept = kept;
        this.progress = progress;
        this.places = new Places(plan);
        this.marks = new RestoreMarks(plan, source.repository().ground());
    }

    /// Restores. When this returns, everything is durable and a server can be started.
    ///
    /// @throws MainstayException RESTORE_SERVER_RUNNING, RESTORE_DIRECTORY_UNSAFE or
    ///   RESTORE_TABLESPACE with nothing written; RESTORE_WRITE_FAILED, RESTORE_CONTENT_WRONG,
    ///   INTERRUPTED or what the repository says, with a directory that no server can start
    public void execute() {
        TargetDirectory.demandFree(plan);
        unlogged = TurnedUnlogged.in(source, plan);
        progress.begin("restoring " + source.name(), plan.volume().size().bytes());
        try (BackupReader reader = source.read(plan.backup())) {
            directories(reader);
            files(reader);
            progress.end();
            finish(reader);
        } catch (MainstayException failed) {
            throw marks.isBegun() ? half(failed) : failed;
        } finally {
            progress.end();
            marks.close();
        }
    }

    private MainstayException half(MainstayException failed) {
        boolean stopped = Thread.currentThread().isInterrupted();
        return new MainstayException(
                stopped ? ErrorCode.INTERRUPTED : failed.code(),
                failed.getMessage()
                        + "; "
                        + places.directory()
                        + " holds half a restore, which no server can start",
                stopped ? TargetDirectory.again(plan) : failed.hint(),
                failed);
    }

    private void directories(BackupReader reader) {
        Path directory = places.directory();
        RestoreFiles.attempt(
                "create " + directory,
                () -> {
                    marks.make();
                    RestoreFiles.directories(directory.resolve("pg_tblspc"));
                    for (Tablespace tablespace : plan.tablespaces()) {
                        Files.createSymbolicLink(
                                directory.resolve("pg_tblspc").resolve(tablespace.oid()),
                                tablespace.to());
                    }
                });
        completion =
                Completion.read(
                        plan,
                        places,
                        reader,
                        unlogged(),
                        entry -> {
                            if (Completion.isDirectory(entry)) {
                                Path path = places.of(entry.path());
                                RestoreFiles.attempt(
                                        "create " + path, () -> RestoreFiles.directories(path));
                            }
                        });
    }

    private TurnedUnlogged unlogged() {
        return Objects.requireNonNull(unlogged);
    }

    private Ownership ownership() {
        return Objects.requireNonNull(completion).ownership();
    }

    private void files(BackupReader reader) {
        FrameReads[] batch = {new FrameReads()};
        reader.entries(
                entry -> {
                    if (entry.path().equals(ControlFile.PATH) || unlogged().holds(entry)) {
                        return;
                    }
                    if (kept.leavesOut(entry)) {
                        hollow(entry);
                        return;
                    }
                    FileBatches.file(entry, places.of(entry.path()), reader, batch[0])
                            .ifPresent(this::create);
                    if (batch[0].frames() >= FRAMES_AT_ONCE || batch[0].pages() >= PAGES_AT_ONCE) {
                        run(batch[0], reader);
                        batch[0] = new FrameReads();
                    }
                });
        run(batch[0], reader);
    }

    /// A file of the right size without content. It need not be durable: the server does not look
    /// at what it holds, and drops it.
    private void hollow(ManifestEntry entry) {
        Path path = places.of(entry.path());
        RestoreFiles.attempt(
                "create " + path,
                () -> {
                    RestoreFiles.create(path);
                    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                        file.setLength(entry.sizeBytes());
                    }
                    ownership().apply(path, entry);
                });
        demandGoingOn();
    }

    private void create(FileWork file) {
        RestoreFiles.attempt(
                "create " + file.path(),
                () -> {
                    RestoreFiles.create(file.path());
                    file.giveLength();
                    if (file.entry().sizeBytes() == 0) {
                        file.demandWhole();
                        ownership().apply(file.path(), file.entry());
                    }
                });
        demandGoingOn();
    }

    private static void demandGoingOn() {
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped");
        }
    }

    /// When this returns, the files of the batch are durable.
    private void run(FrameReads batch, BackupReader reader) {
        try (FileSyncs syncs = new FileSyncs(ownership())) {
            batch.run(reader, plan.request().processMax(), () -> new FileSink(syncs), progress);
            syncs.await();
        }
    }

    private void finish(BackupReader reader) {
        Objects.requireNonNull(completion)
                .run(
                        reader,
                        source.repository().ground().clock().instant(),
                        kept.isEverything(),
                        marks::delete);
    }
}
