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
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Reads a backup: its entries in the order they were written, their maps, its catalog snapshot.
/// Nothing is kept but the last frame of maps and of fingerprints. Not thread-safe.
public final class BackupReader implements AutoCloseable {
    private final ProtectedSource source;
    private final CommittedBackup backup;
    private final PackReader packs;
    private final Fingerprints fingerprints;
    private Optional<FrameRef> mapFrame = Optional.empty();
    private List<byte[]> maps = List.of();
    private Optional<FrameRef> printsFrame = Optional.empty();
    private byte[] prints = {};

    BackupReader(ProtectedSource source, CommittedBackup backup) {
        this.source = source;
        this.backup = backup;
        this.packs = new PackReader(source);
        this.fingerprints = new Fingerprints(source.fingerprintSeed());
    }

    public CommittedBackup backup() {
        return backup;
    }

    /// A reader of frames for another thread.
    public PackReader newPackReader() {
        return new PackReader(source);
    }

    /// Compares what is at hand with what is stored, for one thread.
    public ContentCheck newContentCheck() {
        return new ContentCheck(source);
    }

    public void entries(Consumer<ManifestEntry> each) {
        for (FrameRef ref : backup.manifest()) {
            byte[] bytes = expect(ref, FrameKind.MANIFEST);
            WireReader in = new WireReader("manifest of backup " + backup.id(), bytes);
            while (in.remaining() > 0) {
                each.accept(ManifestEntry.read(in, this::chunks));
            }
        }
    }

    private List<ManifestEntry.ChunkRef> chunks(FrameRef list) {
        return ManifestEntry.readChunks(
                new WireReader(
                        "a list of chunks of backup " + backup.id(),
                        expect(list, FrameKind.CHUNKS)));
    }

    private byte[] expect(FrameRef ref, FrameKind kind) {
        Frame frame = packs.read(ref);
        if (frame.kind() != kind) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "frame " + ref.number() + " of pack " + ref.pack() + " is no " + kind);
        }
        return frame.toBytes();
    }

    /// The map of a relation segment file.
    public SegmentMap map(Content.Paged paged) {
        if (!mapFrame.equals(Optional.of(paged.mapFrame()))) {
            List<byte[]> read = new ArrayList<>();
            WireReader in =
                    new WireReader(
                            "maps of backup " + backup.id(),
                            expect(paged.mapFrame(), FrameKind.MAPS));
            while (in.remaining() > 0) {
                read.add(in.bytes());
            }
            maps = read;
            mapFrame = Optional.of(paged.mapFrame());
        }
        if (paged.mapNumber() >= maps.size()) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED, "a map of backup " + backup.id() + " is missing");
        }
        return SegmentMap.read(
                new WireReader("a map of backup " + backup.id(), maps.get(paged.mapNumber())));
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
