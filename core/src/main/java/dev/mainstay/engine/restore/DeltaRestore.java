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

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;

/// Carries out a plan in a directory that holds the cluster already, in whatever state: what is
/// right stays, what differs is rewritten in place, what the backup does not have goes. Afterwards
/// the directory is what a plain restore makes of an empty one.
///
/// Before anything else changes the control file goes, so that no server can start on what is half
/// done; it comes back last of all. A mark stays as long, and tells the next delta restore that it
/// may go on. Not thread-safe.
public final class DeltaRestore {
    private static final String ASIDE = "pg_control.mainstay-delta";

    private final ProtectedSource source;
    private final RestorePlan plan;
    private final Progress progress;
    private final Places places;
    private @Nullable BackupPaths paths;
    private @Nullable TurnedUnlogged unlogged;

    public DeltaRestore(ProtectedSource source, RestorePlan plan, Progress progress) {
        this.source = source;
        this.plan = plan;
        this.progress = progress;
        this.places = new Places(plan);
    }

    /// What a delta restore finds in its way.
    ///
    /// @param filesRemoved files and links that the backup does not have
    /// @param directoriesRemoved the same for directories
    /// @param removedNames the first of these files
    /// @param notes what an operator should know: links that become directories, tablespaces that
    ///   are left behind
    public record Outlook(
            long filesRemoved,
            long directoriesRemoved,
            List<String> removedNames,
            List<String> notes) {}

    /// What it did, in bytes of files, and for what was fetched of the repository.
    ///
    /// @param compared read here
    /// @param kept of that, were right
    /// @param fetched stored bytes of the frames that were read for the rest
    public record Result(Outlook outlook, long compared, long kept, long rewritten, long fetched) {}

    /// Whether there is nothing in a directory yet. A plain restore does then.
    public static boolean isEmpty(Path directory) {
        return DeltaTarget.isFree(directory);
    }

    /// Judges the directory and says what would go. Nothing is changed.
    ///
    /// @throws MainstayException RESTORE_SERVER_RUNNING, RESTORE_DIRECTORY_UNSAFE,
    ///   RESTORE_OTHER_CLUSTER, RESTORE_TABLESPACE
    public Outlook look() {
        DeltaTarget.demand(plan);
        return lookRunning();
    }

    /// The same where a server may still run, since it is going to be stopped.
    public Outlook lookRunning() {
        DeltaTarget.demandOurs(plan);
        try (BackupReader reader = source.read(plan.backup());
                HeldDirectory held = HeldDirectory.open(places.directory())) {
            return outlook(tree(reader).look(held), held);
        } catch (IOException failed) {
            throw unreadable(failed);
        }
    }

    private LocalTree tree(BackupReader reader) {
        BackupPaths known = paths;
        if (known == null) {
            long seed = source.repository().ground().random().nextLong();
            known = BackupPaths.of(reader, places, seed, this::isApart);
            paths = known;
        }
        return new LocalTree(plan, known);
    }

    /// The control file comes last, in its own way.
    private boolean isApart(ManifestEntry entry) {
        return entry.path().equals(ControlFile.PATH) || unlogged().holds(entry);
    }

    private TurnedUnlogged unlogged() {
        TurnedUnlogged known = unlogged;
        if (known == null) {
            known = TurnedUnlogged.in(source, plan);
            unlogged = known;
        }
        return known;
    }

    private MainstayException unreadable(IOException failed) {
        return new MainstayException(
                ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                "cannot look into " + places.directory() + ": " + failed,
                failed);
    }

    private Outlook outlook(LocalTree.Surplus surplus, HeldDirectory held) throws IOException {
        return new Outlook(
                surplus.files(),
                surplus.directories(),
                surplus.names(),
                DeltaNotes.of(plan, held.path(), surplus));
    }

