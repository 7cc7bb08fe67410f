package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackBuilder;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackDirectory;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads frames out of packs, following relocations where a pack is gone and it can be proved that
/// what is found is what was meant. Not thread-safe: one for each thread, closed after use.
public final class PackReader implements AutoCloseable {
    /// What is fetched along between frames of one request is at most this part of them, so that
    /// saving requests never costs many bytes.
    private static final int GAP_SHARE = 8;

    /// No request asks for more, unless one frame is larger.
    private static final int REQUEST = 8 << 20;

    /// Receives an opened frame; its payload is valid until the call returns.
    public interface FrameConsumer {
        void frame(FrameRef ref, Frame frame);
    }

    /// Tells whether an opened frame is the one that a reference means, by what stands beside the
    /// reference: the digest of a map, the id of a chunk.
    public interface Proof {
        boolean holds(FrameRef wanted, Frame frame);
    }

    private final Vault vault;
    private final ChunkNames chunkNames;
    private final Relocations relocations;
    private final FrameCoder coder = new FrameCoder(Vault.SMALL_LEVEL);
    private final Map<PackId, ObjectSeal> seals = new HashMap<>();
    private final Set<PackId> present = new HashSet<>();
    private final Set<PackId> absent = new HashSet<>();

    PackReader(ProtectedSource source) {
        this.vault = source.vault();
        this.chunkNames = new ChunkNames(source);
        this.relocations = new Relocations(vault);
    }

    /// Opens a frame in its own pack. The payload is valid until the next call.
    public Frame read(FrameRef wanted) {
        if (!isThere(wanted)) {
            throw missing(wanted);
        }
        return open(wanted);
    }

    /// Opens a frame of pages or a chunk, wherever it is by now. The payload is valid until the
    /// next call.
    ///
    /// @param proof what is found elsewhere than in its own pack is taken only if this holds
    public Frame read(FrameRef wanted, Proof proof) {
        if (!isThere(wanted)) {
            return relocated(wanted, proof, missing(wanted));
        }
        try {
            return open(wanted);
        } catch (MainstayException damaged) {
            return relocated(wanted, proof, passedOver(damaged));
        }
    }

    /// What is wrong with a frame, unless it is the store that could not be asked.
    private static MainstayException passedOver(MainstayException damaged) {
        if (BegunBackup.isPassing(damaged)) {
            throw damaged;
        }
        return damaged;
    }

    private Frame open(FrameRef ref) {
        String name = Names.pack(ref.packClass(), ref.pack());
        byte[] bytes = vault.store.get(name, ref.offset(), ref.length());
        return coder.open(
                name, seal(ref, name), ref.number(), ref.offset(), bytes, 0, bytes.length);
    }

    private boolean isThere(FrameRef ref) {
        if (seals.containsKey(ref.pack()) || present.contains(ref.pack())) {
            return true;
        }
        if (absent.contains(ref.pack())) {
            return false;
        }
        boolean there = vault.store.size(Names.pack(ref.packClass(), ref.pack())).isPresent();
        (there ? present : absent).add(ref.pack());
        return there;
    }

    private static MainstayException missing(FrameRef wanted) {
        return new MainstayException(
                ErrorCode.STORE_OBJECT_MISSING,
                "pack " + Names.pack(wanted.packClass(), wanted.pack()) + " is missing");
    }

    /// As [#follow]; what is known of places is asked again if nothing is there any more, since a
    /// collector may have moved the frame once more.
    private Frame relocated(FrameRef wanted, Proof proof, MainstayException why) {
        try {
            return follow(wanted, proof, why);
        } catch (MainstayException broken) {
            if (broken.code() != ErrorCode.STORE_OBJECT_MISSING) {
                throw broken;
            }
            relocations.forget();
            absent.clear();
            present.clear();
            return follow(wanted, proof, broken);
        }
    }

