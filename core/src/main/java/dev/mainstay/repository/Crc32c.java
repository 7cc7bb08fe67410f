package dev.mainstay.repository;

import java.util.zip.CRC32C;

/// CRC-32C of a file from the CRCs of its equally long pages, so that a file's checksum is known
/// without reading the pages that did not change. The arithmetic is that of polynomials over GF(2):
/// appending n zero bytes to a message multiplies its CRC by a matrix that depends on n alone.
public final class Crc32c {
    /// What the matrix for one page makes of each byte at each of a CRC's four places.
    private final int[] pageOperator = new int[4 << 8];

    /// @param pageSizeBytes length of every page
    public Crc32c(int pageSizeBytes) {
        int[] matrix = zeros(pageSizeBytes);
        for (int i = 0; i < pageOperator.length; i++) {
            pageOperator[i] = times(matrix, (i & 0xFF) << (i >>> 8) * 8);
        }
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

    private static int times(int[] matrix, int vector) {
        int product = 0;
        for (int bit = 0, rest = vector; rest != 0; bit++, rest >>>= 1) {
            if ((rest & 1) != 0) {
                product ^= matrix[bit];
            }
        }
        return product;
    }

    private static int[] square(int[] matrix) {
        int[] squared = new int[32];
        for (int bit = 0; bit < 32; bit++) {
            squared[bit] = times(matrix, matrix[bit]);
        }
        return squared;
    }

    private static int[] product(int[] left, int[] right) {
        int[] product = new int[32];
        for (int bit = 0; bit < 32; bit++) {
            product[bit] = times(left, right[bit]);
        }
        return product;
    }

    private static int[] zeros(int bytes) {
        int[] power =
                new int[32]; // one zero bit: a right shift, reduced by the reflected polynomial
        power[0] = 0x82F63B78;
        int[] result = new int[32];
        for (int bit = 0; bit < 32; bit++) {
            if (bit > 0) {
                power[bit] = 1 << (bit - 1);
            }
            result[bit] = 1 << bit;
        }
        for (long bits = 8L * bytes; bits != 0; bits >>>= 1) {
            if ((bits & 1) != 0) {
                result = product(power, result);
            }
            power = square(power);
        }
        return result;
    }
}
