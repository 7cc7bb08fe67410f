package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.LiveFrames.Place;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackDirectory;
import dev.mainstay.repository.format.PackId;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Proves that two places hold the same, before one of them goes: what this process has moved
/// itself is known, all else is read and compared. Closed after use.
final class SameFrames implements AutoCloseable {
    private static final Set<ErrorCode> LOST =
            Set.of(
                    ErrorCode.SEAL_BROKEN,
                    ErrorCode.OBJECT_DAMAGED,
                    ErrorCode.PACK_TRUNCATED,
                    ErrorCode.PACK_FORGED,
                    ErrorCode.STORE_OBJECT_MISSING);

    /// Whether what could not be read is damaged or gone, rather than out of reach for now.
    static boolean isLost(ErrorCode why) {
        return LOST.contains(why);
    }

    private record Pair(PackId pack, int number, PackId other, int otherNumber) {}

    private record Content(FrameKind kind, byte[] meta, byte[] payload) {
        boolean isLike(Content other) {
            return kind == other.kind
                    && Arrays.equals(meta, other.meta)
                    && Arrays.equals(payload, other.payload);
        }
    }

    private record Moved(PackId pack, String object) {}

    private final Set<PackId> damaged = new HashSet<>();
    private final Set<Moved> own = new HashSet<>();
    private final Map<Pair, Boolean> known = new HashMap<>();
    private final Map<ProtectedSource, PackReader> readers = new HashMap<>();
    private final Map<PackId, PackDirectory> directories = new HashMap<>();

    /// Packs in which frames were met that cannot be opened: nobody should rely on them, nor on
    /// what could be read of them.
    Set<PackId> damaged() {
        return damaged;
    }

    /// What this process read of a pack, verified, put elsewhere, and said so in an object.
    void moved(PackId pack, String object) {
        own.add(new Moved(pack, object));
    }

    /// @param place what would go
    /// @param other what would stay; where it comes from an object below `moved/`, of the same
    ///   frame
    boolean same(ProtectedSource source, Place place, Place other) {
        if (other.by().isPresent() && own.contains(new Moved(place.pack(), other.by().get()))) {
            return true;
        }
        Pair pair = new Pair(place.pack(), place.number(), other.pack(), other.number());
        Boolean before = known.get(pair);
        if (before == null) {
            PackReader reader = readers.computeIfAbsent(source, PackReader::new);
            Read there = read(reader, other);
            if (there.why.filter(SameFrames::isLost).isPresent()) {
                damaged.add(other.pack());
            }
            // Where it was put at first it is what is meant, if it opens.
            Read here = other.by().isEmpty() ? there : read(reader, place);
            before = there.isLike(here);
            if (!here.why.equals(Optional.of(ErrorCode.STORE_OBJECT_MISSING))) {
                known.put(pair, before); // else it may still be put
            }
        }
        return before;
    }

    private record Read(Optional<Content> content, Optional<ErrorCode> why) {
        /// What is damaged, or not there, has nothing to lose.
        boolean isLike(Read place) {
            return content.isPresent()
                    && place.content
                            .map(content.get()::isLike)
                            .orElseGet(() -> place.why.filter(SameFrames::isLost).isPresent());
        }
    }

    private Read read(PackReader reader, Place place) {
        try {
            PackDirectory directory = directory(reader, place.packClass(), place.pack());
            if (place.number() >= directory.entries().size()) {
                return new Read(Optional.empty(), Optional.of(ErrorCode.OBJECT_DAMAGED));
            }
            PackDirectory.Entry entry = directory.entries().get(place.number());
            FrameRef ref =
                    new FrameRef(
                            place.packClass(),
                            place.pack(),
                            place.number(),
                            entry.offset(),
                            entry.length());
            Frame frame = reader.read(ref);
            return new Read(
                    Optional.of(new Content(frame.kind(), frame.meta(), frame.toBytes())),
                    Optional.empty());
        } catch (MainstayException unread) {
            if (BegunBackup.isPassing(unread)) {
                throw unread;
            }
            return new Read(Optional.empty(), Optional.of(unread.code()));
        }
    }

    private PackDirectory directory(PackReader reader, PackClass packClass, PackId pack) {
        PackDirectory there = directories.get(pack);
        if (there == null) {
            there = reader.directory(packClass, pack);
            if (directories.size() > 8) {
                directories.clear();
            }
            directories.put(pack, there);
        }
        return there;
    }

    @Override
    public void close() {
        readers.values().forEach(PackReader::close);
    }
}