    /// Follows relocations, of relocations too, until a frame is found that is proved to be the one
    /// that is meant.
    ///
    /// @param why it cannot be had where it was put
    private Frame follow(FrameRef wanted, Proof proof, MainstayException why) {
        MainstayException last = why;
        Deque<FrameRef> places = new ArrayDeque<>(relocations.of(wanted));
        Set<FrameRef> seen = new HashSet<>();
        while (!places.isEmpty()) {
            FrameRef place = places.remove();
            if (!seen.add(place)) {
                continue;
            }
            try {
                if (!isThere(place)) {
                    places.addAll(relocations.of(place));
                    continue;
                }
                Frame frame = open(place);
                if (isMovable(frame) && proof.holds(wanted, frame)) {
                    return frame;
                }
                last = wrongPlace(wanted, place);
            } catch (MainstayException broken) {
                if (broken.code() == ErrorCode.STORE_UNAVAILABLE) {
                    throw broken;
                }
                last = broken; // another place may serve
                places.addAll(relocations.of(place));
            }
        }
        throw last;
    }

    /// Only frames that are known by digest or id can be told from others.
    private boolean isMovable(Frame frame) {
        return switch (frame.kind()) {
            case PAGES -> true;
            case CHUNK ->
                    Arrays.equals(
                            chunkNames.of(frame.payload(), frame.length()).bytes(), frame.meta());
            case MAPS, FINGERPRINTS, MANIFEST, CATALOG, DIRECTORY, BODY, DATA, CHUNKS -> false;
        };
    }

    private static MainstayException wrongPlace(FrameRef wanted, FrameRef place) {
        return new MainstayException(
                ErrorCode.OBJECT_DAMAGED,
                "frame "
                        + wanted.number()
                        + " of pack "
                        + wanted.pack()
                        + " is said to have moved to frame "
                        + place.number()
                        + " of pack "
                        + place.pack()
                        + ", which holds something else");
    }

    /// Opens frames in their own pack, as the other method does.
    public void readAll(List<FrameRef> frames, FrameConsumer consumer) {
        readAll(frames, (_, _) -> false, consumer);
    }

    /// Opens frames of one pack: neighbours are fetched together, and each is fetched and opened
    /// once.
    ///
    /// @param proof as for one frame
    public void readAll(List<FrameRef> frames, Proof proof, FrameConsumer consumer) {
        List<FrameRef> sorted = new ArrayList<>(frames);
        sorted.sort(Comparator.comparingLong(FrameRef::offset));
        int at = 0;
        while (at < sorted.size()) {
            FrameRef first = sorted.get(at);
            if (!isThere(first)) {
                readMoved(sorted.subList(at, sorted.size()), proof, consumer);
                return;
            }
            int end = at + 1;
            long until = first.offset() + first.length();
            long wanted = first.length();
            while (end < sorted.size()) {
                FrameRef next = sorted.get(end);
                long nextEnd = Math.max(until, next.offset() + next.length());
                wanted += next.length();
                long along = nextEnd - first.offset() - wanted;
                if (along * GAP_SHARE > wanted || nextEnd - first.offset() > REQUEST) {
                    break;
                }
                until = nextEnd;
                end++;
            }
            open(sorted.subList(at, end), (int) (until - first.offset()), proof, consumer);
            at = end;
        }
    }

    /// Frames of a pack that is gone, those together that are together now.
    private void readMoved(List<FrameRef> frames, Proof proof, FrameConsumer consumer) {
        Map<PackId, Map<FrameRef, FrameRef>> wanted = new LinkedHashMap<>();
        for (FrameRef frame : frames) {
            Optional<FrameRef> place = place(frame);
            boolean grouped =
                    place.isPresent()
                            && wanted.computeIfAbsent(
                                                    place.get().pack(), _ -> new LinkedHashMap<>())
                                            .putIfAbsent(place.get(), frame)
                                    == null;
            if (!grouped) {
                consumer.frame(frame, relocated(frame, proof, missing(frame)));
            }
        }
        wanted.values().forEach(group -> readGroup(group, proof, consumer));
    }

