package dev.mainstay.storage.azure;

import com.azure.core.util.BinaryData;

import dev.mainstay.storage.ObjectStore;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/// Bytes that are put, seen through the caller's buffers: nothing is copied but what is on its way.
final class Body {
    /// The JDK copies a buffer that it writes to a socket, whole.
    private static final int SLICE = 64 << 10;

    private final List<ByteBuffer> parts;

    private Body(List<ByteBuffer> parts) {
        this.parts = parts;
    }

    static Body of(ByteBuffer... content) {
        List<ByteBuffer> parts = new ArrayList<>();
        for (ByteBuffer part : content) {
            parts.add(part.duplicate());
        }
        return new Body(parts);
    }

    long length() {
        return ObjectStore.length(parts.toArray(ByteBuffer[]::new));
    }

    /// In pieces of so many bytes, and the rest.
    List<Body> blocks(int bytes) {
        List<Body> blocks = new ArrayList<>();
        List<ByteBuffer> block = new ArrayList<>();
        int filled = 0;
        for (ByteBuffer part : parts) {
            for (int at = part.position(); at < part.limit(); ) {
                int length = Math.min(bytes - filled, part.limit() - at);
                block.add(part.slice(at, length));
                at += length;
                filled += length;
                if (filled == bytes) {
                    blocks.add(new Body(block));
                    block = new ArrayList<>();
                    filled = 0;
                }
            }
        }
        if (filled > 0) {
            blocks.add(new Body(block));
        }
        return blocks;
    }

    /// May be read as often as wanted.
    BinaryData data() {
        List<ByteBuffer> slices = new ArrayList<>();
        for (ByteBuffer part : parts) {
            for (int at = part.position(); at < part.limit(); at += SLICE) {
                slices.add(part.slice(at, Math.min(SLICE, part.limit() - at)));
            }
        }
        return BinaryData.fromListByteBuffer(slices);
    }

    /// The server compares before it answers, and keeps it beside the object.
    byte[] md5() {
        try {
            MessageDigest digest = MessageDigest.getInstance("MD5");
            parts.forEach(part -> digest.update(part.duplicate()));
            return digest.digest();
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException(missing);
        }
    }
}
