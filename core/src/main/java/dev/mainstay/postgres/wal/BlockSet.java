package dev.mainstay.postgres.wal;

import java.util.Arrays;

/// A growing set of block numbers: an open-addressing table of ints. Slots hold the number plus
/// one, so zero is free; the number that cannot be stored (InvalidBlockNumber) is no block.
final class BlockSet {
    private int[] slots = new int[16];
    private int size;

    void add(int block) {
        if (2 * (size + 1) > slots.length) {
            grow();
        }
        if (put(slots, block + 1)) {
            size++;
        }
    }

    int size() {
        return size;
    }

    private void grow() {
        int[] larger = new int[slots.length * 2];
        for (int slot : slots) {
            if (slot != 0) {
                put(larger, slot);
            }
        }
        slots = larger;
    }

    private static boolean put(int[] table, int value) {
        if (value == 0) {
            return false;
        }
        int mask = table.length - 1;
        int at = ((value * 0x9E3779B9) >>> 7) & mask;
        while (table[at] != 0) {
            if (table[at] == value) {
                return false;
            }
            at = (at + 1) & mask;
        }
        table[at] = value;
        return true;
    }

    /// Removes blocks from `limit` on.
    void truncate(long limit) {
        int[] kept = sorted();
        slots = new int[16];
        size = 0;
        for (int block : kept) {
            if (Integer.toUnsignedLong(block) < limit) {
                add(block);
            }
        }
    }

    /// The numbers, rising as unsigned.
    int[] sorted() {
        int[] blocks = new int[size];
        int count = 0;
        for (int slot : slots) {
            if (slot != 0) {
                blocks[count++] = (slot - 1) ^ Integer.MIN_VALUE;
            }
        }
        Arrays.sort(blocks);
        for (int i = 0; i < count; i++) {
            blocks[i] ^= Integer.MIN_VALUE;
        }
        return blocks;
    }
}
