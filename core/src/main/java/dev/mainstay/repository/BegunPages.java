package dev.mainstay.repository;

import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.repository.format.WireReader;
import dev.mainstay.repository.format.WireWriter;
import dev.mainstay.storage.ObjectStore;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/// What backups that were begun and not finished have stored: relation files by path, chunks by
/// name. An object that is damaged or gone costs only what it would have saved.
final class BegunPages implements AutoCloseable {
    private final BegunBackup backup;
    private final AbsentFrames absent;
    private final PathTable files = new PathTable("the list of files of a backup that was begun");
    private final Map<ChunkId, ChunkRef> chunks = new HashMap<>();
    private final Map<String, Boolean> there = new ConcurrentHashMap<>();
    private final ObjectStore store;

    private BegunPages(ProtectedSource source, BegunBackup backup, AbsentFrames absent) {
        this.store = source.vault().store;
        this.backup = backup;
        this.absent = absent;
    }

    static BegunPages read(ProtectedSource source, BegunBackup backup, AbsentFrames absent) {
        BegunPages begun = new BegunPages(source, backup, absent);
        Vault vault = source.vault();
        for (String name : backup.objects()) {
            try {
                for (SealedObject.Part part :
                        vault.open(name, ObjectType.PROGRESS, vault.get(name))) {
                    begun.add(name, part);
                }
            } catch (MainstayException unreadable) {
                if (BegunBackup.isPassing(unreadable)) {
                    throw unreadable;
                }
            }
        }
        begun.files.complete();
        return begun;
    }

    private void add(String name, SealedObject.Part part) {
        WireReader in = new WireReader("object " + name, part.payload());
        if (part.kind() == FrameKind.MAPS) {
            while (in.remaining() > 0) {
                files.add(in.string(), in.bytes());
            }
        } else if (part.kind() == FrameKind.CHUNKS) {
            ManifestEntry.readChunks(in).forEach(chunk -> chunks.put(chunk.id(), chunk));
        }
    }

    /// Tells the packs that progress objects name, as far as they can be read.
    static void packs(ProtectedSource source, List<String> objects, Consumer<PackId> each) {
        Vault vault = source.vault();
        for (String name : objects) {
            try {
                vault.open(name, ObjectType.PROGRESS, vault.get(name))
                        .forEach(part -> packs(name, part, each));
            } catch (MainstayException unreadable) {
                if (BegunBackup.isPassing(unreadable)) {
                    throw unreadable;
                }
            }
        }
    }

    private static void packs(String name, SealedObject.Part part, Consumer<PackId> each) {
        WireReader in = new WireReader("object " + name, part.payload());
        if (part.kind() == FrameKind.MAPS) {
            while (in.remaining() > 0) {
                String path = in.string();
                byte[] map = new WireReader(path, in.bytes()).bytes();
                SegmentMap.read(new WireReader(path, map))
                        .frames()
                        .forEach(frame -> each.accept(frame.ref().pack()));
            }
        } else if (part.kind() == FrameKind.CHUNKS) {
            ManifestEntry.readChunks(in).forEach(chunk -> each.accept(chunk.frame().pack()));
        }
    }

    /// A file in an object of type progress: `string path`, and as `bytes` its map and the
    /// fingerprints of its pages.
    static byte[] encode(PagedFile file) {
        byte[] map = file.map().toBytes();
        byte[] prints = Fingerprints.encode(file.fingerprints);
        WireWriter content = new WireWriter(map.length + prints.length + 16);
        content.bytes(map).raw(prints);
        WireWriter out = new WireWriter(content.size() + 256);
        return out.string(file.facts.path()).bytes(content.toBytes()).toBytes();
    }

    int files() {
        return files.size();
    }

    /// What is known of a file, with fingerprints; empty if nothing that can be used.
    Optional<PriorFile> find(String path, int blockSizeBytes) {
        return files.find(path).flatMap(content -> decode(path, content, blockSizeBytes));
    }

    private Optional<PriorFile> decode(String path, byte[] content, int blockSizeBytes) {
        String what = "progress of backup " + backup.id();
        WireReader in = new WireReader(what, content);
        byte[] encoded = in.bytes();
        SegmentMap map = SegmentMap.read(new WireReader(what, encoded));
        long[] prints = new long[map.pageCount()];
        byte[] bytes = in.raw(prints.length * 8);
        for (int i = 0; i < prints.length; i++) {
            prints[i] = Bytes.getLong(bytes, i * 8);
        }
        boolean usable =
                map.blockSizeBytes() == blockSizeBytes
                        && map.frames().size() <= SegmentMap.MAX_FRAMES
                        && map.frames().stream().noneMatch(frame -> isAbsent(frame.ref()));
        return usable
                ? Optional.of(new PriorFile(backup.id(), path, Optional.empty(), map, prints))
                : Optional.empty();
    }

    Optional<ChunkRef> find(ChunkId chunk) {
        return Optional.ofNullable(chunks.get(chunk)).filter(each -> !isAbsent(each.frame()));
    }

    /// A pack may be gone without having been claimed since this backup began: a process that was
    /// given up long ago and does not know it still puts down what it stored.
    private boolean isAbsent(FrameRef frame) {
        return absent.contains(frame)
                || !there.computeIfAbsent(
                        Names.pack(frame.packClass(), frame.pack()),
                        pack -> store.size(pack).isPresent());
    }

    @Override
    public void close() {
        files.close();
    }
}
