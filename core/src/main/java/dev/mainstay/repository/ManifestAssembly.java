package dev.mainstay.repository;

import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.WireWriter;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// Turns stored files into maps and manifest entries as soon as the packs they refer to have names,
/// so that memory holds only the files of packs that are still open. Thread-safe.
///
/// An entry waits twice: a map for the data packs of its pages, then the entry for the metadata
/// pack of its map and the fingerprint pack of its pages.
final class ManifestAssembly implements AutoCloseable {
    private static final int BUFFER = 256 << 10;

    /// A file waits in memory until the pack of its map has a name. That of very many small files
    /// would be full only after hundreds of thousands of them.
    private static final int FILES_A_PACK = 1 << 15;

    /// A chunk of a file that was stored or found.
    record PlacedChunk(ChunkId id, int lengthBytes, PendingFrame frame) {}

    private record Waiting(List<PendingFrame> on, Supplier<byte[]> encoded) {
        boolean isReady() {
            return on.stream().allMatch(PendingFrame::isNamed);
        }
    }

    /// A file with more chunks than its entry may hold.
    private record Large(FileFacts facts, long size, int crc, List<PlacedChunk> chunks) {
        boolean isReady() {
            return chunks.stream().allMatch(chunk -> chunk.frame.isNamed());
        }

        ManifestEntry entry() {
            return ManifestAssembly.entry(facts, size, crc, new Content.Chunked(refs(chunks)));
        }
    }

    /// A file whose map is written; of the file itself, which may be large, nothing is kept.
    private record Mapped(FileFacts facts, long size, int crc, int number, int printsOffset) {}

    private final PackStream metadata;
    private final PackStream prints;
    private final FrameCoder coder;
    private final Deque<PagedFile> unmapped = new ArrayDeque<>();
    private final Deque<Large> large = new ArrayDeque<>();
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private final WireWriter maps = new WireWriter(BUFFER * 2);
    private final WireWriter printBytes = new WireWriter(BUFFER * 2);
    private final List<Mapped> mapped = new ArrayList<>();
    private int mappedInPack;
    private final WireWriter entries = new WireWriter(BUFFER * 2);
    private final List<PendingFrame> manifest = new ArrayList<>();
    private final List<PendingFrame> catalog = new ArrayList<>();
    private final Crc32c pageCrc;
    private final int chunksListed;
    private final LongSupplier packsNamed;
    private long packsSeen;
    private Optional<ProgressLog> progress = Optional.empty();

    /// @param packsNamed how many packs have names by now
    /// @param chunksListed most chunks in an entry, and in a list of chunks
    ManifestAssembly(
            PackStream metadata,
            PackStream prints,
            int compressionLevel,
            int blockSizeBytes,
            int chunksListed,
            LongSupplier packsNamed) {
        this.packsNamed = packsNamed;
        this.metadata = metadata;
        this.prints = prints;
        this.coder = new FrameCoder(compressionLevel);
        this.pageCrc = Crc32c.ofPages(blockSizeBytes);
        this.chunksListed = chunksListed;
    }

    /// From now on files are put down as soon as they are stored.
    synchronized void progress(ProgressLog log) {
        progress = Optional.of(log);
    }

    synchronized void add(PagedFile file) {
        if (file.unchanged.isPresent()) {
            ManifestEntry entry =
                    entry(
                            file.facts,
                            file.unchanged.get().sizeBytes(),
                            file.unchanged.get().crc32c(),
                            file.unchanged.get().content());
            await(new Waiting(List.of(), () -> encode(entry)));
            return;
        }
        progress.ifPresent(log -> log.add(file));
        if (file.isNamed()) {
            map(file);
        } else {
            unmapped.add(file);
        }
        advance();
    }

    synchronized void add(FileFacts facts, long size, int crc, List<PlacedChunk> chunks) {
        Large file = new Large(facts, size, crc, chunks);
        if (chunks.size() > chunksListed) {
            large.add(file);
            advance();
        } else {
            await(
                    new Waiting(
                            chunks.stream().map(PlacedChunk::frame).toList(),
                            () -> encode(file.entry())));
        }
    }

    private static List<ChunkRef> refs(List<PlacedChunk> chunks) {
        return chunks.stream()
                .map(chunk -> new ChunkRef(chunk.id, chunk.lengthBytes, chunk.frame.ref()))
                .toList();
    }

    synchronized void add(FileFacts facts, Content content) {
        await(new Waiting(List.of(), () -> encode(entry(facts, 0, 0, content))));
    }

    synchronized void addCatalog(byte[] jsonLines) {
        catalog.add(append(metadata, FrameKind.CATALOG, jsonLines, jsonLines.length));
    }

    private static ManifestEntry entry(FileFacts facts, long size, int crc, Content content) {
        return new ManifestEntry(
                facts.path(),
                facts.mode(),
                facts.owner(),
                facts.group(),
                facts.modifiedMicros(),
                size,
                crc,
                content);
    }

    private PendingFrame append(PackStream packs, FrameKind kind, byte[] bytes, int length) {
        return packs.append(coder, kind, new byte[0], bytes, 0, length);
    }