    /// Restores. When this returns, everything is durable and a server can be started.
    ///
    /// @throws MainstayException what [#look] says, with nothing changed; RESTORE_WRITE_FAILED,
    ///   RESTORE_CONTENT_WRONG, INTERRUPTED or what the repository says, with a directory that no
    ///   server can start, and in which the next delta restore goes on
    public Result execute() {
        DeltaTarget.demand(plan);
        progress.begin("restoring " + source.name(), plan.volume().size().bytes());
        try (BackupReader reader = source.read(plan.backup());
                HeldDirectory held = HeldDirectory.open(places.directory())) {
            LocalTree tree = tree(reader);
            Outlook outlook = outlook(tree.look(held), held);
            try (DeltaMark mark = DeltaMark.make(held, plan.details().systemId())) {
                takeControlFile(held, mark);
                return rewrite(reader, held, tree, mark, outlook);
            }
        } catch (IOException failed) {
            throw unreadable(failed);
        } finally {
            progress.end();
        }
    }

    /// A server that starts reads the control file after it has put down its process id: whoever
    /// found the file still there is seen now.
    private void takeControlFile(HeldDirectory held, DeltaMark mark) throws IOException {
        String name = ControlFile.PATH.substring("global/".length());
        boolean taken = held.renameIn("global", name, ASIDE);
        try {
            DeltaTarget.demandStopped(held.path());
        } catch (MainstayException started) {
            if (taken) {
                held.renameIn("global", ASIDE, name);
                mark.delete();
            }
            throw started;
        }
    }

    private Result rewrite(
            BackupReader reader,
            HeldDirectory held,
            LocalTree tree,
            DeltaMark mark,
            Outlook outlook) {
        try {
            tree.remove(held);
            Completion completion = directories(reader);
            DeltaFiles files =
                    new DeltaFiles(
                            reader, completion.ownership(), plan.request().processMax(), progress);
            reader.entries(
                    entry -> {
                        if (!isApart(entry)) {
                            files.add(entry, places.of(entry.path()));
                        }
                    });
            files.finish();
            progress.end();
            completion.run(
                    reader, source.repository().ground().clock().instant(), true, mark::delete);
            return new Result(
                    outlook,
                    files.comparedBytes(),
                    files.keptBytes(),
                    plan.volume().size().bytes() - files.keptBytes(),
                    files.fetchedBytes());
        } catch (MainstayException failed) {
            boolean stopped = Thread.currentThread().isInterrupted();
            throw new MainstayException(
                    stopped ? ErrorCode.INTERRUPTED : failed.code(),
                    failed.getMessage()
                            + "; "
                            + places.directory()
                            + " holds half a restore, which no server can start",
                    stopped ? "run it again with --delta, which continues it" : failed.hint(),
                    failed);
        }
    }

    private Completion directories(BackupReader reader) {
        Path links = places.directory().resolve("pg_tblspc");
        RestoreFiles.attempt(
                "create " + links,
                () -> {
                    RestoreFiles.directories(links);
                    for (Tablespace tablespace : plan.tablespaces()) {
                        RestoreFiles.baseDirectory(tablespace.to());
                        link(links.resolve(tablespace.oid()), tablespace.to());
                    }
                });
        return Completion.read(plan, places, reader, unlogged(), this::directory);
    }

    private void directory(ManifestEntry entry) {
        if (Completion.isDirectory(entry)) {
            Path path = places.of(entry.path());
            RestoreFiles.attempt("create " + path, () -> RestoreFiles.directories(path));
        }
    }

    /// In one step: what is in a tablespace counts as this cluster's as long as a link leads there.
    private static void link(Path link, Path to) throws IOException {
        if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(to)) {
            return;
        }
        if (!Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            Files.createSymbolicLink(link, to);
            return;
        }
        Path made = link.resolveSibling(link.getFileName() + ".mainstay");
        Files.deleteIfExists(made);
        Files.createSymbolicLink(made, to);
        RestoreFiles.rename(made, link);
    }
}
