package dev.mainstay.repository;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.LiveFrames.Place;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackDirectory;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.StoredObject;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// Puts what is still needed of packs that are mostly garbage into new packs, as a part of [Prune],
/// and says so in objects below `moved/` (docs/format.md section 10). The old packs go as any that
/// nothing needs, once backups that were announced have ended.
///
/// Whoever is killed leaves old packs as they were; the next one goes on with what was put.
final class Compaction {
    private static final Set<PackClass> MOVABLE =
            Set.of(PackClass.BASE, PackClass.INCREMENTAL, PackClass.FILES);

    /// A pack to be compacted.
    ///
    /// @param only frames that have to be put elsewhere
    /// @param writes their bytes
    record Thin(PackId pack, PackClass packClass, StoredObject object, BitSet only, long writes) {
        long frees() {
            return object.sizeBytes() - writes;
        }
    }

    private final Repository repository;
    private final CompactionRule rule;
    private final PackNeeds needs;
    private final SameFrames same;
    private final Map<PackId, StoredObject> stored;
    private final List<Thin> chosen = new ArrayList<>();
    private long later;

    Compaction(
            Repository repository,
            CompactionRule rule,
            PackNeeds needs,
            SameFrames same,
            Map<PackId, StoredObject> stored) {
        this.repository = repository;
        this.rule = rule;
        this.needs = needs;
        this.same = same;
        this.stored = stored;
    }

    /// Chooses packs: those that free most for each byte written come first, as far as the budget
    /// goes.
    ///
    /// @param claimed packs that may go by claims
    /// @param kept packs that stay for other reasons
    void choose(Set<PackId> claimed, Predicate<PackId> kept) {
        List<Thin> thin = new ArrayList<>();
        stored.forEach(
                (pack, object) -> {
                    if (!claimed.contains(pack) && isThin(pack, object) && !kept.test(pack)) {
                        PackClass packClass = PackClass.parse(object.name().split("/", -1)[1]);
                        long writes = needs.live().bytes(pack);
                        thin.add(new Thin(pack, packClass, object, new BitSet(), writes));
                    }
                });
        thin.sort(
                Comparator.<Thin>comparingDouble(
                                each -> -(double) each.frees() / (each.writes + 4096))
                        .thenComparing(Thin::pack));
        // What goes without that, is relied on by nobody.
        Set<PackId> going = new HashSet<>(needs.candidates(stored, claimed, kept));
        long written = 0;
        for (Thin each : thin) {
            if (going.contains(each.pack) || isLockedForLong(each)) {
                continue;
            }
            Predicate<Place> stays =
                    place ->
                            stored.containsKey(place.pack())
                                    && !claimed.contains(place.pack())
                                    && !going.contains(place.pack());
            BitSet only = needs.onlyHere(each.pack, stays);
            long writes = only.isEmpty() ? 0 : each.writes;
            if (written + writes > rule.budget().bytes()) {
                later++;
                continue;
            }
            going.add(each.pack);
            written += writes;
            if (!only.isEmpty()) { // else it goes without that
                chosen.add(new Thin(each.pack, each.packClass, each.object, only, writes));
            }
        }
    }

    private boolean isThin(PackId pack, StoredObject object) {
        long size = object.sizeBytes();
        if (!needs.live().isAnyLive(pack)
                || MOVABLE.stream().noneMatch(each -> isOf(each, object))) {
            return false;
        }
        long needed = needs.live().bytes(pack);
        Instant now = repository.ground().clock().instant();
        return needed * 100 < size * rule.belowPercent()
                && size - needed >= rule.leastGain().bytes()
                && !needs.live().since(pack).isAfter(now.minus(rule.age()));
    }

    private static boolean isOf(PackClass packClass, StoredObject object) {
        return object.name().startsWith(Names.PACKS + packClass.folder() + "/");
    }

    /// A lock keeps what was deleted until it is over, so that what moves is stored twice for so
    /// long. A pack that stays is locked again and again, though, for the little that is needed of
    /// it. What has been needed for as long as the lock still stands is taken to be needed for
    /// longer.
    private boolean isLockedForLong(Thin thin) {
        Instant now = repository.ground().clock().instant();
        Duration needed = Duration.between(needs.live().since(thin.pack), now);
        Optional<ObjectLocks> locks = repository.store().locks();
        try {
            return locks.flatMap(each -> each.of(thin.object.name()))
                    .filter(lock -> lock.until().isAfter(now.plus(needed)))
                    .isPresent();
        } catch (MainstayException gone) {
            if (gone.code() == ErrorCode.STORE_OBJECT_MISSING) {
                return true;
            }
            throw gone;
        }
    }

    List<Thin> chosen() {
        return List.copyOf(chosen);
    }

    Prune.Amount packs() {
        return Prune.Amount.of(chosen.stream().map(Thin::object).toList());
    }

    ByteSize writes() {
        return ByteSize.of(chosen.stream().mapToLong(Thin::writes).sum());
    }

    /// Packs that the budget left for another run.
    long later() {
        return later;
    }

    /// Writes what is needed of the chosen packs.
    ///
    /// @return those that cannot be read, and stay as they are
    List<Thin> run() {
        record Kind(ProtectedSource source, PackClass packClass) {}
        Map<Kind, List<Thin>> byKind = new LinkedHashMap<>();
        for (Thin each : chosen) {
            Kind kind = new Kind(needs.live().source(each.pack), each.packClass);
            byKind.computeIfAbsent(kind, _ -> new ArrayList<>()).add(each);
        }
        List<Thin> unread = new ArrayList<>();
        byKind.forEach(
                (kind, packs) -> {
                    // Neighbours in time stay neighbours, so that they go together later.
                    packs.sort(
                            Comparator.<Thin, Instant>comparing(
                                            each -> needs.live().since(each.pack))
                                    .thenComparing(Thin::pack));
                    try (PackRewrite rewrite =
                            new PackRewrite(
                                    kind.source,
                                    kind.packClass,
                                    (int) rule.packSize().bytes(),
                                    same,
                                    object ->
                                            Names.packOf(object.name())
                                                    .ifPresent(pack -> stored.put(pack, object)))) {
                        for (Thin each : packs) {
                            if (!rewrite(rewrite, each)) {
                                unread.add(each);
                            }
                        }
                        rewrite.finish();
                    }
                });
        chosen.removeAll(unread);
        return unread;
    }

    private boolean rewrite(PackRewrite rewrite, Thin thin) {
        try {
            PackDirectory directory = rewrite.directory(thin.pack);
            List<FrameRef> frames = new ArrayList<>();
            for (int number = thin.only.nextSetBit(0);
                    number >= 0;
                    number = thin.only.nextSetBit(number + 1)) {
                if (number >= directory.entries().size()) {
                    return false;
                }
                PackDirectory.Entry entry = directory.entries().get(number);
                frames.add(
                        new FrameRef(
                                thin.packClass, thin.pack, number, entry.offset(), entry.length()));
            }
            rewrite.move(frames, needs.live().origins(thin.pack));
            return true;
        } catch (MainstayException damaged) {
            if (SameFrames.isLost(damaged.code())) {
                return false; // 'verify' names it; it stays
            }
            throw damaged;
        }
    }
}
