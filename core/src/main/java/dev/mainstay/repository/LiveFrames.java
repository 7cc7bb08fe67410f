package dev.mainstay.repository;

import dev.mainstay.repository.PackReferences.Referred;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Which frames of which packs backups need: those that they refer to, and the places to which
/// these have moved. A frame that is in several places needs only one of them.
final class LiveFrames {
    /// A frame as it is referred to.
    record Origin(PackId pack, int frame) {}

    /// Where a frame can be had.
    ///
    /// @param by the object below `moved/` that says so; empty for its own pack
    record Place(PackClass packClass, PackId pack, int number, Optional<String> by) {}

    /// Frames to which others have moved that are referred to.
    private static final class Reached {
        final BitSet frames = new BitSet();
        final ProtectedSource source;
        final Instant since;
        long bytes;

        Reached(ProtectedSource source, Instant since) {
            this.source = source;
            this.since = since;
        }
    }

    private final PackReferences references;
    private final MovedFrames moves;
    private final Map<PackId, Reached> reached = new HashMap<>();

    LiveFrames(PackReferences references, MovedFrames moves) {
        this.references = references;
        this.moves = moves;
        Deque<PackId> queue = new ArrayDeque<>(moves.olds());
        while (!queue.isEmpty()) {
            PackId old = queue.remove();
            for (MovedFrames.Move move : moves.from(old)) {
                if (reach(move) && !moves.from(move.to).isEmpty()) {
                    queue.add(move.to);
                }
            }
        }
    }

    private boolean reach(MovedFrames.Move move) {
        boolean more = false;
        for (int i = 0; i < move.size(); i++) {
            if (isLive(move.from, move.frame(i))) {
                FrameRef place = move.place(i);
                Reached there =
                        reached.computeIfAbsent(
                                place.pack(),
                                _ -> new Reached(source(move.from), since(move.from)));
                if (!there.frames.get(place.number())) {
                    there.frames.set(place.number());
                    there.bytes += isReferred(place.pack(), place.number()) ? 0 : place.length();
                    more = true;
                }
            }
        }
        return more;
    }

    private boolean isReferred(PackId pack, int frame) {
        return references.of(pack).filter(each -> each.frames.get(frame)).isPresent();
    }

    private boolean isLive(PackId pack, int frame) {
        Reached there = reached.get(pack);
        return isReferred(pack, frame) || (there != null && there.frames.get(frame));
    }

    boolean isAnyLive(PackId pack) {
        return references.contains(pack) || reached.containsKey(pack);
    }

    /// What is live of a pack, as it is stored.
    long bytes(PackId pack) {
        Reached there = reached.get(pack);
        return references.of(pack).map(Referred::bytes).orElse(0L)
                + (there == null ? 0 : there.bytes);
    }

    /// Whose pack it is that has live frames.
    ProtectedSource source(PackId pack) {
        Optional<Referred> referred = references.of(pack);
        return referred.isPresent()
                ? referred.get().source
                : java.util.Objects.requireNonNull(reached.get(pack)).source;
    }

    /// When the oldest backup was taken that needs something of it.
    Instant since(PackId pack) {
        Optional<Referred> referred = references.of(pack);
        return referred.isPresent()
                ? referred.get().since
                : java.util.Objects.requireNonNull(reached.get(pack)).since;
    }

    /// Of each live frame of a pack, by number, as what it is referred to.
    Map<Integer, List<Origin>> origins(PackId pack) {
        Map<Integer, List<Origin>> origins = new HashMap<>();
        references
                .of(pack)
                .ifPresent(
                        each ->
                                each.frames.stream()
                                        .forEach(
                                                frame ->
                                                        add(
                                                                origins,
                                                                frame,
                                                                new Origin(pack, frame))));
        for (MovedFrames.Move move : moves.to(pack)) {
            for (int i = 0; i < move.size(); i++) {
                if (isLive(move.from, move.frame(i))) {
                    add(origins, move.place(i).number(), new Origin(move.from, move.frame(i)));
                }
            }
        }
        return origins;
    }

    private static void add(Map<Integer, List<Origin>> origins, int number, Origin origin) {
        List<Origin> all = origins.computeIfAbsent(number, _ -> new ArrayList<>(1));
        if (!all.contains(origin)) {
            all.add(origin);
        }
    }

    /// Everywhere that a frame can be had, if the packs are there.
    List<Place> places(Origin origin) {
        List<Place> places = new ArrayList<>();
        PackClass own =
                references
                        .of(origin.pack)
                        .map(each -> each.packClass)
                        .or(
                                () ->
                                        moves.to(origin.pack).stream()
                                                .findFirst()
                                                .map(move -> move.packClass))
                        .orElse(PackClass.BASE);
        places.add(new Place(own, origin.pack, origin.frame, Optional.empty()));
        follow(origin, places, new HashSet<>());
        return places;
    }

    private void follow(Origin origin, List<Place> places, Set<Origin> seen) {
        if (!seen.add(origin)) {
            return;
        }
        for (MovedFrames.Move move : moves.from(origin.pack)) {
            Optional<FrameRef> place = move.placeOf(origin.frame);
            if (place.isPresent()) {
                FrameRef ref = place.get();
                places.add(
                        new Place(
                                ref.packClass(),
                                ref.pack(),
                                ref.number(),
                                Optional.of(move.object)));
                follow(new Origin(ref.pack(), ref.number()), places, seen);
            }
        }
    }
}
