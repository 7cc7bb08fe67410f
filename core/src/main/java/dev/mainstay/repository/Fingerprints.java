package dev.mainstay.repository;

import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;

import dev.mainstay.repository.format.Bytes;

/// Eight bytes that tell whether a page changed (docs/format.md section 7): CRC-32C in the upper
/// half, the lower half of XXH3-64 under the source's seed in the lower. Thread-safe.
final class Fingerprints {
    private final Hasher64 hasher;

    Fingerprints(long seed) {
        hasher = Hashing.xxh3_64(seed);
    }

    long of(byte[] bytes, int offset, int length) {
        long crc = Crc32c.of(bytes, offset, length);
        return crc << 32 | hasher.hashBytesToLong(bytes, offset, length) & 0xFFFF_FFFFL;
    }

    static int crc(long fingerprint) {
        return (int) (fingerprint >>> 32);
    }

    static byte[] encode(long[] fingerprints) {
        byte[] bytes = new byte[fingerprints.length * 8];
        for (int i = 0; i < fingerprints.length; i++) {
            Bytes.putLong(bytes, i * 8, fingerprints[i]);
        }
        return bytes;
    }
}
