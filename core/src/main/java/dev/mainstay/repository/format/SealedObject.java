package dev.mainstay.repository.format;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/// Every object that is no pack: header, frames one after the other, and the SHA-256 of all bytes
/// before it, so that anybody can check it without a key (docs/format.md section 3).
public final class SealedObject {
    private static final int HASH = 32;

    /// A frame to write or that was read.
    public record Part(FrameKind kind, byte[] meta, byte[] payload) {}

    private SealedObject() {}

    public static byte[] write(FrameCoder coder, ObjectSeal seal, List<Part> parts) {
        int bound = ObjectHeader.SIZE + HASH;
        for (Part part : parts) {
            bound += FrameCoder.bound(part.meta.length, part.payload.length);
        }
        byte[] out = new byte[bound];
        System.arraycopy(seal.headerBytes(), 0, out, 0, ObjectHeader.SIZE);
        int at = ObjectHeader.SIZE;
        int number = 0;
        for (Part part : parts) {
            at +=
                    coder.append(
                            seal,
                            number++,
                            at,
                            part.kind,
                            part.meta,
                            part.payload,
                            0,
                            part.payload.length,
                            out,
                            at);
        }
        System.arraycopy(Bytes.sha256(out, 0, at), 0, out, at, HASH);
        return Arrays.copyOf(out, at + HASH);
    }

    /// Checks the trailing hash; needs no key.
    ///
    /// @throws MainstayException OBJECT_DAMAGED
    public static void check(String name, byte[] bytes) {
        int end = bytes.length - HASH;
        if (end < ObjectHeader.SIZE
                || !Arrays.equals(Bytes.sha256(bytes, 0, end), 0, HASH, bytes, end, bytes.length)) {
            throw ObjectHeader.damaged(name, "does not match its own hash");
        }
    }

    /// Reads a whole object: header first, so that a foreign or newer one is named as such, then
    /// the hash, then the frames.
    ///
    /// @param keys gives the key of the header's scope
    public static List<Part> read(
            String name,
            ObjectType type,
            byte[] bytes,
            FrameCoder coder,
            Function<ObjectHeader, ObjectSeal> keys) {
        ObjectHeader header = ObjectHeader.read(name, type, bytes);
        check(name, bytes);
        ObjectSeal seal = keys.apply(header);
        List<Part> parts = new ArrayList<>();
        int at = ObjectHeader.SIZE;
        int end = bytes.length - HASH;
        while (at < end) {
            int length = frameLength(name, bytes, at, end);
            Frame frame = coder.open(name, seal, parts.size(), at, bytes, at, length);
            parts.add(new Part(frame.kind(), frame.meta(), frame.toBytes()));
            at += length;
        }
        if (parts.isEmpty()) {
            throw ObjectHeader.damaged(name, "is empty");
        }
        return parts;
    }

    /// Reads the first frame from a prefix of an object, as far as it was fetched.
    public static Part readFirst(
            String name,
            ObjectType type,
            byte[] prefix,
            FrameCoder coder,
            Function<ObjectHeader, ObjectSeal> keys) {
        ObjectHeader header = ObjectHeader.read(name, type, prefix);
        int length = frameLength(name, prefix, ObjectHeader.SIZE, prefix.length);
        Frame frame =
                coder.open(
                        name,
                        keys.apply(header),
                        0,
                        ObjectHeader.SIZE,
                        prefix,
                        ObjectHeader.SIZE,
                        length);
        return new Part(frame.kind(), frame.meta(), frame.toBytes());
    }

    private static int frameLength(String name, byte[] bytes, int at, int end) {
        int length = end - at < 4 ? -1 : Bytes.getInt(bytes, at);
        if (length < 0 || length > end - at - 4) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "object " + name + " has a frame that reaches beyond its end");
        }
        return length + 4;
    }
}
