package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.ExpectedFrames.Expected;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackBuilder;
import dev.mainstay.repository.format.PackDirectory;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.repository.format.WireReader;
import dev.mainstay.repository.format.WireWriter;
import dev.mainstay.storage.ObjectStore;

import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.function.Function;

/// Reads a pack once from front to back: its bytes against its name, every frame opened and read as
/// what it says it is, the directory against the frames, and everything that backups expect of
/// them. Keeps a few frames in memory. Not thread-safe.
final class PackCheck implements AutoCloseable {
    private static final int FETCH = 4 << 20;

    private final ObjectStore store;
    private final Function<ObjectHeader, Optional<Vault>> vaults;
    private final BiPredicate<ChunkId, Frame> chunks;
    private final FrameCoder coder = new FrameCoder(Vault.SMALL_LEVEL);
    private final MessageDigest sha = Bytes.sha256();
    private byte[] buffer = new byte[FETCH * 2];
    private int start;
    private int end;
    private long fetched;
    private final List<Expected> misplaced = new ArrayList<>();
    private String name = "";
    private long size;
    private long frames;

    /// @param vaults what opens objects with this header; empty where there is no key
    /// @param chunks whether a frame's payload has this id; true where that cannot be known
    PackCheck(
            ObjectStore store,
            Function<ObjectHeader, Optional<Vault>> vaults,
            BiPredicate<ChunkId, Frame> chunks) {
        this.store = store;
        this.vaults = vaults;
        this.chunks = chunks;
    }

    long frames() {
        return frames;
    }

    /// Frames that are said to have moved into the pack that was checked last, and have not.
    List<Expected> misplaced() {
        return List.copyOf(misplaced);
    }

    /// Checks a pack.
    ///
    /// @return what is wrong with it, if anything
    Optional<MainstayException> check(
            String packName, PackId id, long sizeBytes, List<Expected> expected) {
        name = packName;
        size = sizeBytes;
        start = 0;
        end = 0;
        fetched = 0;
        misplaced.clear();
        sha.reset();
        Optional<MainstayException> wrong = Optional.empty();
        try {
            readContent(expected);
        } catch (MainstayException broken) {
            if (broken.code() == ErrorCode.STORE_UNAVAILABLE) {
                throw broken;
            }
            wrong = Optional.of(broken);
        }
        if (wrong.isEmpty() && !Arrays.equals(hash(), id.sha256())) {
            wrong =
                    Optional.of(
                            new MainstayException(
                                    ErrorCode.OBJECT_DAMAGED,
                                    "pack " + name + " does not have the hash it is named after"));
        }
        return wrong;
    }

    /// What can be said without a key: that the bytes are those of the name.
    static boolean hasItsHash(ObjectStore store, String name, PackId id, long sizeBytes) {
        try (PackCheck check = new PackCheck(store, _ -> Optional.empty(), (_, _) -> true)) {
            check.name = name;
            check.size = sizeBytes;
            return Arrays.equals(check.hash(), id.sha256());
        }
    }

    private byte[] hash() {
        while (fetched < size) {
            start = 0;
            end = 0;
            fetch();
        }
        return sha.digest();
    }

    private void fetch() {
        int length = (int) Math.min(FETCH, size - fetched);
        byte[] bytes = store.get(name, fetched, length);
        sha.update(bytes);
        System.arraycopy(bytes, 0, buffer, end, length);
        end += length;
        fetched += length;
    }

    /// Makes the next `length` bytes stand at `start`.
    private void ensure(int length) {
        if (buffer.length - start < length + FETCH) {
            byte[] roomy = length + FETCH > buffer.length ? new byte[length + 2 * FETCH] : buffer;
            System.arraycopy(buffer, start, roomy, 0, end - start);
            buffer = roomy;
            end -= start;
            start = 0;
        }
        while (end - start < length) {
            if (fetched == size) {
                throw new MainstayException(
                        ErrorCode.PACK_TRUNCATED, "pack " + name + " ends early");
            }
            fetch();
        }
    }

    private void readContent(List<Expected> expected) {
        if (size < ObjectHeader.SIZE + PackBuilder.TRAILER) {
            throw new MainstayException(
                    ErrorCode.PACK_TRUNCATED, "pack " + name + " is only " + size + " bytes long");
        }
        ensure(ObjectHeader.SIZE);
        ObjectHeader header =
                ObjectHeader.read(
                        name,
                        ObjectType.PACK,
                        Arrays.copyOfRange(buffer, start, start + ObjectHeader.SIZE));
        start += ObjectHeader.SIZE;
        byte[] last = store.get(name, size - PackBuilder.TRAILER, PackBuilder.TRAILER);
        PackDirectory.Trailer trailer = PackDirectory.Trailer.read(name, last, size);
        Optional<Vault> vault = vaults.apply(header);
        if (vault.isEmpty()) {
            return; // the hash is all that can be checked; who lacks the key is told elsewhere
        }
        ObjectSeal seal = vault.get().openSeal(name, header);
        WireWriter listing = readFrames(seal, trailer, expected);
        readDirectory(seal, trailer, listing);
    }

