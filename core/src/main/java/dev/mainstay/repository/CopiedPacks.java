package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Which packs a backup needs, as they are in a repository and in a copy of it now.
final class CopiedPacks {
    private final Repository from;
    private final MovedFrames moves;
    private final Map<PackId, StoredObject> here;
    private final Map<PackId, StoredObject> there;
    private final ObjectStore to;

    /// What a backup needs.
    ///
    /// @param packs in which its frames are, or were
    /// @param relied names of the packs out of which the copy is to restore it
    /// @param missing objects that the copy lacks
    record Wanted(Set<PackId> packs, Set<String> relied, List<StoredObject> missing) {}

    CopiedPacks(Repository from, ObjectStore to) {
        this.from = from;
        this.to = to;
        this.here = packs(from.store()); // before it is read where frames have moved
        this.moves = MovedFrames.readable(from, from.sources((_, _) -> {}));
        this.there = packs(to);
    }

    private static Map<PackId, StoredObject> packs(ObjectStore store) {
        Map<PackId, StoredObject> packs = new HashMap<>();
        Listing.forEach(
                store,
                Names.PACKS,
                object -> Names.packOf(object.name()).ifPresent(id -> packs.put(id, object)));
        return packs;
    }

    /// @throws MainstayException what cannot be read of the backup, or a frame of it that is
    ///   nowhere
    Wanted of(ProtectedSource source, CommittedBackup backup) {
        Set<PackId> packs = new HashSet<>();
        Set<String> relied = new HashSet<>();
        List<StoredObject> missing = new ArrayList<>();
        BackupNeeds.read(source, backup)
                .packs()
                .forEach(
                        (pack, needed) -> {
                            packs.add(pack);
                            if (isAnywhere(pack)) {
                                rely(pack, relied, missing);
                            } else {
                                moved(pack, needed, packs, relied, missing);
                            }
                        });
        add(Names.index(source.id()) + backup.id(), missing);
        return new Wanted(packs, relied, missing.stream().distinct().toList());
    }

    private void rely(PackId pack, Set<String> relied, List<StoredObject> missing) {
        StoredObject known = there.get(pack);
        if (known == null) {
            known = Objects.requireNonNull(here.get(pack));
            missing.add(known);
        }
        relied.add(known.name());
    }

    /// A pack that was compacted: its frames are elsewhere, and objects say where.
    private void moved(
            PackId pack,
            BackupNeeds.Needed needed,
            Set<PackId> packs,
            Set<String> relied,
            List<StoredObject> missing) {
        Set<PackId> olds = new HashSet<>(Set.of(pack));
        needed.frames().stream()
                .forEach(
                        number -> {
                            FrameRef frame = new FrameRef(needed.packClass(), pack, number, 0, 0);
                            FrameRef place =
                                    moves.everywhere(frame).stream()
                                            .filter(each -> isAnywhere(each.pack()))
                                            .findFirst()
                                            .orElseThrow(() -> nowhere(frame));
                            moves.everywhere(frame).forEach(each -> olds.add(each.pack()));
                            packs.add(place.pack());
                            rely(place.pack(), relied, missing);
                        });
        for (PackId old : olds) {
            for (MovedFrames.Move move : moves.from(old)) {
                add(move.object, missing);
            }
        }
    }

    private boolean isAnywhere(PackId pack) {
        return there.containsKey(pack) || here.containsKey(pack);
    }

    private static MainstayException nowhere(FrameRef frame) {
        return new MainstayException(
                ErrorCode.OBJECT_DAMAGED,
                "frame " + frame.number() + " of pack " + frame.pack() + " is nowhere");
    }

    private void add(String name, List<StoredObject> missing) {
        if (to.size(name).isEmpty()) {
            from.store().size(name).ifPresent(size -> missing.add(new StoredObject(name, size)));
        }
    }

    /// What a copy has now.
    static final class Arrived {
        private final ObjectStore store;
        private final Set<String> packs = new HashSet<>();

        Arrived(ObjectStore store) {
            this.store = store;
            Listing.forEach(store, Names.PACKS, object -> packs.add(object.name()));
        }

        /// An object that is to be there and is not.
        Optional<String> missing(Wanted wanted) {
            return Stream.concat(
                            wanted.relied().stream(),
                            wanted.missing().stream().map(StoredObject::name))
                    .filter(name -> !isThere(name))
                    .findFirst();
        }

        private boolean isThere(String name) {
            return name.startsWith(Names.PACKS)
                    ? packs.contains(name)
                    : store.size(name).isPresent();
        }
    }
}
