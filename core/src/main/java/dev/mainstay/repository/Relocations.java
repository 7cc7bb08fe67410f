package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Where frames of packs that are gone may be now: what `moved/` objects say (docs/format.md
/// section 10). They are only a hint; what is found there has to be proved.
final class Relocations {
    private static final int FRAMES_KEPT = 100_000;

    private record Moves(Map<Integer, List<FrameRef>> places, Optional<MainstayException> damage) {}

    private final Vault vault;

    /// The packs asked for last: those that are read together.
    private final Map<PackId, Moves> known = new LinkedHashMap<>(16, 0.75f, true);

    private long frames;

    Relocations(Vault vault) {
        this.vault = vault;
    }

    /// The places that are named for a frame, in the order of their objects' names.
    ///
    /// @throws MainstayException what is wrong with a `moved/` object, if none of the others names
    ///   a place
    List<FrameRef> of(FrameRef frame) {
        Moves moves = known.get(frame.pack());
        if (moves == null) {
            moves = read(frame.pack());
            known.put(frame.pack(), moves);
            frames += moves.places.size();
            Iterator<Moves> oldest = known.values().iterator();
            while (frames > FRAMES_KEPT && known.size() > 1) {
                frames -= oldest.next().places.size();
                oldest.remove();
            }
        }
        List<FrameRef> places = moves.places.getOrDefault(frame.number(), List.of());
        if (places.isEmpty() && moves.damage.isPresent()) {
            throw moves.damage.get();
        }
        return places;
    }

    /// Asks again from now on: a collector may have moved frames once more.
    void forget() {
        known.clear();
        frames = 0;
    }

    private Moves read(PackId pack) {
        Map<Integer, List<FrameRef>> places = new HashMap<>();
        List<MainstayException> damage = new ArrayList<>();
        Listing.forEach(
                vault.store,
                Names.moved(pack),
                object -> {
                    try {
                        read(object.name(), places);
                    } catch (MainstayException broken) {
                        if (broken.code() == ErrorCode.STORE_UNAVAILABLE) {
                            throw broken;
                        }
                        damage.add(broken); // another one may name the place as well
                    }
                });
        return new Moves(places, damage.stream().findFirst());
    }

    private void read(String name, Map<Integer, List<FrameRef>> places) {
        Json body = vault.openJson(name, ObjectType.MOVED, vault.get(name));
        for (Json frame : body.objects("frames")) {
            try {
                places.computeIfAbsent((int) frame.number("from"), _ -> new ArrayList<>())
                        .add(
                                new FrameRef(
                                        PackClass.parse(frame.string("class")),
                                        PackId.parse(frame.string("pack")),
                                        (int) frame.number("number"),
                                        frame.number("offset"),
                                        (int) frame.number("length")));
            } catch (IllegalArgumentException impossible) {
                throw new MainstayException(
                        ErrorCode.OBJECT_DAMAGED,
                        "object " + name + " names an impossible place",
                        impossible);
            }
        }
    }
}
