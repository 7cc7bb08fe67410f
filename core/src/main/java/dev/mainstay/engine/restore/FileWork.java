package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.Crc32c;
import dev.mainstay.repository.PagePrints;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.SegmentMap;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// A file that is being put together from frames. Threads add different frames at the same time;
/// the one that adds the last learns so.
final class FileWork {
    private final ManifestEntry entry;
    private final Path path;
    private final Pieces pieces;
    private final AtomicInteger framesLeft;
    private final AtomicLong written = new AtomicLong();

    FileWork(ManifestEntry entry, Path path, Pieces pieces) {
        this.entry = entry;
        this.path = path;
        this.pieces = pieces;
        this.framesLeft = new AtomicInteger(pieces.frames());
        if (pieces.sizeBytes() != entry.sizeBytes()) {
            throw wrong(
                    "has " + pieces.sizeBytes() + " bytes in its map, not " + entry.sizeBytes());
        }
    }

    ManifestEntry entry() {
        return entry;
    }

    Path path() {
        return path;
    }

    /// Frames that are still to be added.
    int framesLeft() {
        return framesLeft.get();
    }

    /// Checks a frame against what the backup says of it and writes what this file has in it.
    ///
    /// @return whether the file is complete now
    boolean add(int index, Frame frame, Writer writer) {
        pieces.add(this, index, frame, writer);
        return framesLeft.decrementAndGet() == 0;
    }

    /// Whether a frame is the one that the backup means.
    boolean means(int index, Frame frame) {
        return pieces.means(index, frame);
    }

    /// Where it is made of large pieces: what their positions and lengths are multiples of, in
    /// bytes. Else 1.
    int alignment() {
        return pieces.alignment();
    }

    /// Gives a new file that will be written past the page cache its length: writing beyond the end
    /// keeps all other writers of the file waiting.
    void giveLength() throws IOException {
        if (alignment() > 1) {
            try (RandomAccessFile empty = new RandomAccessFile(path.toFile(), "rw")) {
                empty.setLength(entry.sizeBytes());
            }
        }
    }

    /// Counts bytes that were written.
    ///
    /// @return whether they fill another piece of [FileSyncs#PIECE] bytes
    boolean written(int bytes) {
        long now = written.addAndGet(bytes);
        return now / FileSyncs.PIECE != (now - bytes) / FileSyncs.PIECE;
    }

    /// @throws MainstayException RESTORE_CONTENT_WRONG if the whole is not what was backed up
    void demandWhole() {
        if (pieces.crc() != entry.crc32c()) {
            throw wrong("does not have the checksum it had when it was backed up");
        }
    }

    MainstayException wrong(String how) {
        return new MainstayException(
                ErrorCode.RESTORE_CONTENT_WRONG, "file " + entry.path() + " " + how);
    }

    /// Takes bytes of a file.
    @FunctionalInterface
    interface Writer {
        void write(FileWork file, byte[] bytes, int offset, int length, long position);
    }

    /// What a file holds already of what it is made of.
    ///
    /// @param pieces for each page or chunk, whether it is right
    /// @param crcs of those that are
    record Kept(boolean[] pieces, int[] crcs) {
        static Kept none(int pieces) {
            return new Kept(new boolean[pieces], new int[pieces]);
        }
    }

    /// What a file is made of.
    sealed interface Pieces {
        /// Frames that hold anything the file does not hold already.
        int frames();

        long sizeBytes();

        int alignment();

        boolean means(int index, Frame frame);

        void add(FileWork file, int index, Frame frame, Writer writer);

        int crc();
    }

    /// A relation segment file: pages from anywhere in any frame.
    static final class Pages implements Pieces {
        /// Bytes in a row that a disk writes about as fast as any more.
        private static final int LARGE = 256 << 10;

        private final SegmentMap map;
        private final boolean[] kept;
        private final int[] wanted;
        private final int[] crcs;
        private final int alignment;
        private final @Nullable PagePrints prints;

        Pages(SegmentMap map) {
            this(map, Kept.none(map.pageCount()), null);
        }

        /// @param prints where they are at hand: a few pages of a frame are proved faster by them
        ///   than by the digest of the whole
        Pages(SegmentMap map, Kept kept, @Nullable PagePrints prints) {
            this.map = map;
            this.prints = prints;
            this.kept = kept.pieces();
            this.crcs = kept.crcs();
            this.wanted = new int[map.frames().size()];
            boolean all = true;
            for (int page = 0; page < map.pageCount(); page++) {
                if (this.kept[page]) {
                    all = false;
                } else {
                    wanted[map.frameOf()[page]]++;
                }
            }
            this.alignment = all ? alignment(map, sizeBytes()) : 1;
        }

