package dev.mainstay.engine.restore;

import dev.mainstay.repository.ContentCheck;
import dev.mainstay.repository.Crc32c;
import dev.mainstay.repository.PagePrints;
import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.SegmentMap;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// A file that is there and may hold some of what the backup has of it. What it holds is found out
/// in parts, which any threads compare at the same time.
final class LocalContent {
    private static final int PIECE = 1 << 20;
    private static final int PIECES_AT_ONCE = 32;

    private final ManifestEntry entry;
    private final Path path;
    private final long localBytes;
    private final FileWork.Kept kept;
    private final Stored stored;

    /// What the backup knows of the content.
    private sealed interface Stored {
        record ByPage(SegmentMap map, PagePrints prints) implements Stored {}

        record ByFrame(SegmentMap map, int[][] blocks) implements Stored {}

        record ByChunk(List<ChunkRef> chunks) implements Stored {}

        /// Nothing that needs to be known: there is no page here.
        record Unseen(SegmentMap map) implements Stored {}
    }

    /// Compares one part with what a thread reads.
    @FunctionalInterface
    interface Part {
        void compare(Reader reader, ContentCheck check) throws IOException;
    }

    /// Where a part reads the file.
    interface Reader {
        /// Reads as many bytes as there are, up to `length`; they are in [#bytes] from `offset` on.
        int read(LocalContent file, long position, int offset, int length) throws IOException;

        /// Valid until the next call of [#room].
        byte[] bytes();

        void room(int length);

        void kept(long bytes);
    }

    private LocalContent(
            ManifestEntry entry, Path path, long localBytes, FileWork.Kept kept, Stored stored) {
        this.entry = entry;
        this.path = path;
        this.localBytes = localBytes;
        this.kept = kept;
        this.stored = stored;
    }

    /// A relation segment file of which nothing is here.
    static LocalContent absent(ManifestEntry entry, Path path, SegmentMap map) {
        return ofPages(entry, path, 0, map, new Stored.Unseen(map));
    }

    static LocalContent ofPages(
            ManifestEntry entry, Path path, long localBytes, SegmentMap map, PagePrints prints) {
        return ofPages(entry, path, localBytes, map, new Stored.ByPage(map, prints));
    }

    /// Where the backup has no fingerprints any more.
    static LocalContent ofFrames(ManifestEntry entry, Path path, long localBytes, SegmentMap map) {
        return ofPages(entry, path, localBytes, map, new Stored.ByFrame(map, wholeFrames(map)));
    }

    private static LocalContent ofPages(
            ManifestEntry entry, Path path, long localBytes, SegmentMap map, Stored stored) {
        return new LocalContent(
                entry, path, localBytes, FileWork.Kept.none(map.pageCount()), stored);
    }

    static LocalContent ofChunks(
            ManifestEntry entry, Path path, long localBytes, List<ChunkRef> chunks) {
        return new LocalContent(
                entry,
                path,
                localBytes,
                FileWork.Kept.none(chunks.size()),
                new Stored.ByChunk(chunks));
    }

    /// The blocks of each frame all of whose pages are this file's: only of them the digest tells
    /// anything. Of others nothing.
    private static int[][] wholeFrames(SegmentMap map) {
        int[] live = map.livePages();
        int[][] blocks = new int[live.length][];
        int[] filled = new int[live.length];
        for (int frame = 0; frame < live.length; frame++) {
            boolean whole = live[frame] == map.frames().get(frame).pages();
            blocks[frame] = new int[whole ? live[frame] : 0];
        }
        for (int page = 0; page < map.pageCount(); page++) {
            int frame = map.frameOf()[page];
            if (blocks[frame].length > 0) {
                blocks[frame][filled[frame]++] = page;
            }
        }
        return blocks;
    }

    Path path() {
        return path;
    }

    ManifestEntry entry() {
        return entry;
    }

    int pages() {
        return switch (stored) {
            case Stored.ByPage(SegmentMap map, _) -> map.pageCount();
            case Stored.ByFrame(SegmentMap map, _) -> map.pageCount();
            case Stored.Unseen(SegmentMap map) -> map.pageCount();
            case Stored.ByChunk _ -> 0;
        };
    }

