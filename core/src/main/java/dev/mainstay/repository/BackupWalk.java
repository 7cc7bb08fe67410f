package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.ExpectedFrames.Expected;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.repository.format.WireReader;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Walks manifests and maps of a source's backups and tells every frame they refer to. A map that
/// several backups share is read once. What cannot be read is told and passed over. Not
/// thread-safe.
final class BackupWalk implements AutoCloseable {
    /// A frame of a manifest or of maps that could not be read.
    record Unread(FrameRef ref, MainstayException why) {}

    /// Is told of files of which something is lost.
    interface Losses {
        /// @param blocks pages that are gone; empty where nobody can tell, or it has none
        void lost(String path, BitSet blocks);
    }

    private static final class SharedMaps {
        final BitSet visited = new BitSet();
        final Map<Integer, Set<PackId>> spoilt = new HashMap<>();
        final Map<Integer, BitSet> lost = new HashMap<>();
    }

    private final PackReader packs;
    private final Consumer<Expected> each;
    private final Predicate<FrameRef> spoilt;
    private final Consumer<Unread> unread;
    private final Map<FrameRef, SharedMaps> seen = new HashMap<>();
    private Optional<FrameRef> lastMapFrame = Optional.empty();
    private List<byte[]> lastMaps = List.of();
    private Optional<FrameRef> lastNeeded = Optional.empty();
    private int origin;
    private Losses losses = (_, _) -> {};
    private Set<PackId> lost = Set.of();
    private boolean listLost;

    /// @param each receives every frame referred to, some several times
    /// @param spoilt which frames are known to be damaged or missing
    BackupWalk(
            ProtectedSource source,
            Consumer<Expected> each,
            Predicate<FrameRef> spoilt,
            Consumer<Unread> unread) {
        this.packs = new PackReader(source);
        this.each = each;
        this.spoilt = spoilt;
        this.unread = unread;
    }

    /// As the other, telling each file of which something is lost.
    Set<PackId> walk(CommittedBackup backup, int originMark, Losses told) {
        losses = told;
        try {
            return walk(backup, originMark);
        } finally {
            losses = (_, _) -> {};
        }
    }

    /// @param originMark what expectations are marked with
    /// @return the packs that a restore needs and cannot have, or not wholly
    Set<PackId> walk(CommittedBackup backup, int originMark) {
        origin = originMark;
        lost = new HashSet<>();
        lastNeeded = Optional.empty();
        for (FrameRef ref : backup.manifest()) {
            need(plain(ref, FrameKind.MANIFEST, 0));
            manifest(ref);
        }
        for (FrameRef ref : backup.catalog()) {
            each.accept(plain(ref, FrameKind.CATALOG, 0));
        }
        return lost;
    }

    private Expected plain(FrameRef ref, FrameKind kind, int count) {
        return new Expected(ref, kind, count, 0, 0, new byte[0], origin);
    }

    private void need(Expected expected) {
        if (spoilt.test(expected.ref())) {
            lost.add(expected.ref().pack());
        }
        each.accept(expected);
    }

    private void manifest(FrameRef ref) {
        try {
            byte[] bytes = read(ref, FrameKind.MANIFEST);
            WireReader in = new WireReader("a manifest", bytes);
            while (in.remaining() > 0) {
                listLost = false;
                entry(ManifestEntry.read(in, this::chunks));
            }
        } catch (MainstayException broken) {
            passOver(ref, broken);
        }
    }

    private List<ManifestEntry.ChunkRef> chunks(FrameRef list) {
        need(plain(list, FrameKind.CHUNKS, 0));
        try {
            return ManifestEntry.readChunks(
                    new WireReader("a list of chunks", read(list, FrameKind.CHUNKS)));
        } catch (MainstayException broken) {
            passOver(list, broken);
            listLost = true;
            return List.of();
        }
    }

    private void passOver(FrameRef ref, MainstayException broken) {
        if (broken.code() == ErrorCode.STORE_UNAVAILABLE) {
            throw broken;
        }
        lost.add(ref.pack());
        unread.accept(new Unread(ref, broken));
    }

