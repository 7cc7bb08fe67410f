package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The packs that backups refer to: every commit whose slot is there, whether or not an expiry
/// names it, with its manifest, its maps and its index piece. A repository in which that cannot be
/// told for certain is refused as a whole: what nobody knows to be needed must not look unneeded.
///
/// It only grows: what was referred to once stays so, even if the backup is removed meanwhile.
final class PackReferences {
    /// How a backup ended.
    enum End {
        COMMITTED,
        ABORTED,
        /// What it stored stays for one that goes on from there.
        ABORTED_KEPT
    }

    /// What is referred to of one pack.
    static final class Referred {
        final ProtectedSource source;
        final PackClass packClass;

        /// When the oldest backup was taken that was seen to refer to it.
        final Instant since;

        final BitSet frames = new BitSet();
        private long bytes;

        private Referred(ProtectedSource source, PackClass packClass, Instant since) {
            this.source = source;
            this.packClass = packClass;
            this.since = since;
        }

        private void add(FrameRef ref) {
            if (!frames.get(ref.number())) {
                frames.set(ref.number());
                bytes += ref.length();
            }
        }

        /// As they are stored.
        long bytes() {
            return bytes;
        }
    }

    private final Repository repository;
    private final Map<SourceId, ProtectedSource> sources = new HashMap<>();
    private final Map<String, End> slots = new HashMap<>();

    /// Slots that an expiry names, and that nobody holds.
    private final Set<String> expired = new HashSet<>();

    private final Map<PackId, Referred> packs = new HashMap<>();

    /// Sources whose backups nobody can read any more, on purpose, so that they need nothing.
    private final Set<SourceId> shredded = new HashSet<>();

    /// When the backup was taken that is being read. They are read oldest first, by their names.
    private Instant reading = Instant.MIN;

    private PackReferences(Repository repository) {
        this.repository = repository;
    }

    /// @throws MainstayException PRUNE_UNCERTAIN if it cannot be told what some backup refers to
    static PackReferences read(Repository repository) {
        PackReferences references = new PackReferences(repository);
        references.readSources();
        references.sources.values().forEach(references::demandChain);
        references.update();
        return references;
    }

    /// Adds what was committed since.
    ///
    /// @throws MainstayException PRUNE_UNCERTAIN if it cannot be told what some backup refers to
    void update() {
        Map<SourceId, List<String>> fresh = new HashMap<>();
        Listing.forEach(
                repository.store(),
                Names.SLOTS,
                object -> {
                    if (!slots.containsKey(object.name())) {
                        SourceId source = sourceOf(object.name());
                        if (!shredded.contains(source)) {
                            fresh.computeIfAbsent(source, _ -> new ArrayList<>())
                                    .add(object.name());
                        }
                    }
                });
        if (!sources.keySet().containsAll(fresh.keySet())) {
            readSources();
        }
        fresh.forEach(
                (id, names) -> {
                    ProtectedSource source = sources.get(id);
                    if (source == null) {
                        throw uncertain(
                                names.getFirst()
                                        + " belongs to a source whose key is not there, so nobody"
                                        + " can tell what it refers to",
                                null);
                    }
                    read(source, names);
                });
    }

    private void readSources() {
        SourceKeys keys =
                SourceKeys.read(
                        repository,
                        (object, broken) -> {
                            throw uncertain(object + " cannot be read", broken);
                        });
        repository.sources(keys).forEach(source -> sources.put(source.id(), source));
        keys.shredded().forEach(gone -> shredded.add(gone.id()));
        sources.keySet().removeAll(shredded);
    }

    /// A slot that vanished may come back from a copy, and what it refers to must be there then.
    private void demandChain(ProtectedSource source) {
        RecordChain chain = source.records();
        Set<String> missing = missingSlots(chain);
        while (!missing.isEmpty()) {
            // Slots are listed before records, so one may have come in between. Such a one is there
            // at the next look, or an expiry names it.
            chain = source.records();
            Set<String> again = missingSlots(chain);
            for (String slot : again) {
                if (missing.contains(slot)) {
                    throw uncertain(
                            slot
                                    + " vanished, though no expiry names it, and nobody can tell"
                                    + " what it refers to",
                            null);
                }
            }
            missing = again;
        }
        expired.addAll(chain.removedObjects());
        chain.holds().keySet().forEach(held -> expired.remove(Names.slot(source.id(), held)));
    }