    /// Looks through what waits, but only once for each pack that got its name: there may be many
    /// thousand files.
    private void advance() {
        long named = packsNamed.getAsLong();
        if (named != packsSeen) {
            packsSeen = named;
            sweep();
        }
    }

    private void sweep() {
        for (Iterator<PagedFile> files = unmapped.iterator(); files.hasNext(); ) {
            PagedFile file = files.next();
            if (file.isNamed()) {
                files.remove();
                map(file);
            }
        }
        for (Iterator<Large> files = large.iterator(); files.hasNext(); ) {
            Large file = files.next();
            if (file.isReady()) {
                files.remove();
                list(file);
            }
        }
        for (Iterator<Waiting> each = waiting.iterator(); each.hasNext(); ) {
            Waiting next = each.next();
            if (next.isReady()) {
                each.remove();
                emit(next);
            }
        }
    }

    private void emit(Waiting ready) {
        byte[] encoded = ready.encoded.get();
        if (entries.size() > 0 && entries.size() + encoded.length > BUFFER) {
            flushEntries();
        }
        entries.raw(encoded);
    }

    private void await(Waiting entry) {
        if (entry.isReady()) {
            emit(entry);
        } else {
            waiting.add(entry);
        }
        advance();
    }

    private static byte[] encode(ManifestEntry entry) {
        WireWriter out = new WireWriter(256);
        entry.write(out);
        return out.toBytes();
    }

    /// Puts a file's chunks into lists of their own, to which its entry refers.
    private void list(Large file) {
        List<ChunkRef> chunks = refs(file.chunks);
        ManifestEntry entry =
                entry(file.facts, file.size, file.crc, new Content.Chunked(List.of()));
        List<PendingFrame> lists = new ArrayList<>();
        for (int from = 0; from < chunks.size(); from += chunksListed) {
            int to = Math.min(chunks.size(), from + chunksListed);
            byte[] some = ManifestEntry.writeChunks(chunks.subList(from, to));
            lists.add(append(metadata, FrameKind.CHUNKS, some, some.length));
        }
        waiting.add(
                new Waiting(
                        lists,
                        () -> {
                            WireWriter out = new WireWriter(256 + lists.size() * 48);
                            entry.write(out, lists.stream().map(PendingFrame::ref).toList());
                            return out.toBytes();
                        }));
    }

    private void map(PagedFile file) {
        byte[] map = file.map().toBytes();
        byte[] print = Fingerprints.encode(file.fingerprints);
        boolean full =
                maps.size() + map.length > BUFFER || printBytes.size() + print.length > BUFFER;
        if (full) {
            flushMaps();
        }
        mapped.add(
                new Mapped(
                        file.facts,
                        (long) file.frameOf.length * file.blockSizeBytes,
                        file.crc(pageCrc),
                        mapped.size(),
                        printBytes.size()));
        maps.bytes(map);
        printBytes.raw(print);
    }

    private void flushMaps() {
        if (mapped.isEmpty()) {
            return;
        }
        PendingFrame mapFrame = append(metadata, FrameKind.MAPS, maps.array(), maps.size());
        PendingFrame printFrame =
                append(prints, FrameKind.FINGERPRINTS, printBytes.array(), printBytes.size());
        for (Mapped each : mapped) {
            waiting.add(
                    new Waiting(
                            List.of(mapFrame, printFrame),
                            () -> encode(entry(each, mapFrame.ref(), printFrame.ref()))));
        }
        mappedInPack += mapped.size();
        mapped.clear();
        maps.clear();
        printBytes.clear();
        if (mappedInPack >= FILES_A_PACK) {
            mappedInPack = 0;
            prints.finish();
            metadata.finish();
        }
    }

    private static ManifestEntry entry(Mapped mapped, FrameRef map, FrameRef prints) {
        return entry(mapped.facts, mapped.size, mapped.crc, paged(mapped, map, prints));
    }

    private static Content paged(Mapped mapped, FrameRef map, FrameRef prints) {
        return new Content.Paged(
                map,
                mapped.number,
                Optional.of(new ManifestEntry.Prints(prints, mapped.printsOffset)));
    }

    private void flushEntries() {
        if (entries.size() > 0) {
            manifest.add(append(metadata, FrameKind.MANIFEST, entries.array(), entries.size()));
            entries.clear();
        }
    }

    /// Ends everything; call once all other packs are on their way, for it waits for their names.
    synchronized void finish() {
        unmapped.forEach(PagedFile::awaitNames);
        large.forEach(file -> file.chunks.forEach(chunk -> chunk.frame.ref()));
        sweep();
        flushMaps();
        prints.finish();
        metadata.finish();
        waiting.forEach(each -> each.on.forEach(PendingFrame::ref));
        sweep();
        flushEntries();
        metadata.finish();
        if (!unmapped.isEmpty() || !large.isEmpty() || !waiting.isEmpty()) {
            throw new IllegalStateException("files are left without a place in the manifest");
        }
    }

    synchronized List<FrameRef> manifest() {
        return manifest.stream().map(PendingFrame::ref).toList();
    }

    synchronized List<FrameRef> catalog() {
        return catalog.stream().map(PendingFrame::ref).toList();
    }

    @Override
    public void close() {
        coder.close();
    }
}
