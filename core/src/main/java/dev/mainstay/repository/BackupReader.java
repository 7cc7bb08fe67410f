package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.repository.format.WireReader;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/// Reads a backup: its entries in the order they were written, their maps, its catalog snapshot.
/// Nothing is kept but a small manifest, the last frames of maps, and that of fingerprints. Not
/// thread-safe.
public final class BackupReader implements AutoCloseable {
    /// Of the manifest, in memory; two frames of the largest size.
    private static final int KEPT = 2 << 20;

    /// Of the manifest, on their way.
    private static final long FRAMES_AHEAD = 2 << 20;

    private static final int MAP_FRAMES = 4;

    private final ProtectedSource source;
    private final CommittedBackup backup;
    private final PackRanges ranges;
    private final PackReader packs;
    private final Fingerprints fingerprints;
    private final Map<FrameRef, byte[]> kept = new HashMap<>();
    private int keptBytes;

    /// The frames of maps that were read last: unchanged files between others refer to earlier
    /// ones.
    private final Map<FrameRef, List<byte[]>> maps =
            new LinkedHashMap<>(16, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<FrameRef, List<byte[]>> eldest) {
                    return size() > MAP_FRAMES;
                }
            };

    private Optional<FrameRef> printsFrame = Optional.empty();
    private byte[] prints = {};

    BackupReader(ProtectedSource source, CommittedBackup backup) {
        this.source = source;
        this.backup = backup;
        this.ranges = new PackRanges(source.vault());
        this.packs = new PackReader(source, ranges);
        this.fingerprints = new Fingerprints(source.fingerprintSeed());
    }

    public CommittedBackup backup() {
        return backup;
    }

    /// Fetches what readers of frames open, for all threads.
    public PackRanges ranges() {
        return ranges;
    }

    /// Runs what is fetched ahead.
    public Executor beside() {
        return source.repository().ground().beside();
    }

    /// A reader of frames for another thread.
    public PackReader newPackReader() {
        return new PackReader(source, ranges);
    }

    /// Compares what is at hand with what is stored, for one thread.
    public ContentCheck newContentCheck() {
        return new ContentCheck(source);
    }

    public void entries(Consumer<ManifestEntry> each) {
        Map<FrameRef, byte[]> before = Map.copyOf(kept);
        List<FrameRef> missing =
                backup.manifest().stream().filter(ref -> !before.containsKey(ref)).toList();
        try (FetchAhead<PackRanges.Fetched> ahead = ranges.ahead(FRAMES_AHEAD, missing)) {
            for (FrameRef ref : backup.manifest()) {
                byte[] known = before.get(ref);
                byte[] bytes = known == null ? keep(ref, packs.read(ref, ahead::next)) : known;
                WireReader in = new WireReader("manifest of backup " + backup.id(), bytes);
                while (in.remaining() > 0) {
                    each.accept(ManifestEntry.read(in, this::chunks));
                }
            }
        }
    }

    /// The manifest is read more than once, and where it is small not from the store.
    private byte[] keep(FrameRef ref, Frame frame) {
        byte[] bytes = expect(ref, frame, FrameKind.MANIFEST);
        if (keptBytes + bytes.length <= KEPT) {
            kept.put(ref, bytes);
            keptBytes += bytes.length;
        }
        return bytes;
    }

    private List<ManifestEntry.ChunkRef> chunks(FrameRef list) {
        return ManifestEntry.readChunks(
                new WireReader(
                        "a list of chunks of backup " + backup.id(),
                        expect(list, FrameKind.CHUNKS)));
    }

    private byte[] expect(FrameRef ref, FrameKind kind) {
        return expect(ref, packs.read(ref), kind);
    }

    private static byte[] expect(FrameRef ref, Frame frame, FrameKind kind) {
        if (frame.kind() != kind) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "frame " + ref.number() + " of pack " + ref.pack() + " is no " + kind);
        }
        return frame.toBytes();
    }

    /// The map of a relation segment file.
    public SegmentMap map(Content.Paged paged) {
        List<byte[]> maps = maps(paged.mapFrame());
        if (paged.mapNumber() >= maps.size()) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED, "a map of backup " + backup.id() + " is missing");
        }
        return SegmentMap.read(
                new WireReader("a map of backup " + backup.id(), maps.get(paged.mapNumber())));
    }

    private List<byte[]> maps(FrameRef frame) {
        List<byte[]> known = maps.get(frame);
        if (known != null) {
            return known;
        }
        List<byte[]> read = new ArrayList<>();
        WireReader in =
                new WireReader("maps of backup " + backup.id(), expect(frame, FrameKind.MAPS));
        while (in.remaining() > 0) {
            read.add(in.bytes());
        }
        maps.put(frame, read);
        return read;
    }

    /// What tells the pages of a relation segment file.
    public PagePrints pagePrints(ManifestEntry.Prints wanted, int pages) {
        return new PagePrints(fingerprints, fingerprints(wanted, pages));
    }

    /// The fingerprints of a relation segment file, one for each page.
    long[] fingerprints(ManifestEntry.Prints wanted, int pages) {
        if (!printsFrame.equals(Optional.of(wanted.frame()))) {
            prints = expect(wanted.frame(), FrameKind.FINGERPRINTS);
            printsFrame = Optional.of(wanted.frame());
        }
        if (wanted.offset() + 8L * pages > prints.length) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "fingerprints of backup " + backup.id() + " are incomplete");
        }
        long[] values = new long[pages];
        for (int i = 0; i < pages; i++) {
            values[i] = Bytes.getLong(prints, wanted.offset() + i * 8);
        }
        return values;
    }

    /// The catalog snapshot's JSON lines, in parts of whole lines.
    public void catalog(Consumer<byte[]> each) {
        for (FrameRef ref : backup.catalog()) {
            each.accept(expect(ref, FrameKind.CATALOG));
        }
    }

    @Override
    public void close() {
        packs.close();
    }
}
