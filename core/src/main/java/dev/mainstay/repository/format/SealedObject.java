package dev.mainstay.repository.format;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/// Every object that is no pack: header, frames one after the other, and the SHA-256 of all bytes
/// before it, so that anybody can check it without a key (docs/format.md section 3).
public final class SealedObject {
    private static final int HASH = 32;
    private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

    /// A frame to write or that was read.
    public record Part(FrameKind kind, byte[] meta, byte[] payload) {}

    private SealedObject() {}

    public static byte[] write(FrameCoder coder, ObjectSeal seal, List<Part> parts) {
        Writer writer = new Writer(coder, seal);
        for (Part part : parts) {
            writer.add(part.kind, part.meta, part.payload, 0, part.payload.length);
        }
        ByteBuffer object = writer.end();
        byte[] bytes = new byte[object.remaining()];
        object.get(bytes);
        return bytes;
    }

    /// Makes an object frame by frame.
    public static final class Writer {
        private static final int FIRST_BYTES = 1 << 12;

        private final FrameCoder coder;
        private final ObjectSeal seal;
        private byte[] out;
        private int at = ObjectHeader.SIZE;
        private int number;

        /// @param coder is not closed
        public Writer(FrameCoder coder, ObjectSeal seal) {
            this(coder, seal, FIRST_BYTES);
        }

        /// @param bytes what the object may become; it may become more
        public Writer(FrameCoder coder, ObjectSeal seal, int bytes) {
            this.out = new byte[Math.max(bytes, FIRST_BYTES)];
            this.coder = coder;
            this.seal = seal;
            System.arraycopy(seal.headerBytes(), 0, out, 0, ObjectHeader.SIZE);
        }

        /// Adds a frame.
        public void add(FrameKind kind, byte[] meta, byte[] content, int offset, int length) {
            int frame = coder.compress(kind, meta, content, offset, length);
            byte[] sealed = coder.seal(seal, number++, at);
            reserve(frame + HASH);
            System.arraycopy(sealed, 0, out, at, frame);
            at += frame;
        }

        private void reserve(int bytes) {
            if (out.length - at < bytes) {
                out = Arrays.copyOf(out, Math.max(at + bytes, (int) Math.min(2L * at, MAX_ARRAY)));
            }
        }

        /// The whole object.
        public ByteBuffer end() {
            System.arraycopy(Bytes.sha256(out, 0, at), 0, out, at, HASH);
            return ByteBuffer.wrap(out, 0, at + HASH);
        }
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

    /// Takes frames in order.
    @FunctionalInterface
    public interface Frames<E extends Exception> {
        /// @param frame valid until this returns
        void accept(int number, Frame frame) throws E;
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
        List<Part> parts = new ArrayList<>();
        Frames<RuntimeException> add =
                (_, frame) -> parts.add(new Part(frame.kind(), frame.meta(), frame.toBytes()));
        read(name, type, bytes, coder, keys, add);
        return parts;
    }

    /// As [#read(String, ObjectType, byte[], FrameCoder, Function)], one frame at a time.
    public static <E extends Exception> void read(
            String name,
            ObjectType type,
            byte[] bytes,
            FrameCoder coder,
            Function<ObjectHeader, ObjectSeal> keys,
            Frames<E> frames)
            throws E {
        ObjectHeader header = ObjectHeader.read(name, type, bytes);
        check(name, bytes);
        ObjectSeal seal = keys.apply(header);
        int number = 0;
        int at = ObjectHeader.SIZE;
        int end = bytes.length - HASH;
        while (at < end) {
            int length = frameLength(name, bytes, at, end);
            frames.accept(number, coder.open(name, seal, number, at, bytes, at, length));
            number++;
            at += length;
        }
        if (number == 0) {
            throw ObjectHeader.damaged(name, "is empty");
        }
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