        SegmentMap map() {
            return map;
        }

        boolean isWanted(int frame) {
            return wanted[frame] > 0;
        }

        @Override
        public int frames() {
            int frames = 0;
            for (int pages : wanted) {
                frames += pages > 0 ? 1 : 0;
            }
            return frames;
        }

        @Override
        public long sizeBytes() {
            return (long) map.pageCount() * map.blockSizeBytes();
        }

        @Override
        public int alignment() {
            return alignment;
        }

        private static int alignment(SegmentMap map, long sizeBytes) {
            int[] frameOf = map.frameOf();
            int runs = 1;
            for (int page = 1; page < frameOf.length; page++) {
                runs += frameOf[page] == frameOf[page - 1] ? 0 : 1;
            }
            return sizeBytes / runs < LARGE ? 1 : map.blockSizeBytes();
        }

        @Override
        public boolean means(int index, Frame frame) {
            return FrameProof.isMeant(map, index, frame);
        }

        @Override
        public void add(FileWork file, int index, Frame frame, Writer writer) {
            int[] blocks =
                    prints == null
                            ? FrameProof.blocks(file, map, index, frame)
                            : FrameProof.listed(file, map, index, frame);
            int size = map.blockSizeBytes();
            int written = 0;
            int at = 0;
            while (at < blocks.length) {
                if (!isMine(blocks[at], index)) {
                    at++;
                    continue;
                }
                int end = at;
                do {
                    crcs[blocks[end]] = crc(file, index, frame, blocks[end], end * size);
                    end++;
                } while (end < blocks.length
                        && blocks[end] == blocks[end - 1] + 1
                        && isMine(blocks[end], index));
                writer.write(
                        file,
                        frame.payload(),
                        at * size,
                        (end - at) * size,
                        (long) blocks[at] * size);
                written += end - at;
                at = end;
            }
            if (written != wanted[index]) {
                throw file.wrong("misses pages in frame " + map.frames().get(index).ref());
            }
        }

        private int crc(FileWork file, int index, Frame frame, int block, int offset) {
            int size = map.blockSizeBytes();
            if (prints == null) {
                return Crc32c.of(frame.payload(), offset, size);
            }
            if (!prints.holds(block, frame.payload(), offset, size)) {
                throw FrameProof.other(file, map.frames().get(index).ref());
            }
            return prints.crc(block);
        }

        private boolean isMine(int block, int index) {
            return block < map.pageCount() && map.frameOf()[block] == index && !kept[block];
        }

        @Override
        public int crc() {
            Crc32c page = Crc32c.ofPages(map.blockSizeBytes());
            int crc = 0;
            for (int each : crcs) {
                crc = page.append(crc, each);
            }
            return crc;
        }
    }

    /// Any other file: chunks one after the other.
    static final class Chunks implements Pieces {
        private final List<ChunkRef> chunks;
        private final boolean[] kept;
        private final long[] positions;
        private final int[] crcs;
        private final long size;

        Chunks(List<ChunkRef> chunks) {
            this(chunks, Kept.none(chunks.size()));
        }

        Chunks(List<ChunkRef> chunks, Kept kept) {
            this.chunks = chunks;
            this.kept = kept.pieces();
            this.positions = new long[chunks.size()];
            this.crcs = kept.crcs();
            long position = 0;
            for (int i = 0; i < positions.length; i++) {
                positions[i] = position;
                position += chunks.get(i).lengthBytes();
            }
            this.size = position;
        }

        List<ChunkRef> chunks() {
            return chunks;
        }

        boolean isWanted(int chunk) {
            return !kept[chunk];
        }

        @Override
        public int frames() {
            int frames = 0;
            for (boolean right : kept) {
                frames += right ? 0 : 1;
            }
            return frames;
        }

        @Override
        public int alignment() {
            return 1;
        }

        @Override
        public long sizeBytes() {
            return size;
        }

        @Override
        public boolean means(int index, Frame frame) {
            return FrameProof.isMeant(chunks.get(index), frame);
        }

        @Override
        public void add(FileWork file, int index, Frame frame, Writer writer) {
            FrameProof.demandChunk(file, chunks.get(index), frame);
            crcs[index] = Crc32c.of(frame.payload(), 0, frame.length());
            writer.write(file, frame.payload(), 0, frame.length(), positions[index]);
        }

        @Override
        public int crc() {
            int crc = crcs.length == 0 ? 0 : crcs[0];
            for (int i = 1; i < crcs.length; i++) {
                crc = Crc32c.append(crc, crcs[i], chunks.get(i).lengthBytes());
            }
            return crc;
        }
    }
}
