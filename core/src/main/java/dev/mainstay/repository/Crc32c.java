package dev.mainstay.repository;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32C;

/// CRC-32C of a file from the CRCs of its pieces, so that a file's checksum is known without
/// reading the pages that did not change. The arithmetic is that of polynomials over GF(2):
/// appending n zero bytes to a message multiplies its CRC by a matrix that depends on n alone.
/// Thread-safe.
public final class Crc32c {
    /// For each k the matrix of 2^k zero bits.
    private static final int[][] ZERO_BITS = zeroBits();

    private static final Map<Integer, Crc32c> BY_PAGE_SIZE = new ConcurrentHashMap<>();

    /// What the matrix for one page makes of each byte at each of a CRC's four places.
    private final int[] pageOperator = new int[4 << 8];

    private Crc32c(int pageSizeBytes) {
        for (int i = 0; i < pageOperator.length; i++) {
            pageOperator[i] = append((i & 0xFF) << (i >>> 8) * 8, 0, pageSizeBytes);
        }
    }

    /// For files of equally long pages.
    ///
    /// @param pageSizeBytes one of few: what is computed once for each is kept
    public static Crc32c ofPages(int pageSizeBytes) {
        return BY_PAGE_SIZE.computeIfAbsent(pageSizeBytes, Crc32c::new);
    }

    public static int of(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    /// CRC of what has CRC `left`, followed by one page of CRC `page`.
    public int append(int left, int page) {
        return pageOperator[left & 0xFF]
                ^ pageOperator[1 << 8 | left >>> 8 & 0xFF]
                ^ pageOperator[2 << 8 | left >>> 16 & 0xFF]
                ^ pageOperator[3 << 8 | left >>> 24]
                ^ page;
    }

    /// CRC of what has CRC `left`, followed by `bytes` bytes of CRC `right`.
    public static int append(int left, int right, int bytes) {
        int moved = left;
        int bit = 0;
        for (long bits = 8L * bytes; bits != 0; bits >>>= 1) {
            if ((bits & 1) != 0) {
                moved = times(ZERO_BITS[bit], moved);
            }
            bit++;
        }
        return moved ^ right;
    }

    private static int times(int[] matrix, int vector) {
        int product = 0;
        for (int bit = 0, rest = vector; rest != 0; bit++, rest >>>= 1) {
            if ((rest & 1) != 0) {
                product ^= matrix[bit];
            }
        }
        return product;
    }

    private static int[][] zeroBits() {
        int[][] powers = new int[Integer.SIZE + 3][Integer.SIZE];
        powers[0][0] = 0x82F63B78; // one zero bit: a right shift, reduced by the polynomial
        for (int bit = 1; bit < Integer.SIZE; bit++) {
            powers[0][bit] = 1 << (bit - 1);
        }
        for (int k = 1; k < powers.length; k++) {
            for (int bit = 0; bit < Integer.SIZE; bit++) {
                powers[k][bit] = times(powers[k - 1], powers[k - 1][bit]);
            }
        }
        return powers;
    }
}
