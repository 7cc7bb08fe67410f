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
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Reads frames out of packs, following relocations where a pack is gone and it can be proved that
/// what is found is what was meant. Not thread-safe: one for each thread, closed after use.
public final class PackReader implements AutoCloseable {
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
    private final PackRanges ranges;
    private final Set<PackId> present = new HashSet<>();
    private final Set<PackId> absent = new HashSet<>();

    PackReader(ProtectedSource source) {
        this(source, new PackRanges(source.vault()));
    }

    /// @param ranges may be shared with other readers of the same source
    PackReader(ProtectedSource source, PackRanges ranges) {
        this.vault = source.vault();
        this.ranges = ranges;
        this.chunkNames = new ChunkNames(source);
        this.relocations = new Relocations(vault);
    }

    /// Opens a frame in its own pack. The payload is valid until the next call.
    public Frame read(FrameRef wanted) {
        if (absent.contains(wanted.pack())) {
            throw PackRanges.missing(wanted);
        }
        return open(wanted);
    }

    /// As [#read(FrameRef)], of what somebody fetched.
    ///
    /// @param fetch gives what [PackRanges#fetch] gave of it, or throws what that threw
    Frame read(FrameRef wanted, Supplier<PackRanges.Fetched> fetch) {
        return open(wanted, fetch.get());
    }

    /// Opens a frame of pages or a chunk, wherever it is by now. The payload is valid until the
    /// next call.
    ///
    /// @param proof what is found elsewhere than in its own pack is taken only if this holds
    public Frame read(FrameRef wanted, Proof proof) {
        if (absent.contains(wanted.pack())) {
            return relocated(wanted, proof, PackRanges.missing(wanted));
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
        try {
            return open(ref, ranges.fetch(new PackRange(List.of(ref))));
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.STORE_OBJECT_MISSING) {
                absent.add(ref.pack());
            }
            throw failed;
        }
    }

    private Frame open(FrameRef ref, PackRanges.Fetched from) {
        int at = (int) (ref.offset() - from.offset());
        return coder.open(
                from.name(),
                ranges.seal(from),
                ref.number(),
                ref.offset(),
                from.bytes(),
                at,
                ref.length());
    }

    /// Whether a pack that is not read for now is there.
    private boolean isThere(FrameRef ref) {
        if (present.contains(ref.pack())) {
            return true;
        }
        if (absent.contains(ref.pack())) {
            return false;
        }
        boolean there = vault.store.size(Names.pack(ref.packClass(), ref.pack())).isPresent();
        (there ? present : absent).add(ref.pack());
        return there;
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
            boolean known = true;
            try {
                if (absent.contains(place.pack())) {
                    places.addAll(relocations.of(place));
                    continue;
                }
                known = ranges.knows(place.pack());
                Frame frame = open(place);
                if (isMovable(frame) && proof.holds(wanted, frame)) {
                    return frame;
                }
                last = wrongPlace(wanted, place);
            } catch (MainstayException broken) {
                if (broken.code() == ErrorCode.STORE_UNAVAILABLE) {
                    throw broken;
                }
                if (known || broken.code() != ErrorCode.STORE_OBJECT_MISSING) {
                    last = broken; // another place may serve
                }
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

    /// Opens frames in their own pack, as the other method does, and rather reads what lies between
    /// them than asks for each.
    public void readAll(List<FrameRef> frames, FrameConsumer consumer) {
        readRanges(PackRange.near(frames), (_, _) -> false, consumer);
    }

    /// Opens frames of one pack: neighbours are fetched together, and each is fetched and opened
    /// once.
    ///
    /// @param proof as for one frame
    public void readAll(List<FrameRef> frames, Proof proof, FrameConsumer consumer) {
        readRanges(PackRange.of(frames), proof, consumer);
    }

    private void readRanges(List<PackRange> wanted, Proof proof, FrameConsumer consumer) {
        try (FetchAhead<PackRanges.Fetched> ahead = ranges.ahead(wanted)) {
            for (int i = 0; i < wanted.size(); i++) {
                if (absent.contains(wanted.get(i).pack())) {
                    List<FrameRef> rest = new ArrayList<>();
                    wanted.subList(i, wanted.size()).forEach(range -> rest.addAll(range.frames()));
                    readMoved(rest, proof, consumer);
                    return;
                }
                open(wanted.get(i), ahead::next, proof, consumer);
            }
        }
    }

    /// Opens the frames of a range that somebody fetched, as [#readAll] does. Whatever cannot be
    /// fetched or opened here may be elsewhere.
    ///
    /// @param fetch gives what [PackRanges#fetch] gave, or throws what that threw
    public void open(
            PackRange range,
            Supplier<PackRanges.Fetched> fetch,
            Proof proof,
            FrameConsumer consumer) {
        List<FrameRef> frames = range.frames();
        PackRanges.Fetched fetched;
        try {
            fetched = fetch.get();
        } catch (MainstayException damaged) {
            MainstayException why = passedOver(damaged);
            if (why.code() == ErrorCode.STORE_OBJECT_MISSING) {
                absent.add(frames.getFirst().pack());
                readMoved(frames, proof, consumer);
                return;
            }
            for (FrameRef ref : frames) { // one by one: the object may only end early
                consumer.frame(
                        ref, frames.size() == 1 ? relocated(ref, proof, why) : read(ref, proof));
            }
            return;
        }
        for (FrameRef ref : frames) {
            Frame frame;
            try {
                frame = open(ref, fetched);
            } catch (MainstayException damaged) {
                frame = relocated(ref, proof, passedOver(damaged));
            }
            consumer.frame(ref, frame);
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
                consumer.frame(frame, relocated(frame, proof, PackRanges.missing(frame)));
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
        left.values()
                .forEach(
                        ref -> consumer.frame(ref, relocated(ref, proof, PackRanges.missing(ref))));
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
