package dev.mainstay.repository.format;

import java.util.Arrays;
import java.util.HexFormat;

/// The name of a pack: the SHA-256 of its bytes.
public record PackId(byte[] sha256) implements Comparable<PackId> {
    public PackId {
        if (sha256.length != 32) {
            throw new IllegalArgumentException("a pack id has 32 bytes");
        }
    }

    public static PackId parse(String hex) {
        return new PackId(HexFormat.of().parseHex(hex));
    }

    public String hex() {
        return HexFormat.of().formatHex(sha256);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PackId id && Arrays.equals(sha256, id.sha256);
    }

    @Override
    public int hashCode() {
        return Bytes.getInt(sha256, 0);
    }

    @Override
    public int compareTo(PackId other) {
        return Arrays.compareUnsigned(sha256, other.sha256);
    }

    @Override
    public String toString() {
        return hex();
    }
}
