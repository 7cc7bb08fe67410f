package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.LiveFrames.Origin;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackBuilder;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackDirectory;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/// Moves frames of one source and one class into new packs. Frames are opened and read as what they
/// are, stay compressed as they were, and are sealed for their new place and opened again there.
///
/// A pack's `moved/` objects are put before the pack itself: so no collector ever sees a pack that
/// nothing seems to lead to, and takes it for garbage. One pack is in memory.
final class PackRewrite implements AutoCloseable {
    /// Frames in one `moved/` object: what it says has to fit in a frame.
    private static final int TOLD = 50_000;

    /// A frame that was laid into the new pack.
    private record Laid(Origin origin, PackId readFrom, PackBuilder.Spot spot) {}

    private final ProtectedSource source;
    private final PackClass packClass;
    private final int packBytes;
    private final SameFrames same;
    private final Consumer<StoredObject> put;
    private final PackReader reader;
    private final FrameCoder directoryCoder = new FrameCoder(Vault.SMALL_LEVEL);
    private final ChunkNames chunkNames;
    private final PackBuilder.Blocks blocks = new PackBuilder.Blocks();
    private final List<Laid> laid = new ArrayList<>();
    private @Nullable PackBuilder filling;

    /// @param same is told what has moved
    /// @param put is told of new packs
    PackRewrite(
            ProtectedSource source,
            PackClass packClass,
            int packBytes,
            SameFrames same,
            Consumer<StoredObject> put) {
        this.source = source;
        this.packClass = packClass;
        this.packBytes = packBytes;
        this.same = same;
        this.put = put;
        this.reader = new PackReader(source);
        this.chunkNames = new ChunkNames(source);
    }

    PackDirectory directory(PackId pack) {
        return reader.directory(packClass, pack);
    }

    /// Moves frames of one pack.
    ///
    /// @param origins as what they are referred to, by number
    /// @throws MainstayException if one cannot be read; then nothing is said of those that were not
    ///   put yet
    void move(List<FrameRef> frames, Map<Integer, List<Origin>> origins) {
        try {
            reader.readAll(
                    frames,
                    (ref, frame) -> {
                        demandMovable(ref, frame);
                        PackBuilder.Spot spot = lay(frame);
                        origins.getOrDefault(ref.number(), List.of())
                                .forEach(origin -> laid.add(new Laid(origin, ref.pack(), spot)));
                    });
        } catch (MainstayException unread) {
            laid.removeIf(each -> each.readFrom.equals(frames.getFirst().pack()));
            throw unread;
        }
    }

    private void demandMovable(FrameRef ref, Frame frame) {
        boolean movable =
                switch (frame.kind()) {
                    case PAGES -> true;
                    case CHUNK ->
                            frame.meta().length == 32
                                    && chunkNames
                                            .of(frame.payload(), frame.length())
                                            .equals(new ChunkId(frame.meta()));
                    case MAPS, FINGERPRINTS, MANIFEST, CATALOG, DIRECTORY, BODY, DATA, CHUNKS ->
                            false;
                };
        if (!movable) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "frame " + ref.number() + " of pack " + ref.pack() + " cannot be moved");
        }
    }

    private PackBuilder.Spot lay(Frame frame) {
        FrameCoder coder = reader.coder();
        int length = coder.take(frame);
        PackBuilder current = filling;
        PackBuilder.Spot spot =
                current == null ? null : current.reserve(frame.kind(), frame.meta(), length);
        if (current == null || spot == null) {
            finish();
            current = new PackBuilder(source.vault().newSeal(ObjectType.PACK), packBytes, blocks);
            filling = current;
            spot = current.reserve(frame.kind(), frame.meta(), length);
            if (spot == null) {
                throw new AssertionError("an empty pack takes any frame");
            }
        }
        current.bring(spot, coder.seal(current.seal(), spot.number(), spot.offset()));
        return spot;
    }

    /// Puts what was not put yet.
    void finish() {
        PackBuilder current = filling;
        if (current == null) {
            return;
        }
        filling = null;
        try {
            PackBuilder.Finished finished = current.finish(directoryCoder);
            if (!laid.isEmpty()) {
                tell(finished.id());
                String name = Names.pack(packClass, finished.id());
                PutOutcome _ = source.vault().store.put(name, finished.content());
                put.accept(new StoredObject(name, finished.length()));
            }
            blocks.giveBack(finished);
            laid.clear();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "stopped while packs were compacted", stopped);
        }
    }

    private void tell(PackId place) {
        Map<PackId, List<Laid>> byOld = new LinkedHashMap<>();
        laid.forEach(
                each ->
                        byOld.computeIfAbsent(each.origin.pack(), _ -> new ArrayList<>())
                                .add(each));
        byOld.forEach(
                (old, frames) -> {
                    for (int from = 0; from < frames.size(); from += TOLD) {
                        int to = Math.min(frames.size(), from + TOLD);
                        tell(old, place, from / TOLD, frames.subList(from, to));
                    }
                });
    }

    private void tell(PackId old, PackId place, int part, List<Laid> frames) {
        Vault vault = source.vault();
        String name = Names.moved(old, place, part);
        List<Json> places = new ArrayList<>();
        Set<PackId> readFrom = new TreeSet<>();
        for (Laid each : frames) {
            readFrom.add(each.readFrom);
            places.add(
                    Json.object()
                            .put("from", each.origin.frame())
                            .put("class", packClass.folder())
                            .put("pack", place.hex())
                            .put("number", each.spot.number())
                            .put("offset", each.spot.offset())
                            .put("length", each.spot.length()));
        }
        byte[] object = vault.sealJson(ObjectType.MOVED, Json.object().put("frames", places));
        if (vault.put(name, object) == PutOutcome.EXISTED
                && !Arrays.equals(object, vault.get(name))) {
            throw new MainstayException(
                    ErrorCode.STORE_OBJECT_EXISTS, "object " + name + " exists already");
        }
        readFrom.forEach(pack -> same.moved(pack, name));
    }

    @Override
    public void close() {
        directoryCoder.close();
        reader.close();
    }
}
