package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.repository.format.WireReader;
import dev.mainstay.repository.format.WireWriter;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// Where the chunks of a source's other files are: immutable sorted pieces, one for each backup
/// that stored new chunks (docs/format.md section 10). Read from sealed objects only, so that a
/// forged entry cannot make a backup skip what it should store.
final class ChunkIndex {
    /// u32 number, u64 offset, u32 length, u32 pack, u32 chunk length after the 32-byte id.
    private static final int ENTRY = 32 + 4 + 8 + 4 + 4 + 4;

    private record Piece(List<PackId> packs, byte[] bytes, int start, int count) {
        Optional<ChunkRef> find(ChunkId id) {
            int low = 0;
            int high = count - 1;
            while (low <= high) {
                int middle = (low + high) >>> 1;
                int at = start + middle * ENTRY;
                int order = java.util.Arrays.compareUnsigned(bytes, at, at + 32, id.bytes(), 0, 32);
                if (order == 0) {
                    return Optional.of(entry(at));
                }
                if (order < 0) {
                    low = middle + 1;
                } else {
                    high = middle - 1;
                }
            }
            return Optional.empty();
        }

        ChunkRef entry(int at) {
            FrameRef frame =
                    new FrameRef(
                            PackClass.FILES,
                            packs.get(Bytes.getInt(bytes, at + 48)),
                            Bytes.getInt(bytes, at + 32),
                            Bytes.getLong(bytes, at + 36),
                            Bytes.getInt(bytes, at + 44));
            ChunkId id = new ChunkId(java.util.Arrays.copyOfRange(bytes, at, at + 32));
            return new ChunkRef(id, Bytes.getInt(bytes, at + 52), frame);
        }
    }

    /// Pieces that are fetched at once.
    private static final int AHEAD = 8;

    private static final long AHEAD_BYTES = 16 << 20;

    private final List<Piece> pieces = new ArrayList<>();
    private final AbsentFrames absent;

    private ChunkIndex(AbsentFrames absent) {
        this.absent = absent;
    }

    /// @param backups whose pieces count
    /// @param absent what is never found
    static ChunkIndex read(
            ProtectedSource source, List<CommittedBackup> backups, AbsentFrames absent) {
        return read(
                source,
                backups,
                absent,
                (_, damaged) -> {
                    throw damaged;
                });
    }

    /// As far as its pieces can be read.
    static ChunkIndex readable(ProtectedSource source) {
        return read(
                source,
                source.backups(),
                new AbsentFrames(Set.of(), KnownLoss.NONE),
                (_, damaged) -> {
                    if (BegunBackup.isPassing(damaged)) {
                        throw damaged;
                    }
                });
    }

    private static ChunkIndex read(
            ProtectedSource source,
            List<CommittedBackup> backups,
            AbsentFrames absent,
            BiConsumer<String, MainstayException> damaged) {
        ChunkIndex index = new ChunkIndex(absent);
        Vault vault = source.vault();
        Set<String> committed = new HashSet<>();
        backups.forEach(backup -> committed.add(backup.id().text()));
        String prefix = Names.index(source.id());
        List<StoredObject> pieces = new ArrayList<>();
        Listing.forEach(
                vault.store,
                prefix,
                object -> {
                    if (committed.contains(object.name().substring(prefix.length()))) {
                        pieces.add(object); // what another backup put may vanish with it
                    }
                });
        try (FetchAhead<Optional<byte[]>> objects = fetch(vault, pieces)) {
            for (StoredObject each : pieces) {
                Optional<byte[]> bytes = objects.next();
                if (bytes.isPresent()) { // else that backup expired meanwhile
                    index.add(vault, each.name(), bytes.get(), damaged);
                }
            }
        }
        return index;
    }

    private static FetchAhead<Optional<byte[]>> fetch(Vault vault, List<StoredObject> pieces) {
        return new FetchAhead<>(
                vault.ground.beside(),
                AHEAD,
                AHEAD_BYTES,
                pieces.stream()
                        .map(
                                each ->
                                        new FetchAhead.Fetch<>(
                                                each.sizeBytes(), () -> vault.find(each.name())))
                        .iterator());
    }

    private void add(
            Vault vault,
            String name,
            byte[] object,
            BiConsumer<String, MainstayException> damaged) {
        try {
            for (SealedObject.Part part : vault.open(name, ObjectType.INDEX, object)) {
                pieces.add(piece(name, part.payload()));
            }
        } catch (MainstayException broken) {
            damaged.accept(name, broken);
        }
    }