    /// Cuts the comparison into parts of some 32 MiB.
    void parts(Consumer<Part> each) {
        switch (stored) {
            case Stored.Unseen _ -> {
                // no part
            }
            case Stored.ByPage(SegmentMap map, PagePrints prints) -> {
                int size = map.blockSizeBytes();
                int pages = (int) Math.min(map.pageCount(), localBytes / size);
                int step = Math.max(1, PIECE / size) * PIECES_AT_ONCE;
                for (int from = 0; from < pages; from += step) {
                    int first = from;
                    int end = Math.min(pages, from + step);
                    each.accept((reader, _) -> pages(prints, size, first, end, reader));
                }
            }
            case Stored.ByFrame(SegmentMap map, int[][] blocks) ->
                    steps(
                            blocks.length,
                            frame -> (reader, _) -> frame(map, blocks[frame], frame, reader),
                            each);
            case Stored.ByChunk(List<ChunkRef> chunks) -> {
                List<Long> positions = new ArrayList<>(chunks.size());
                long position = 0;
                for (ChunkRef chunk : chunks) {
                    positions.add(position);
                    position += chunk.lengthBytes();
                }
                steps(
                        chunks.size(),
                        i ->
                                (reader, check) ->
                                        chunk(chunks.get(i), i, positions.get(i), reader, check),
                        each);
            }
        }
    }

    private interface Step {
        Part of(int piece);
    }

    private static void steps(int pieces, Step step, Consumer<Part> each) {
        for (int from = 0; from < pieces; from += PIECES_AT_ONCE) {
            int first = from;
            int end = Math.min(pieces, from + PIECES_AT_ONCE);
            each.accept(
                    (reader, check) -> {
                        for (int i = first; i < end; i++) {
                            step.of(i).compare(reader, check);
                        }
                    });
        }
    }

    private void pages(PagePrints prints, int size, int from, int end, Reader reader)
            throws IOException {
        int step = Math.max(1, PIECE / size);
        reader.room(step * size);
        for (int page = from; page < end; page += step) {
            int count = Math.min(step, end - page);
            int whole = reader.read(this, (long) page * size, 0, count * size) / size;
            long right = 0;
            for (int i = 0; i < whole; i++) {
                if (prints.holds(page + i, reader.bytes(), i * size, size)) {
                    keep(page + i, prints.crc(page + i));
                    right += size;
                }
            }
            reader.kept(right);
            if (whole < count) {
                return; // somebody shortened the file
            }
        }
    }

    private void frame(SegmentMap map, int[] blocks, int index, Reader reader) throws IOException {
        int size = map.blockSizeBytes();
        int length = blocks.length * size;
        if (length == 0 || (blocks[blocks.length - 1] + 1L) * size > localBytes) {
            return;
        }
        reader.room(length);
        for (int at = 0; at < blocks.length; ) {
            int end = at + 1;
            while (end < blocks.length && blocks[end] == blocks[end - 1] + 1) {
                end++;
            }
            int wanted = (end - at) * size;
            if (reader.read(this, (long) blocks[at] * size, at * size, wanted) < wanted) {
                return;
            }
            at = end;
        }
        byte[] bytes = reader.bytes();
        if (Digest128.of(bytes, 0, length).equals(map.frames().get(index).digest())) {
            for (int i = 0; i < blocks.length; i++) {
                keep(blocks[i], Crc32c.of(bytes, i * size, size));
            }
            reader.kept(length);
        }
    }

    private void chunk(ChunkRef chunk, int index, long position, Reader reader, ContentCheck check)
            throws IOException {
        int length = chunk.lengthBytes();
        if (position + length > localBytes) {
            return;
        }
        reader.room(length);
        if (reader.read(this, position, 0, length) == length
                && check.isChunk(chunk.id(), reader.bytes(), length)) {
            keep(index, Crc32c.of(reader.bytes(), 0, length));
            reader.kept(length);
        }
    }

    private void keep(int piece, int crc) {
        kept.pieces()[piece] = true;
        kept.crcs()[piece] = crc;
    }

    /// What is left to be done, once all parts are compared.
    ///
    /// @param batch receives the frames that hold it
    FileWork work(FrameReads batch) {
        return switch (stored) {
            case Stored.ByPage(SegmentMap map, PagePrints prints) ->
                    work(new FileWork.Pages(map, kept, prints), batch);
            case Stored.ByFrame(SegmentMap map, _) ->
                    work(new FileWork.Pages(map, kept, null), batch);
            case Stored.Unseen(SegmentMap map) -> work(new FileWork.Pages(map), batch);
            case Stored.ByChunk(List<ChunkRef> refs) -> {
                FileWork.Chunks chunks = new FileWork.Chunks(refs, kept);
                FileWork file = new FileWork(entry, path, chunks);
                batch.add(file, chunks);
                yield file;
            }
        };
    }

    private FileWork work(FileWork.Pages pages, FrameReads batch) {
        FileWork file = new FileWork(entry, path, pages);
        batch.add(file, pages);
        return file;
    }
}