    private byte[] read(FrameRef ref, FrameKind kind) {
        Frame frame = packs.read(ref);
        if (frame.kind() != kind) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "frame " + ref.number() + " of pack " + ref.pack() + " is no " + kind);
        }
        return frame.toBytes();
    }

    private void entry(ManifestEntry entry) {
        switch (entry.content()) {
            case Content.Directory _, Content.Link _ -> {}
            case Content.Chunked chunked -> {
                long size = 0;
                boolean whole = !listLost;
                for (ManifestEntry.ChunkRef chunk : chunked.chunks()) {
                    need(chunk(chunk, origin));
                    whole &= !spoilt.test(chunk.frame());
                    size += chunk.lengthBytes();
                }
                if (!whole) {
                    losses.lost(entry.path(), new BitSet());
                }
                if (!listLost) {
                    requireSize(entry, size);
                }
            }
            case Content.Paged paged -> {
                try {
                    paged(entry, paged);
                } catch (MainstayException broken) {
                    losses.lost(entry.path(), new BitSet());
                    passOver(paged.mapFrame(), broken);
                }
            }
        }
    }

    static Expected chunk(ManifestEntry.ChunkRef chunk, int origin) {
        return new Expected(
                chunk.frame(),
                FrameKind.CHUNK,
                chunk.lengthBytes(),
                0,
                0,
                chunk.id().bytes(),
                origin);
    }

    private static void requireSize(ManifestEntry entry, long size) {
        if (entry.sizeBytes() != size) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "the content of " + entry.path() + " has another size than its entry says");
        }
    }

    private void paged(ManifestEntry entry, Content.Paged paged) {
        FrameRef mapFrame = paged.mapFrame();
        if (!lastNeeded.equals(Optional.of(mapFrame))) {
            need(plain(mapFrame, FrameKind.MAPS, 0));
            lastNeeded = Optional.of(mapFrame);
        }
        SharedMaps shared = seen.computeIfAbsent(mapFrame, _ -> new SharedMaps());
        int number = paged.mapNumber();
        if (!shared.visited.get(number)) {
            shared.visited.set(number);
            SegmentMap map = map(mapFrame, number);
            requireSize(entry, (long) map.pageCount() * map.blockSizeBytes());
            Set<PackId> gone = frames(map);
            if (!gone.isEmpty()) {
                shared.spoilt.put(number, gone);
                shared.lost.put(number, blocks(map));
            }
            paged.prints().ifPresent(prints -> fingerprints(prints, map.pageCount()));
        }
        lost.addAll(shared.spoilt.getOrDefault(number, Set.of()));
        BitSet blocks = shared.lost.get(number);
        if (blocks != null) {
            losses.lost(entry.path(), blocks);
        }
    }

    private BitSet blocks(SegmentMap map) {
        BitSet blocks = new BitSet();
        for (int page = 0; page < map.pageCount(); page++) {
            if (spoilt.test(map.frames().get(map.frameOf()[page]).ref())) {
                blocks.set(page);
            }
        }
        return blocks;
    }

    private void fingerprints(ManifestEntry.Prints prints, int pages) {
        each.accept(plain(prints.frame(), FrameKind.FINGERPRINTS, prints.offset() + 8 * pages));
    }

    private SegmentMap map(FrameRef mapFrame, int number) {
        if (!lastMapFrame.equals(Optional.of(mapFrame))) {
            List<byte[]> maps = new ArrayList<>();
            WireReader in = new WireReader("maps", read(mapFrame, FrameKind.MAPS));
            while (in.remaining() > 0) {
                maps.add(in.bytes());
            }
            lastMaps = maps;
            lastMapFrame = Optional.of(mapFrame);
        }
        if (number >= lastMaps.size()) {
            throw new MainstayException(ErrorCode.OBJECT_DAMAGED, "a map is missing");
        }
        return SegmentMap.read(new WireReader("a map", lastMaps.get(number)));
    }

    private Set<PackId> frames(SegmentMap map) {
        int[] first = new int[map.frames().size()];
        int[] last = new int[map.frames().size()];
        Arrays.fill(first, -1);
        for (int page = 0; page < map.pageCount(); page++) {
            int frame = map.frameOf()[page];
            if (first[frame] < 0) {
                first[frame] = page;
            }
            last[frame] = page;
        }
        Set<PackId> gone = new HashSet<>();
        for (int i = 0; i < first.length; i++) {
            SegmentMap.MappedFrame frame = map.frames().get(i);
            if (first[i] >= 0) {
                each.accept(PackCheck.pages(frame, first[i], last[i], origin));
                if (spoilt.test(frame.ref())) {
                    gone.add(frame.ref().pack());
                }
            }
        }
        return gone;
    }

    @Override
    public void close() {
        packs.close();
    }
}