    private static Piece piece(String name, byte[] payload) {
        WireReader in = new WireReader("index " + name, payload);
        List<PackId> packs = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) {
            packs.add(new PackId(in.raw(32)));
        }
        int count = in.count();
        if ((long) count * ENTRY != in.remaining()) {
            throw in.malformed("entry count");
        }
        Piece piece = new Piece(packs, payload, in.position(), count);
        for (int i = 0; i < count; i++) {
            int pack = Bytes.getInt(payload, piece.start + i * ENTRY + 48);
            if (pack < 0 || pack >= packs.size()) {
                throw in.malformed("unknown pack");
            }
        }
        return piece;
    }

    /// Everything a piece says.
    ///
    /// @throws MainstayException if the piece cannot be read
    static void entries(Vault vault, String name, Consumer<ChunkRef> each) {
        entries(vault, name, vault.get(name), each);
    }

    static void entries(Vault vault, String name, byte[] object, Consumer<ChunkRef> each) {
        for (SealedObject.Part part : vault.open(name, ObjectType.INDEX, object)) {
            Piece piece = piece(name, part.payload());
            for (int i = 0; i < piece.count; i++) {
                int at = piece.start + i * ENTRY;
                each.accept(piece.entry(at));
            }
        }
    }

    Optional<ChunkRef> find(ChunkId id) {
        for (int i = pieces.size() - 1; i >= 0; i--) {
            Optional<ChunkRef> found = pieces.get(i).find(id);
            if (found.isPresent() && !absent.contains(found.get().frame())) {
                return found;
            }
        }
        return Optional.empty();
    }

    /// Where a chunk was that is lost there.
    List<FrameRef> lost(ChunkId id) {
        return absent.lost().isEmpty()
                ? List.of()
                : pieces.stream()
                        .flatMap(piece -> piece.find(id).stream())
                        .map(ChunkRef::frame)
                        .filter(absent.lost()::contains)
                        .toList();
    }

    /// Puts the piece of a backup's new chunks; nothing if there are none.
    static void write(ProtectedSource source, BackupId backup, List<ChunkRef> chunks) {
        if (chunks.isEmpty()) {
            return;
        }
        String name = Names.index(source.id()) + backup;
        if (source.vault().put(name, piece(source, chunks)) == PutOutcome.EXISTED) {
            throw new MainstayException(
                    ErrorCode.STORE_OBJECT_EXISTS, "index piece " + name + " exists already");
        }
    }

    /// The object of a piece.
    static byte[] piece(ProtectedSource source, Collection<ChunkRef> chunks) {
        List<ChunkRef> sorted = new ArrayList<>(chunks);
        sorted.sort(Comparator.comparing(ChunkRef::id));
        Vault vault = source.vault();
        try (FrameCoder coder = new FrameCoder(Vault.SMALL_LEVEL)) {
            int perFrame = FrameCoder.MAX_PAYLOAD / 2 / ENTRY;
            List<SealedObject.Part> parts = new ArrayList<>();
            for (int from = 0; from < sorted.size(); from += perFrame) {
                List<ChunkRef> some =
                        sorted.subList(from, Math.min(sorted.size(), from + perFrame));
                parts.add(new SealedObject.Part(FrameKind.BODY, new byte[0], encode(some)));
            }
            return SealedObject.write(coder, vault.newSeal(ObjectType.INDEX), parts);
        }
    }

    private static byte[] encode(List<ChunkRef> chunks) {
        Map<PackId, Integer> packs = new LinkedHashMap<>();
        chunks.forEach(chunk -> packs.putIfAbsent(chunk.frame().pack(), packs.size()));
        WireWriter out = new WireWriter(chunks.size() * ENTRY + packs.size() * 32 + 16);
        out.varint(packs.size());
        packs.keySet().forEach(pack -> out.raw(pack.sha256()));
        out.varint(chunks.size());
        for (ChunkRef chunk : chunks) {
            FrameRef frame = chunk.frame();
            out.raw(chunk.id().bytes())
                    .u32(frame.number())
                    .u64(frame.offset())
                    .u32(frame.length())
                    .u32(java.util.Objects.requireNonNull(packs.get(frame.pack())))
                    .u32(chunk.lengthBytes());
        }
        return out.toBytes();
    }
}
