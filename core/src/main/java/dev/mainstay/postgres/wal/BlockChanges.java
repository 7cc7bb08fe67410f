package dev.mainstay.postgres.wal;

import java.util.Arrays;
import java.util.OptionalLong;
import java.util.stream.LongStream;

/// What a stretch of WAL did to one fork of a relation: some blocks changed, and if the fork was
/// created, truncated or dropped, everything from `limit` on is new or gone, whether listed or not.
public final class BlockChanges {
    private final long limit;
    private final int[] blocks;

    /// @param limit -1 for none
    BlockChanges(long limit, int[] sortedBlocks) {
        this.limit = limit;
        this.blocks = sortedBlocks;
    }

    /// The shortest length in blocks the fork had within the stretch, if it was created, truncated
    /// or dropped there: blocks from here on owe nothing to what was there before.
    public OptionalLong limit() {
        return limit < 0 ? OptionalLong.empty() : OptionalLong.of(limit);
    }

    /// The changed blocks, rising. Of those from the limit on, only changes after the last
    /// truncation are listed.
    public LongStream blocks() {
        return Arrays.stream(blocks).mapToLong(Integer::toUnsignedLong);
    }

    public int count() {
        return blocks.length;
    }

    /// Whether a copy of this block from before the stretch can differ from one after it.
    public boolean mayDiffer(long block) {
        return (limit >= 0 && block >= limit) || isListed(block);
    }

    /// Whether the block is among [#blocks].
    public boolean isListed(long block) {
        int at = firstFrom(block);
        return at < blocks.length && Integer.toUnsignedLong(blocks[at]) == block;
    }

    /// The listed blocks of a part of the fork, rising, counted from its beginning.
    ///
    /// @param end the block after the part's last
    public int[] within(long from, long end) {
        return Arrays.stream(blocks, firstFrom(from), firstFrom(end))
                .map(block -> (int) (Integer.toUnsignedLong(block) - from))
                .toArray();
    }

    /// Index of the first listed block that is not before this one.
    private int firstFrom(long block) {
        int low = 0;
        int high = blocks.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Integer.toUnsignedLong(blocks[middle]) < block) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    int[] sortedBlocks() {
        return blocks;
    }

    long rawLimit() {
        return limit;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BlockChanges that
                && limit == that.limit
                && Arrays.equals(blocks, that.blocks);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(blocks) * 31 + Long.hashCode(limit);
    }

    @Override
    public String toString() {
        return blocks.length + " blocks" + (limit < 0 ? "" : ", limit " + limit);
    }
}
