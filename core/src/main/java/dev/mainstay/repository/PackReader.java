package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackBuilder;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackDirectory;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads frames out of packs, following relocations where a pack is gone. Not thread-safe: one for
/// each thread, closed after use.
public final class PackReader implements AutoCloseable {
    /// Frames this close to each other are fetched in one request.
    private static final int GAP = 1 << 20;

    /// No request asks for more, unless one frame is larger.
    private static final int REQUEST = 8 << 20;

    /// Receives an opened frame; its payload is valid until the call returns.
    public interface FrameConsumer {
        void frame(FrameRef ref, Frame frame);
    }

    private final Vault vault;
    private final FrameCoder coder = new FrameCoder(Vault.SMALL_LEVEL);
    private final Map<PackId, ObjectSeal> seals = new HashMap<>();
    private final Map<PackId, Map<Integer, FrameRef>> moved = new HashMap<>();

    PackReader(Vault vault) {
        this.vault = vault;
    }

    /// Opens one frame. The payload is valid until the next call.
    public Frame read(FrameRef wanted) {
        FrameRef ref = locate(wanted);
        String name = Names.pack(ref.packClass(), ref.pack());
        byte[] bytes = vault.store.get(name, ref.offset(), ref.length());
        return coder.open(
                name, seal(ref, name), ref.number(), ref.offset(), bytes, 0, bytes.length);
    }

    /// Opens frames of one pack: neighbours are fetched together, and each is fetched and opened
    /// once.
    public void readAll(List<FrameRef> frames, FrameConsumer consumer) {
        List<FrameRef> sorted = new ArrayList<>(frames);
        sorted.sort(Comparator.comparingLong(FrameRef::offset));
        int at = 0;
        while (at < sorted.size()) {
            FrameRef first = sorted.get(at);
            FrameRef located = locate(first);
            if (!located.pack().equals(first.pack())) {
                consumer.frame(first, read(first));
                at++;
                continue;
            }
            int end = at + 1;
            long until = first.offset() + first.length();
            while (end < sorted.size()) {
                FrameRef next = sorted.get(end);
                long nextEnd = next.offset() + next.length();
                if (next.offset() - until > GAP || nextEnd - first.offset() > REQUEST) {
                    break;
                }
                until = Math.max(until, nextEnd);
                end++;
            }
            open(sorted.subList(at, end), first.offset(), (int) (until - first.offset()), consumer);
            at = end;
        }
    }

    private void open(List<FrameRef> frames, long from, int length, FrameConsumer consumer) {
        FrameRef first = frames.getFirst();
        String name = Names.pack(first.packClass(), first.pack());
        ObjectSeal seal = seal(first, name);
        byte[] bytes = vault.store.get(name, from, length);
        for (FrameRef ref : frames) {
            Frame frame =
                    coder.open(
                            name,
                            seal,
                            ref.number(),
                            ref.offset(),
                            bytes,
                            (int) (ref.offset() - from),
                            ref.length());
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

    /// Where a frame is now: its own pack, or where a relocation says.
    private FrameRef locate(FrameRef wanted) {
        if (seals.containsKey(wanted.pack())) {
            return wanted;
        }
        Map<Integer, FrameRef> places = moved.get(wanted.pack());
        if (places == null) {
            if (vault.store.size(Names.pack(wanted.packClass(), wanted.pack())).isPresent()) {
                return wanted;
            }
            places = relocations(wanted.pack());
            moved.put(wanted.pack(), places);
        }
        FrameRef place = places.get(wanted.number());
        if (place == null) {
            throw new MainstayException(
                    ErrorCode.STORE_OBJECT_MISSING,
                    "pack " + Names.pack(wanted.packClass(), wanted.pack()) + " is missing");
        }
        return locate(place);
    }

    private Map<Integer, FrameRef> relocations(PackId pack) {
        Map<Integer, FrameRef> places = new HashMap<>();
        Listing.forEach(
                vault.store,
                Names.moved(pack),
                object -> {
                    Json body =
                            vault.openJson(
                                    object.name(), ObjectType.MOVED, vault.get(object.name()));
                    for (Json frame : body.objects("frames")) {
                        places.put(
                                (int) frame.number("from"),
                                new FrameRef(
                                        PackClass.parse(frame.string("class")),
                                        PackId.parse(frame.string("pack")),
                                        (int) frame.number("number"),
                                        frame.number("offset"),
                                        (int) frame.number("length")));
                    }
                });
        return places;
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
