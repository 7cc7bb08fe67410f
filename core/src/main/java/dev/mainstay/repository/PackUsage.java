package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Which packs the backups of a source need, and which of them one backup alone needs, and so would
/// free if it went. A manifest is read for each backup; maps, which are most of what there is to
/// read, once however many backups share them.
///
/// Memory: 4 bytes for each map and some 100 for each pack.
public final class PackUsage {
    private static final int NOBODY = -2;
    private static final int SEVERAL = -1;

    private final ProtectedSource source;
    private final MovedFrames moved;
    private final Map<PackId, Integer> owners = new HashMap<>();
    private final Map<FrameRef, int[]> maps = new LinkedHashMap<>();
    private final List<BackupId> backups = new ArrayList<>();

    private PackUsage(ProtectedSource source) {
        this.source = source;
        this.moved = MovedFrames.readable(source.repository(), List.of(source));
    }

    /// @param backups of this source
    /// @throws MainstayException if something that they need cannot be read
    public static PackUsage read(ProtectedSource source, List<CommittedBackup> backups) {
        PackUsage usage = new PackUsage(source);
        try (PackReader packs = new PackReader(source)) {
            for (CommittedBackup backup : backups) {
                usage.backups.add(backup.id());
                usage.manifest(packs, backup, usage.backups.size() - 1);
            }
            for (Map.Entry<FrameRef, int[]> frame : usage.maps.entrySet()) {
                usage.maps(packs, frame.getKey(), frame.getValue());
            }
        }
        usage.maps.clear();
        return usage;
    }

    /// Packs that any of the backups needs.
    public Amount needed(Map<PackId, Long> sizes) {
        return sizes.entrySet().stream()
                .filter(pack -> needs(pack.getKey()))
                .map(pack -> new Amount(1, pack.getValue()))
                .reduce(Amount.NONE, Amount::plus);
    }

    /// Packs that one backup alone needs, for each that has such.
    public Map<BackupId, Amount> alone(Map<PackId, Long> sizes) {
        Map<BackupId, Amount> alone = new HashMap<>();
        sizes.forEach(
                (pack, size) -> {
                    int owner = owners.getOrDefault(pack, SEVERAL);
                    if (owner >= 0) {
                        alone.merge(backups.get(owner), new Amount(1, size), Amount::plus);
                    }
                });
        return alone;
    }

    /// Whether any of the backups needs a pack.
    public boolean needs(PackId pack) {
        return owners.containsKey(pack);
    }

    private static int both(int one, int other) {
        return one == NOBODY || one == other ? other : SEVERAL;
    }

    /// Where a frame was put, and where it is now if it has moved.
    private void needs(FrameRef ref, int owner) {
        owners.merge(ref.pack(), owner, PackUsage::both);
        if (moved.involves(ref.pack())) {
            moved.everywhere(ref)
                    .forEach(place -> owners.merge(place.pack(), owner, PackUsage::both));
        }
    }

    private void manifest(PackReader packs, CommittedBackup backup, int owner) {
        backup.catalog().forEach(ref -> needs(ref, owner));
        for (FrameRef ref : backup.manifest()) {
            needs(ref, owner);
            WireReader in = new WireReader("a manifest", payload(packs, ref, FrameKind.MANIFEST));
            while (in.remaining() > 0) {
                entry(ManifestEntry.read(in, list -> chunks(packs, list, owner)), owner);
            }
        }
        String index = Names.index(source.id()) + backup.id();
        if (source.vault().store.size(index).isPresent()) {
            ChunkIndex.entries(source.vault(), index, chunk -> needs(chunk.frame(), owner));
        }
    }

    private List<ManifestEntry.ChunkRef> chunks(PackReader packs, FrameRef list, int owner) {
        needs(list, owner);
        byte[] payload = payload(packs, list, FrameKind.CHUNKS);
        return ManifestEntry.readChunks(new WireReader("a list of chunks", payload));
    }

    private void entry(ManifestEntry entry, int owner) {
        switch (entry.content()) {
            case Content.Directory _, Content.Link _ -> {}
            case Content.Chunked chunked ->
                    chunked.chunks().forEach(chunk -> needs(chunk.frame(), owner));
            case Content.Paged paged -> {
                needs(paged.mapFrame(), owner);
                paged.prints().ifPresent(prints -> needs(prints.frame(), owner));
                int number = paged.mapNumber();
                int[] known = maps.computeIfAbsent(paged.mapFrame(), _ -> nobody(number + 1));
                if (number >= known.length) {
                    int[] longer = nobody(Math.max(2 * known.length, number + 1));
                    System.arraycopy(known, 0, longer, 0, known.length);
                    maps.put(paged.mapFrame(), longer);
                    known = longer;
                }
                known[number] = both(known[number], owner);
            }
        }
    }

    private static int[] nobody(int length) {
        int[] owners = new int[length];
        Arrays.fill(owners, NOBODY);
        return owners;
    }

    private void maps(PackReader packs, FrameRef ref, int[] mapOwners) {
        WireReader in = new WireReader("maps", payload(packs, ref, FrameKind.MAPS));
        for (int number = 0; number < mapOwners.length && in.remaining() > 0; number++) {
            byte[] bytes = in.bytes();
            if (mapOwners[number] != NOBODY) {
                SegmentMap map = SegmentMap.read(new WireReader("a map", bytes));
                int[] live = map.livePages();
                for (int frame = 0; frame < live.length; frame++) {
                    if (live[frame] > 0) {
                        needs(map.frames().get(frame).ref(), mapOwners[number]);
                    }
                }
            }
        }
    }

    private static byte[] payload(PackReader packs, FrameRef ref, FrameKind kind) {
        Frame frame = packs.read(ref);
        if (frame.kind() != kind) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "frame " + ref.number() + " of pack " + ref.pack() + " is no " + kind);
        }
        return frame.toBytes();
    }
}
