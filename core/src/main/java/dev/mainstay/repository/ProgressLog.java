package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.repository.format.WireWriter;
import dev.mainstay.storage.PutOutcome;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;

/// Puts down, while a backup is taken, which of its content is durable already, so that another one
/// can go on from there if this one is never finished (docs/format.md section 9, progress). The
/// first object after four packs' worth of pages, then less often, but at least once for 16 packs.
/// No worker waits for it. Thread-safe.
final class ProgressLog {
    private static final int FIRST_PACKS = 4;
    private static final int MOST_PACKS = 16;
    private static final int MOST_FILES = 1 << 15;
    private static final int PART = 4 << 20;

    private final ProtectedSource source;
    private final BackupId id;
    private final PackUploads uploads;
    private final Supplier<Json> details;
    private final long mostBytes;
    private final List<PagedFile> files = new ArrayList<>();
    private final List<ManifestAssembly.PlacedChunk> chunks = new ArrayList<>();
    private long waitingBytes;
    private long nextBytes;
    private long packsSeen;
    private int count;
    private boolean ended;

    /// @param details what the engine wants to know of the source when it goes on; asked after the
    ///   files that it goes with were stored
    /// @param packBytes target size of a pack
    ProgressLog(
            ProtectedSource source,
            BackupId id,
            PackUploads uploads,
            Supplier<Json> details,
            long packBytes) {
        this.source = source;
        this.id = id;
        this.uploads = uploads;
        this.details = details;
        this.nextBytes = packBytes * FIRST_PACKS;
        this.mostBytes = packBytes * MOST_PACKS;
    }

    /// @param file of which everything is stored, or on its way
    synchronized void add(PagedFile file) {
        if (ended) {
            return;
        }
        files.add(file);
        waitingBytes += bytes(file);
        if ((waitingBytes >= nextBytes || files.size() >= MOST_FILES)
                && uploads.stored() != packsSeen
                && uploads.isFreeAside()) {
            packsSeen =
                    uploads.stored(); // looks once for each pack: there may be many thousand files
            write();
        }
    }

    synchronized void add(ManifestAssembly.PlacedChunk chunk) {
        if (!ended) {
            chunks.add(chunk);
        }
    }

    private static long bytes(PagedFile file) {
        return (long) file.frameOf.length * file.blockSizeBytes;
    }

    private void write() {
        List<SealedObject.Part> parts = takeStored();
        if (parts.isEmpty()) {
            return;
        }
        nextBytes = Math.min(mostBytes, nextBytes * 2);
        int number = count++;
        uploads.putAside(() -> put(number, parts));
    }

    /// Nothing is put down from now on.
    synchronized void end() {
        ended = true;
        files.clear();
        chunks.clear();
    }

    /// Puts down what is durable and was not yet, of a backup that is given up.
    ///
    /// @return whether anything ever was
    synchronized boolean endWithRest() {
        List<SealedObject.Part> parts = ended ? List.of() : takeStored();
        end();
        if (!parts.isEmpty()) {
            try {
                put(count, parts);
                count++;
            } catch (RuntimeException failed) {
                // what ended the backup, most likely; only work is lost, and what is stored is told
                // by the objects before this one
            }
        }
        return count > 0;
    }

    private List<SealedObject.Part> takeStored() {
        List<SealedObject.Part> parts = new ArrayList<>();
        WireWriter out = new WireWriter(PART);
        for (Iterator<PagedFile> each = files.iterator(); each.hasNext(); ) {
            PagedFile file = each.next();
            if (!file.isStored()) {
                continue;
            }
            each.remove();
            waitingBytes -= bytes(file);
            byte[] entry = BegunPages.encode(file);
            if (entry.length > FrameCoder.MAX_PAYLOAD / 2) {
                continue; // then it is read again
            }
            if (out.size() + entry.length > PART) {
                flush(out, parts);
            }
            out.raw(entry);
        }
        flush(out, parts);
        List<ChunkRef> stored = new ArrayList<>();
        for (Iterator<ManifestAssembly.PlacedChunk> each = chunks.iterator(); each.hasNext(); ) {
            ManifestAssembly.PlacedChunk chunk = each.next();
            if (chunk.frame().isStored()) {
                each.remove();
                stored.add(new ChunkRef(chunk.id(), chunk.lengthBytes(), chunk.frame().ref()));
            }
        }
        if (!stored.isEmpty()) {
            parts.add(part(FrameKind.CHUNKS, ManifestEntry.writeChunks(stored)));
        }
        return parts;
    }

    private static void flush(WireWriter out, List<SealedObject.Part> parts) {
        if (out.size() > 0) {
            parts.add(part(FrameKind.MAPS, out.toBytes()));
            out.clear();
        }
    }

    private static SealedObject.Part part(FrameKind kind, byte[] payload) {
        return new SealedObject.Part(kind, new byte[0], payload);
    }

    private void put(int number, List<SealedObject.Part> content) {
        String name = Names.progress(source.id(), id, number);
        Json body =
                Json.object()
                        .put("object", name)
                        .put("backup", id.text())
                        .put("details", details.get());
        List<SealedObject.Part> parts = new ArrayList<>();
        parts.add(part(FrameKind.BODY, body.toBytes()));
        parts.addAll(content);
        Vault vault = source.vault();
        try (FrameCoder coder = new FrameCoder(Vault.SMALL_LEVEL)) {
            byte[] sealed = SealedObject.write(coder, vault.newSeal(ObjectType.PROGRESS), parts);
            if (vault.put(name, sealed) == PutOutcome.EXISTED
                    && !java.util.Arrays.equals(sealed, vault.get(name))) {
                throw new IllegalStateException(name + " exists");
            }
        }
    }
}