    /// The first place of a frame that is there.
    private Optional<FrameRef> place(FrameRef frame) {
        try {
            return relocations.of(frame).stream().filter(this::isThere).findFirst();
        } catch (MainstayException damaged) {
            passedOver(damaged);
            return Optional.empty(); // what is wrong is told when it is followed
        }
    }

    /// @param wanted by its place
    private void readGroup(Map<FrameRef, FrameRef> wanted, Proof proof, FrameConsumer consumer) {
        Map<FrameRef, FrameRef> left = new LinkedHashMap<>(wanted);
        boolean[] consuming = new boolean[1];
        try {
            readAll(
                    List.copyOf(wanted.keySet()),
                    (place, frame) -> {
                        FrameRef ref = left.get(place);
                        if (ref != null && isMovable(frame) && proof.holds(ref, frame)) {
                            left.remove(place);
                            consuming[0] = true;
                            consumer.frame(ref, frame);
                            consuming[0] = false;
                        }
                    });
        } catch (MainstayException broken) {
            if (consuming[0]) {
                throw broken;
            }
            passedOver(broken); // another place may serve
        }
        left.values().forEach(ref -> consumer.frame(ref, relocated(ref, proof, missing(ref))));
    }

    /// Whatever cannot be fetched or opened here may be elsewhere.
    private void open(List<FrameRef> frames, int length, Proof proof, FrameConsumer consumer) {
        FrameRef first = frames.getFirst();
        String name = Names.pack(first.packClass(), first.pack());
        ObjectSeal seal;
        byte[] bytes;
        try {
            seal = seal(first, name);
            bytes = vault.store.get(name, first.offset(), length);
        } catch (MainstayException damaged) {
            MainstayException why = passedOver(damaged);
            for (FrameRef ref : frames) { // one by one: the object may only end early
                consumer.frame(
                        ref, frames.size() == 1 ? relocated(ref, proof, why) : read(ref, proof));
            }
            return;
        }
        for (FrameRef ref : frames) {
            int at = (int) (ref.offset() - first.offset());
            Frame frame;
            try {
                frame = coder.open(name, seal, ref.number(), ref.offset(), bytes, at, ref.length());
            } catch (MainstayException damaged) {
                frame = relocated(ref, proof, damaged);
            }
            consumer.frame(ref, frame);
        }
    }

    private ObjectSeal seal(FrameRef ref, String name) {
        return seals.computeIfAbsent(
                ref.pack(),
                _ -> {
                    byte[] header = vault.store.get(name, 0, ObjectHeader.SIZE);
                    return vault.openSeal(name, ObjectHeader.read(name, ObjectType.PACK, header));
                });
    }

    /// What opened the frame that a consumer is shown.
    FrameCoder coder() {
        return coder;
    }

    /// Opens the directory of a pack.
    public PackDirectory directory(PackClass packClass, PackId pack) {
        String name = Names.pack(packClass, pack);
        Optional<Long> size = vault.store.size(name);
        long bytes =
                size.orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.STORE_OBJECT_MISSING,
                                        "pack " + name + " is missing"));
        if (bytes < ObjectHeader.SIZE + PackBuilder.TRAILER) {
            throw new MainstayException(
                    ErrorCode.PACK_TRUNCATED, "pack " + name + " is only " + bytes + " bytes long");
        }
        byte[] last = vault.store.get(name, bytes - PackBuilder.TRAILER, PackBuilder.TRAILER);
        PackDirectory.Trailer trailer = PackDirectory.Trailer.read(name, last, bytes);
        byte[] frame = vault.store.get(name, trailer.offset(), trailer.length());
        ObjectSeal seal =
                vault.openSeal(
                        name,
                        ObjectHeader.read(
                                name,
                                ObjectType.PACK,
                                vault.store.get(name, 0, ObjectHeader.SIZE)));
        return PackDirectory.read(name, seal, trailer, frame, coder);
    }

    @Override
    public void close() {
        coder.close();
    }
}