    private static Set<String> missingSlots(RecordChain chain) {
        Set<String> missing = new TreeSet<>();
        for (RecordChain.Missing each : chain.missing()) {
            if (Names.backupOfSlot(each.object()).isPresent()) {
                missing.add(each.object());
            }
        }
        return missing;
    }

    private static SourceId sourceOf(String slot) {
        if (Names.backupOfSlot(slot).isEmpty()) {
            throw uncertain(slot + " is no name of a slot", null);
        }
        try {
            return SourceId.parse(slot.split("/", -1)[1]);
        } catch (IllegalArgumentException foreign) {
            throw uncertain(slot + " is no name of a slot", foreign);
        }
    }

    /// A walk passes over maps that it has met, so one that met something unreadable is of no more
    /// use.
    private void read(ProtectedSource source, List<String> names) {
        Iterator<String> left = names.iterator();
        while (left.hasNext()) {
            List<BackupWalk.Unread> unread = new ArrayList<>();
            try (BackupWalk walk =
                    new BackupWalk(
                            source,
                            expected -> note(source, expected.ref()),
                            _ -> false,
                            unread::add)) {
                boolean readable = true;
                while (readable && left.hasNext()) {
                    readable = read(source, left.next(), walk, unread);
                }
            }
        }
    }

    private void note(ProtectedSource source, FrameRef ref) {
        packs.computeIfAbsent(ref.pack(), _ -> new Referred(source, ref.packClass(), reading))
                .add(ref);
    }

    /// @return whether it could be read; if not, it is gone
    private boolean read(
            ProtectedSource source, String name, BackupWalk walk, List<BackupWalk.Unread> unread) {
        Vault vault = source.vault();
        try {
            RecordChain.Event slot = RecordChain.open(vault, name, ObjectType.SLOT);
            if (slot.type().equals("abort")) {
                slots.put(name, BegunBackup.keeps(slot.body()) ? End.ABORTED_KEPT : End.ABORTED);
                return true;
            }
            CommittedBackup backup = CommittedBackup.read(slot);
            reading = backup.end();
            walk.walk(backup, 0);
            index(source, backup.id());
            if (!unread.isEmpty()) {
                throw unread.getFirst().why();
            }
            slots.put(name, End.COMMITTED);
            return true;
        } catch (MainstayException broken) {
            if (broken.code() == ErrorCode.STORE_UNAVAILABLE
                    || broken.code() == ErrorCode.INTERRUPTED) {
                throw broken;
            }
            // Else it was removed meanwhile, or long ago and whoever wrote it has put it again.
            if (vault.store.size(name).isPresent() && !expired.contains(name)) {
                throw uncertain(
                        "nobody can tell what backup "
                                + Names.backupOfSlot(name).map(BackupId::text).orElse(name)
                                + " of "
                                + source.name()
                                + " refers to",
                        broken);
            }
            return false;
        }
    }

    /// Chunks that a backup stored and does not need itself can be found there by later ones.
    private void index(ProtectedSource source, BackupId backup) {
        Vault vault = source.vault();
        String name = Names.index(source.id()) + backup;
        if (vault.store.size(name).isEmpty()) {
            return;
        }
        try {
            ChunkIndex.entries(vault, name, chunk -> note(source, chunk.frame()));
        } catch (MainstayException broken) {
            if (!vault.isGone(name, broken)) {
                throw broken;
            }
        }
    }

    static MainstayException uncertain(String what, @Nullable Throwable why) {
        String because = why == null || why.getMessage() == null ? "" : ": " + why.getMessage();
        return new MainstayException(
                ErrorCode.PRUNE_UNCERTAIN, "nothing was removed: " + what + because, why);
    }

    boolean contains(PackId pack) {
        return packs.containsKey(pack);
    }

    Optional<Referred> of(PackId pack) {
        return Optional.ofNullable(packs.get(pack));
    }

    /// Sources that were ever added.
    List<ProtectedSource> sources() {
        return List.copyOf(sources.values());
    }

    boolean isShredded(SourceId source) {
        return shredded.contains(source);
    }

    Optional<ProtectedSource> source(SourceId id) {
        return Optional.ofNullable(sources.get(id));
    }

    /// How a backup ended, as far as that was seen; empty if it may be running. One whose slot is
    /// gone was committed and then removed.
    Optional<End> end(SourceId source, BackupId backup) {
        if (shredded.contains(source)) {
            return Optional.of(End.ABORTED);
        }
        String name = Names.slot(source, backup);
        End end = slots.get(name);
        return end == null && expired.contains(name)
                ? Optional.of(End.ABORTED)
                : Optional.ofNullable(end);
    }
}
