package dev.mainstay.repository;

import dev.mainstay.repository.LiveFrames.Origin;
import dev.mainstay.repository.LiveFrames.Place;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/// Which packs may go: those of which nothing is needed, and those of which all that is needed is
/// elsewhere as well, in packs that stay. What [Prune] decides by.
///
/// Two collectors cannot each rely on what the other one removes: whoever decides has named what
/// may go in a claim before, and relies on no pack that is named in any claim.
final class PackNeeds {
    private final Repository repository;
    private final PackReferences references;
    private final MovedFrames moves;
    private final SameFrames same;
    private LiveFrames live;

    PackNeeds(
            Repository repository, PackReferences references, MovedFrames moves, SameFrames same) {
        this.repository = repository;
        this.references = references;
        this.moves = moves;
        this.same = same;
        this.live = new LiveFrames(references, moves);
    }

    /// Looks again at what has moved, after what is referred to was read again.
    void refresh() {
        moves.update();
        live = new LiveFrames(references, moves);
    }

    LiveFrames live() {
        return live;
    }

    MovedFrames moves() {
        return moves;
    }

    /// Frames of a pack that are needed and nowhere else.
    ///
    /// @param stays which packs are there and stay
    BitSet onlyHere(PackId pack, Predicate<Place> stays) {
        return onlyHere(pack, stays, false);
    }

    private BitSet onlyHere(PackId pack, Predicate<Place> stays, boolean one) {
        BitSet only = new BitSet();
        if (!moves.involves(pack)) {
            references.of(pack).ifPresent(each -> only.or(each.frames));
            return only;
        }
        for (Map.Entry<Integer, List<Origin>> each : live.origins(pack).entrySet()) {
            if (!each.getValue().stream().allMatch(origin -> isElsewhere(origin, pack, stays))) {
                only.set(each.getKey());
                if (one) {
                    return only;
                }
            }
        }
        return only;
    }

    private boolean isElsewhere(Origin origin, PackId pack, Predicate<Place> stays) {
        List<Place> places = live.places(origin);
        Optional<Place> here =
                places.stream().filter(place -> place.pack().equals(pack)).findFirst();
        return places.stream()
                .filter(place -> !place.pack().equals(pack) && stays.test(place))
                .anyMatch(
                        place -> same.same(live.source(origin.pack()), here.orElseThrow(), place));
    }

    private boolean isNeeded(PackId pack, Predicate<Place> stays) {
        return live.isAnyLive(pack) && !onlyHere(pack, stays, true).isEmpty();
    }

    /// Packs to claim: nothing needs them, or all that is needed of them is in others, which are
    /// none of these. Packs among them that are not there stand for objects below `moved/` that are
    /// of no use.
    ///
    /// @param claimed packs that may go by claims
    /// @param kept packs that stay for other reasons
    List<PackId> candidates(
            Map<PackId, StoredObject> stored, Set<PackId> claimed, Predicate<PackId> kept) {
        Set<PackId> chosen = new HashSet<>();
        List<PackId> doubtful = new ArrayList<>();
        for (PackId pack : known(stored)) {
            if (claimed.contains(pack) || kept.test(pack)) {
                continue;
            }
            if (!live.isAnyLive(pack)) {
                chosen.add(pack);
            } else if (stored.containsKey(pack) ? moves.involves(pack) : isMissingPlace(pack)) {
                doubtful.add(pack);
            }
        }
        // What was compacted goes first, else what has most that nobody needs: relying on it, its
        // places would look superfluous.
        doubtful.sort(
                Comparator.<PackId>comparingInt(pack -> moves.from(pack).isEmpty() ? 1 : 0)
                        .thenComparingDouble(
                                pack ->
                                        stored.containsKey(pack)
                                                ? (double) live.bytes(pack)
                                                        / stored.get(pack).sizeBytes()
                                                : 0)
                        .thenComparing(pack -> pack));
        Set<PackId> useless = Set.copyOf(chosen);
        int damaged;
        do { // again without those that turn out to be damaged
            damaged = same.damaged().size();
            chosen.retainAll(useless);
            for (PackId pack : doubtful) {
                Predicate<Place> stays =
                        place ->
                                stored.containsKey(place.pack())
                                        && !claimed.contains(place.pack())
                                        && !chosen.contains(place.pack())
                                        && !same.damaged().contains(place.pack());
                if (!isNeeded(pack, stays)) {
                    chosen.add(pack);
                }
            }
        } while (same.damaged().size() > damaged);
        return chosen.stream().sorted().toList();
    }

    private Set<PackId> known(Map<PackId, StoredObject> stored) {
        Set<PackId> known = new LinkedHashSet<>(stored.keySet());
        for (String object : moves.objects()) {
            Names.movedFrom(object).ifPresent(known::add);
            Names.movedTo(object).ifPresent(known::add);
        }
        return known;
    }

    /// What a compaction announced that was killed before it put it, or lost its place since.
    private boolean isMissingPlace(PackId pack) {
        return !references.contains(pack)
                && moves.to(pack).stream()
                        .anyMatch(move -> Names.movedTo(move.object).equals(Optional.of(pack)));
    }

    /// All packs whose frames have moved into one: whoever treats a claimed pack as absent must not
    /// come to it on a detour.
    Set<PackId> olds(PackId place) {
        Set<PackId> all = new TreeSet<>();
        Deque<PackId> queue = new ArrayDeque<>(List.of(place));
        while (!queue.isEmpty()) {
            for (MovedFrames.Move move : moves.to(queue.remove())) {
                if (all.add(move.from)) {
                    queue.add(move.from);
                }
            }
        }
        return all;
    }

    /// Of packs that are claimed, those that may go.
    ///
    /// @param claimed what may go by any claim, read after the claim was put that names these
    List<PackId> unneeded(Collection<PackId> among, Set<PackId> claimed) {
        Map<PackId, Boolean> there = new HashMap<>();
        Predicate<Place> stays =
                place ->
                        !claimed.contains(place.pack())
                                && there.computeIfAbsent(
                                        place.pack(),
                                        pack ->
                                                repository
                                                        .store()
                                                        .size(Names.pack(place.packClass(), pack))
                                                        .isPresent());
        return among.stream().filter(pack -> !isNeeded(pack, stays)).sorted().toList();
    }

    /// Objects below `moved/` that are of no use once a sweep was carried out.
    ///
    /// @param swept packs that went
    List<String> useless(Set<PackId> swept) {
        return moves.objects().stream()
                .filter(
                        object ->
                                Names.movedTo(object).filter(swept::contains).isPresent()
                                        || Names.movedFrom(object)
                                                .filter(swept::contains)
                                                .filter(old -> !live.isAnyLive(old))
                                                .isPresent())
                .sorted()
                .toList();
    }
}
