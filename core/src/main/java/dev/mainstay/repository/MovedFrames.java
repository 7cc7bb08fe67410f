package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/// Everything that `moved/` objects say (docs/format.md section 10): where frames of packs are that
/// were compacted, or lost and found again. 20 bytes for each frame.
final class MovedFrames {
    /// What one object says of frames of one pack that are in another one.
    static final class Move {
        final String object;
        final PackId from;
        final PackId to;
        final PackClass packClass;
        private final int[] frames;
        private final int[] numbers;
        private final long[] offsets;
        private final int[] lengths;

        private Move(String object, PackId from, List<Entry> entries) {
            this.object = object;
            this.from = from;
            this.to = entries.getFirst().place.pack();
            this.packClass = entries.getFirst().place.packClass();
            int n = entries.size();
            this.frames = new int[n];
            this.numbers = new int[n];
            this.offsets = new long[n];
            this.lengths = new int[n];
            List<Entry> sorted = new ArrayList<>(entries);
            sorted.sort(Comparator.comparingInt(Entry::from));
            for (int i = 0; i < n; i++) {
                FrameRef place = sorted.get(i).place;
                frames[i] = sorted.get(i).from;
                numbers[i] = place.number();
                offsets[i] = place.offset();
                lengths[i] = place.length();
            }
        }

        int size() {
            return frames.length;
        }

        /// The number of an entry's frame in the old pack; they ascend.
        int frame(int entry) {
            return frames[entry];
        }

        FrameRef place(int entry) {
            return new FrameRef(packClass, to, numbers[entry], offsets[entry], lengths[entry]);
        }

        /// Where it says a frame of the old pack is.
        Optional<FrameRef> placeOf(int frame) {
            int entry = Arrays.binarySearch(frames, frame);
            return entry < 0 ? Optional.empty() : Optional.of(place(entry));
        }
    }

    private record Entry(int from, FrameRef place) {}

    private final Repository repository;
    private final Map<SourceId, ProtectedSource> sources = new HashMap<>();
    private final Set<SourceId> shredded = new HashSet<>();
    private final BiConsumer<String, MainstayException> damaged;
    private Map<String, List<Move>> objects = new TreeMap<>();
    private boolean readSources;
    private final Map<PackId, List<Move>> byOld = new HashMap<>();
    private final Map<PackId, List<Move>> byPlace = new HashMap<>();

    private MovedFrames(
            Repository repository,
            Collection<ProtectedSource> sources,
            BiConsumer<String, MainstayException> damaged) {
        this.repository = repository;
        this.damaged = damaged;
        sources.forEach(source -> this.sources.put(source.id(), source));
    }

    /// @param sources whose keys are at hand
    /// @throws MainstayException PRUNE_UNCERTAIN if it cannot be told where frames are
    static MovedFrames read(Repository repository, Collection<ProtectedSource> sources) {
        MovedFrames moved =
                new MovedFrames(
                        repository,
                        sources,
                        (name, broken) -> {
                            throw PackReferences.uncertain(name + " cannot be read", broken);
                        });
        moved.update();
        return moved;
    }

    /// As far as objects can be read.
    static MovedFrames readable(Repository repository, Collection<ProtectedSource> sources) {
        MovedFrames moved = new MovedFrames(repository, sources, (_, _) -> {});
        moved.update();
        return moved;
    }

    /// Reads what was put since, and forgets what is gone.
    void update() {
        Map<String, List<Move>> now = new TreeMap<>();
        readSources = false;
        Listing.forEach(
                repository.store(),
                Names.MOVED,
                object -> {
                    String name = object.name();
                    List<Move> known = objects.get(name);
                    Names.movedFrom(name)
                            .flatMap(from -> known != null ? Optional.of(known) : moves(name, from))
                            .ifPresent(moves -> now.put(name, moves));
                });
        objects = now;
        byOld.clear();
        byPlace.clear();
        for (List<Move> moves : now.values()) {
            for (Move move : moves) {
                byOld.computeIfAbsent(move.from, _ -> new ArrayList<>()).add(move);
                byPlace.computeIfAbsent(move.to, _ -> new ArrayList<>()).add(move);
            }
        }
    }

    /// @return empty if the object is gone
    private Optional<List<Move>> moves(String name, PackId from) {
        Map<PackId, List<Entry>> byPack = new LinkedHashMap<>();
        try {
            for (Json frame : frames(name)) {
                Entry entry = entry(name, frame);
                byPack.computeIfAbsent(entry.place.pack(), _ -> new ArrayList<>()).add(entry);
            }
        } catch (MainstayException broken) {
            if (repository.rootVault().isGone(name, broken)) {
                return Optional.empty();
            }
            if (BegunBackup.isPassing(broken)) {
                throw broken;
            }
            damaged.accept(name, broken);
        }
        return Optional.of(
                byPack.values().stream().map(entries -> new Move(name, from, entries)).toList());
    }

    private static Entry entry(String name, Json frame) {
        try {
            FrameRef place =
                    new FrameRef(
                            PackClass.parse(frame.string("class")),
                            PackId.parse(frame.string("pack")),
                            Math.toIntExact(frame.number("number")),
                            frame.number("offset"),
                            Math.toIntExact(frame.number("length")));
            return new Entry(Math.toIntExact(frame.number("from")), place);
        } catch (IllegalArgumentException | ArithmeticException impossible) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "object " + name + " names an impossible place",
                    impossible);
        }
    }

    private void readSources() {
        if (!readSources) {
            readSources = true;
            repository.sources((_, _) -> {}).forEach(source -> sources.put(source.id(), source));
            repository.shredded().forEach(gone -> shredded.add(gone.id()));
        }
    }

    private List<Json> frames(String name) {
        byte[] bytes = repository.rootVault().get(name);
        ObjectHeader header = ObjectHeader.read(name, ObjectType.MOVED, bytes);
        if (header.scope().source().filter(id -> !sources.containsKey(id)).isPresent()) {
            readSources();
        }
        if (header.scope().source().filter(shredded::contains).isPresent()) {
            return List.of();
        }
        Vault vault =
                RepositoryCheck.vaultOf(repository, sources, header)
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.KEY_MISSING,
                                                name + " opens with no key"));
        return vault.openJson(name, ObjectType.MOVED, bytes).objects("frames");
    }

    /// Names of all of them, those of shredded sources as well.
    Set<String> objects() {
        return Set.copyOf(objects.keySet());
    }

    /// What is known of the frames of a pack.
    List<Move> from(PackId old) {
        return byOld.getOrDefault(old, List.of());
    }

    /// What leads to a pack.
    List<Move> to(PackId place) {
        return byPlace.getOrDefault(place, List.of());
    }

    /// Packs of which frames have moved.
    Set<PackId> olds() {
        return Set.copyOf(byOld.keySet());
    }

    /// All places, by pack.
    Collection<List<Move>> places() {
        return byPlace.values();
    }

    /// All places to which a frame is said to have moved, nearest first.
    List<FrameRef> everywhere(FrameRef frame) {
        List<FrameRef> found = new ArrayList<>();
        follow(frame, found);
        for (int i = 0; i < found.size(); i++) {
            follow(found.get(i), found);
        }
        return found;
    }

    private void follow(FrameRef frame, List<FrameRef> found) {
        for (Move move : from(frame.pack())) {
            move.placeOf(frame.number())
                    .filter(place -> !found.contains(place))
                    .ifPresent(found::add);
        }
    }

    boolean involves(PackId pack) {
        return byOld.containsKey(pack) || byPlace.containsKey(pack);
    }
}