    private WireWriter readFrames(
            ObjectSeal seal, PackDirectory.Trailer trailer, List<Expected> expected) {
        Map<Integer, List<Expected>> byNumber = new HashMap<>();
        expected.forEach(
                each ->
                        byNumber.computeIfAbsent(each.at().number(), _ -> new ArrayList<>())
                                .add(each));
        WireWriter listing = new WireWriter(4096);
        int number = 0;
        for (long at = ObjectHeader.SIZE; at < trailer.offset(); number++) {
            ensure(4);
            long length = 4L + Bytes.getInt(buffer, start);
            if (length < FrameCoder.OVERHEAD || length > trailer.offset() - at) {
                throw new MainstayException(
                        ErrorCode.OBJECT_DAMAGED,
                        "frame " + number + " of pack " + name + " has an impossible length");
            }
            ensure((int) length);
            Frame frame = coder.open(name, seal, number, at, buffer, start, (int) length);
            judge(number, frame);
            for (Expected each : byNumber.getOrDefault(number, List.of())) {
                compare(each, at, (int) length, frame);
            }
            byNumber.remove(number);
            listing.u8(frame.kind().number()).varint(length).bytes(frame.meta());
            start += (int) length;
            at += length;
            frames++;
        }
        for (List<Expected> beyond : byNumber.values()) {
            beyond.removeIf(each -> each.hasMoved() && misplaced.add(each));
        }
        if (number != trailer.frames()
                || byNumber.values().stream().anyMatch(beyond -> !beyond.isEmpty())) {
            throw new MainstayException(
                    ErrorCode.PACK_FORGED,
                    "pack "
                            + name
                            + " has "
                            + number
                            + " frames, not those that its directory and its users name");
        }
        return listing;
    }

    private void readDirectory(ObjectSeal seal, PackDirectory.Trailer trailer, WireWriter listing) {
        ensure(trailer.length());
        byte[] frame = Arrays.copyOfRange(buffer, start, start + trailer.length());
        PackDirectory.read(name, seal, trailer, frame, coder);
        Frame opened =
                coder.open(name, seal, trailer.frames(), trailer.offset(), frame, 0, frame.length);
        if (!Arrays.equals(opened.toBytes(), listing.toBytes())) {
            throw new MainstayException(
                    ErrorCode.PACK_FORGED,
                    "the directory of pack " + name + " does not describe its frames");
        }
    }

    /// Reads a frame's content as what its kind says.
    private void judge(int number, Frame frame) {
        String what = "frame " + number + " of pack " + name;
        WireReader in = new WireReader(what, frame.payload(), 0, frame.length());
        switch (frame.kind()) {
            case PAGES -> {
                PageList list = PageList.read(what, frame.meta());
                if ((long) list.blocks().length * list.blockSizeBytes() != frame.length()) {
                    throw in.malformed("it holds other pages than it lists");
                }
            }
            case CHUNK -> {
                if (frame.meta().length != 32 || !chunks.test(new ChunkId(frame.meta()), frame)) {
                    throw in.malformed("it is not the chunk it is named after");
                }
            }
            case MAPS -> {
                while (in.remaining() > 0) {
                    SegmentMap.read(new WireReader(what, in.bytes()));
                }
            }
            case FINGERPRINTS -> {
                if (frame.length() % 8 != 0) {
                    throw in.malformed("it ends within a fingerprint");
                }
            }
            case MANIFEST -> {
                while (in.remaining() > 0) {
                    ManifestEntry.read(in, _ -> List.of());
                }
            }
            case CHUNKS -> ManifestEntry.readChunks(in);
            case CATALOG -> catalog(what, frame);
            case DIRECTORY, BODY, DATA -> {}
        }
    }

    private static void catalog(String what, Frame frame) {
        byte[] lines = frame.toBytes();
        int from = 0;
        for (int at = 0; at <= lines.length; at++) {
            if (at == lines.length || lines[at] == '\n') {
                if (at > from) {
                    Json.parse(what, Arrays.copyOfRange(lines, from, at));
                }
                from = at + 1;
            }
        }
    }

    /// Whether a frame is the one that somebody refers to.
    static boolean agrees(Expected expected, Frame frame) {
        if (frame.kind() != expected.kind()) {
            return false;
        }
        byte[] check = expected.check();
        return switch (frame.kind()) {
            case PAGES -> {
                Digest128 digest = Digest128.of(frame.payload(), 0, frame.length());
                int[] blocks = PageList.read("page list", frame.meta()).blocks();
                yield Bytes.getLong(check, 0) == digest.high()
                        && Bytes.getLong(check, 8) == digest.low()
                        && blocks.length == expected.count()
                        && Arrays.binarySearch(blocks, expected.firstBlock()) >= 0
                        && Arrays.binarySearch(blocks, expected.lastBlock()) >= 0;
            }
            case CHUNK -> Arrays.equals(check, frame.meta()) && frame.length() == expected.count();
            case FINGERPRINTS -> frame.length() >= expected.count();
            case MAPS, MANIFEST, CHUNKS, CATALOG, DIRECTORY, BODY, DATA -> true;
        };
    }

    private void compare(Expected expected, long offset, int length, Frame frame) {
        if (expected.at().offset() != offset
                || expected.at().length() != length
                || !agrees(expected, frame)) {
            if (expected.hasMoved()) {
                misplaced.add(expected);
                return;
            }
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "frame "
                            + expected.at().number()
                            + " of pack "
                            + name
                            + " is not the one that is referred to");
        }
    }

    static Expected pages(SegmentMap.MappedFrame frame, int first, int last, int origin) {
        WireWriter digest = new WireWriter(16);
        digest.u64(frame.digest().high()).u64(frame.digest().low());
        return new Expected(
                frame.ref(), FrameKind.PAGES, frame.pages(), first, last, digest.toBytes(), origin);
    }

    @Override
    public void close() {
        coder.close();
    }
}
