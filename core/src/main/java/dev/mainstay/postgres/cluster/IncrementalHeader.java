package dev.mainstay.postgres.cluster;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// What a server sends of a relation file of which it believes that only some pages changed (17 and
/// later; src/backend/backup/basebackup_incremental.c): three numbers, the numbers of the pages,
/// zeros up to a whole page if there are any, and then these pages in the same order. All numbers
/// are u32 as the server's machine has them; servers on big-endian machines are not understood.
public final class IncrementalHeader {
    /// Reads what comes next of a file.
    public interface Source {
        /// @return how many bytes; fewer than asked for only where the file ends
        int read(byte[] into, int offset, int length);
    }

    private static final int MAGIC = 0xD3AE1F0D;
    private static final int FIXED = 12;

    private final int truncation;
    private final int[] blocks;

    private IncrementalHeader(int truncation, int[] blocks) {
        this.truncation = truncation;
        this.blocks = blocks;
    }

    /// Reads a header; the pages follow.
    ///
    /// @param sizeBytes of the whole file, as it was announced
    /// @param segmentPages most pages of a relation segment file
    /// @throws IllegalArgumentException if it makes no sense
    public static IncrementalHeader read(
            Source source, long sizeBytes, int blockSizeBytes, long segmentPages) {
        ByteBuffer fixed = next(source, FIXED);
        require(fixed.getInt() == MAGIC, "it does not begin as it should");
        int count = fixed.getInt();
        require(count >= 0 && count <= segmentPages, "it has " + count + " pages");
        long truncation = Integer.toUnsignedLong(fixed.getInt());
        int head = FIXED + 4 * count;
        int padding = count == 0 ? 0 : Math.floorMod(-head, blockSizeBytes);
        require(
                sizeBytes == head + padding + (long) count * blockSizeBytes,
                "it has " + sizeBytes + " bytes for " + count + " pages");
        ByteBuffer numbers = next(source, 4 * count);
        int[] blocks = new int[count];
        for (int i = 0; i < count; i++) {
            blocks[i] = numbers.getInt();
            require(
                    blocks[i] > (i == 0 ? -1 : blocks[i - 1]) && blocks[i] < segmentPages,
                    "its pages are in no order");
        }
        next(source, padding);
        // Before it was mended the server named a length beyond the file where a later file of the
        // same relation was truncated.
        return new IncrementalHeader((int) Math.min(truncation, segmentPages), blocks);
    }

    private static ByteBuffer next(Source source, int length) {
        byte[] bytes = new byte[length];
        require(source.read(bytes, 0, length) == length, "it ends early");
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void require(boolean so, String what) {
        if (!so) {
            throw new IllegalArgumentException(what);
        }
    }

    /// From here on no page is that of the earlier backup; those that did not come are zeros.
    public int truncation() {
        return truncation;
    }

    /// How many pages the file has.
    public int pages() {
        return blocks.length == 0
                ? truncation
                : Math.max(truncation, blocks[blocks.length - 1] + 1);
    }

    public int count() {
        return blocks.length;
    }

    /// How many pages came before this one.
    public int countBefore(int block) {
        int at = Arrays.binarySearch(blocks, block);
        return at < 0 ? -at - 1 : at;
    }

    public boolean has(int block) {
        return Arrays.binarySearch(blocks, block) >= 0;
    }

    /// The first page from this one on that came.
    ///
    /// @return `end` if there is none before it
    public int next(int from, int end) {
        int at = countBefore(from);
        return at < blocks.length ? Math.min(blocks[at], end) : end;
    }
}
