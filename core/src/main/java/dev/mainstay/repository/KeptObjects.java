package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What the kept backups of a repository need, by names of objects: what has to stay readable, and
/// therefore locked where the store can. What no kept backup needs is garbage, and no lock of it is
/// ever extended.
///
/// Kept are the backups that are there and that no expiry names. WAL is judged by whoever knows
/// what it means.
public final class KeptObjects {
    /// Which files of a cluster's log are needed.
    @FunctionalInterface
    public interface WalRule {
        /// @param fileName as PostgreSQL gives it
        boolean needs(SystemId system, String fileName);
    }

    private final Repository repository;
    private final WalRule wal;
    private final Set<String> names = new HashSet<>();
    private final Set<String> sources = new HashSet<>();
    private final List<Defect> unread = new ArrayList<>();

    /// @param wal which of it is needed
    public KeptObjects(Repository repository, WalRule wal) {
        this.repository = repository;
        this.wal = wal;
    }

    /// Adds what a source's backups need.
    public void add(ProtectedSource source) {
        sources.add(source.id().hex());
        RecordChain chain = source.records();
        chain.damaged()
                .forEach(
                        each -> {
                            names.add(each.object()); // it may be repaired
                            unread.add(
                                    new Defect(each.object(), each.code(), each.why(), Set.of()));
                        });
        try (BackupWalk walk =
                new BackupWalk(
                        source,
                        expected -> names.add(PackSurvey.name(expected.ref())),
                        _ -> false,
                        this::unread)) {
            for (CommittedBackup backup : chain.backups()) {
                BackupId id = backup.id();
                names.add(Names.slot(source.id(), id));
                names.add(Names.index(source.id()) + id);
                walk.walk(backup, 0);
            }
        }
    }

    private void unread(BackupWalk.Unread broken) {
        unread.add(
                new Defect(
                        PackSurvey.name(broken.ref()),
                        broken.why().code(),
                        String.valueOf(broken.why().getMessage()),
                        Set.of()));
    }

    /// Adds the packs to which frames of other packs have moved.
    public void addMoved() {
        MovedFrames.read(repository, repository.sources())
                .places()
                .forEach(
                        moves ->
                                names.add(
                                        Names.pack(
                                                moves.getFirst().packClass, moves.getFirst().to)));
    }

    /// Whether kept backups need the object of this name, of the sources that were added.
    public boolean needs(String name) {
        if (!LockPolicy.covers(name)) {
            return false;
        }
        String[] words = name.split("/", -1);
        return switch (words[0]) {
            case "wal" -> needsWal(words);
            case "summaries" -> needsWal(words);
            case "records" -> sources.contains(words[1]);
            case "packs", "slots", "index" -> names.contains(name);
            default -> true; // format, root keys, and where frames have moved
        };
    }

    private boolean needsWal(String... words) {
        try {
            return wal.needs(SystemId.parse(words[1]), words[3]);
        } catch (IllegalArgumentException foreign) {
            return false;
        }
    }

    /// What could not be read, so that what it needs is not known.
    public List<Defect> unread() {
        return List.copyOf(unread);
    }

    /// @throws MainstayException if it is the store that failed
    static void demandDamage(MainstayException why) {
        if (why.code() == ErrorCode.STORE_UNAVAILABLE || why.code() == ErrorCode.INTERRUPTED) {
            throw why;
        }
    }
}
