package dev.mainstay.postgres.cluster;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The checksum of a data page (src/include/storage/checksum_impl.h): the page is a table of 32-bit
/// words with 32 columns; each column is hashed by a variant of FNV-1a from a start value of its
/// own, the hashes are folded by xor, mixed with the block number and reduced modulo 65535 to
/// 1…65535. The checksum field itself counts as zero.
///
/// Eight columns at a time are kept in local variables, which hides the latency of the
/// multiplication and keeps them in registers; the page passes four times through the first-level
/// cache.
public final class PageChecksum {
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int PRIME = 16777619;
    private static final int ROW_BYTES = 128;
    private static final int[] START = {
        0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2,
        0x83E13D2C, 0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C,
        0xF718902A, 0x0B1C9CDB, 0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979,
        0xCCA6C0B2, 0x304A0979, 0x85AA43D4, 0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E,
        0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756
    };

    private PageChecksum() {}

    /// The checksum that a page should carry, 1 to 65535.
    ///
    /// @param blockSizeBytes a multiple of 128
    /// @param block number of the page within its relation fork, over all segment files; unsigned
    public static int of(byte[] bytes, int offset, int blockSizeBytes, int block) {
        if (blockSizeBytes < ROW_BYTES || blockSizeBytes % ROW_BYTES != 0) {
            throw new IllegalArgumentException("impossible block size " + blockSizeBytes);
        }
        int end = offset + blockSizeBytes;
        int hash =
                columns(bytes, offset, end, 0, 0xFFFF0000)
                        ^ columns(bytes, offset + 32, end, 8, -1)
                        ^ columns(bytes, offset + 64, end, 16, -1)
                        ^ columns(bytes, offset + 96, end, 24, -1);
        return Integer.remainderUnsigned(hash ^ block, 0xFFFF) + 1;
    }

    /// Hashes of eight neighbouring columns, folded.
    ///
    /// @param mask for the third word of the first row, which holds the checksum in the first group
    private static int columns(byte[] bytes, int from, int end, int column, int mask) {
        int a = mix(START[column], word(bytes, from));
        int b = mix(START[column + 1], word(bytes, from + 4));
        int c = mix(START[column + 2], word(bytes, from + 8) & mask);
        int d = mix(START[column + 3], word(bytes, from + 12));
        int e = mix(START[column + 4], word(bytes, from + 16));
        int f = mix(START[column + 5], word(bytes, from + 20));
        int g = mix(START[column + 6], word(bytes, from + 24));
        int h = mix(START[column + 7], word(bytes, from + 28));
        for (int at = from + ROW_BYTES; at < end; at += ROW_BYTES) {
            a = mix(a, word(bytes, at));
            b = mix(b, word(bytes, at + 4));
            c = mix(c, word(bytes, at + 8));
            d = mix(d, word(bytes, at + 12));
            e = mix(e, word(bytes, at + 16));
            f = mix(f, word(bytes, at + 20));
            g = mix(g, word(bytes, at + 24));
            h = mix(h, word(bytes, at + 28));
        }
        return last(a) ^ last(b) ^ last(c) ^ last(d) ^ last(e) ^ last(f) ^ last(g) ^ last(h);
    }

    private static int last(int hash) {
        return mix(mix(hash, 0), 0);
    }

    private static int mix(int hash, int word) {
        int mixed = hash ^ word;
        return mixed * PRIME ^ mixed >>> 17;
    }

    private static int word(byte[] bytes, int at) {
        return (int) INT.get(bytes, at);
    }
}
