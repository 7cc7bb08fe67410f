package dev.mainstay.repository.format;

import java.util.Arrays;
import java.util.HexFormat;

/// The name of a chunk within its source: HMAC-SHA-256 of its plain bytes under the source's chunk
/// key, so that it tells a stranger nothing about the content.
public record ChunkId(byte[] bytes) implements Comparable<ChunkId> {
    public ChunkId {
        if (bytes.length != 32) {
            throw new IllegalArgumentException("a chunk id has 32 bytes");
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ChunkId id && Arrays.equals(bytes, id.bytes);
    }

    @Override
    public int hashCode() {
        return Bytes.getInt(bytes, 0);
    }

    @Override
    public int compareTo(ChunkId other) {
        return Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public String toString() {
        return HexFormat.of().formatHex(bytes);
    }
}
