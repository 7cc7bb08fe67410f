package dev.mainstay.repository.format;

import java.nio.ByteBuffer;
import java.util.Arrays;

/// A pack while it is filled (docs/format.md section 6): header, frames, the sealed directory, and
/// a 16-byte trailer that tells where the directory is. Not thread-safe.
public final class PackBuilder {
    /// Bytes at the end of a pack: u64 directory offset, u32 directory length, u32 number of
    /// frames.
    public static final int TRAILER = 16;

    /// Where a frame went.
    public record Spot(int number, long offset, int length) {}

    /// A pack that is ready to be put.
    ///
    /// @param content from position to limit; shares the builder's buffer
    public record Finished(PackId id, ByteBuffer content) {}

    private final ObjectSeal seal;
    private final int targetBytes;
    private final WireWriter directory = new WireWriter(4096);
    private byte[] bytes;
    private int size = ObjectHeader.SIZE;
    private int frames;

    /// @param targetBytes the pack is full once the next frame would reach beyond this size
    public PackBuilder(ObjectSeal seal, int targetBytes) {
        this.seal = seal;
        this.targetBytes = targetBytes;
        this.bytes = new byte[Math.min(targetBytes, 1 << 20) + ObjectHeader.SIZE];
        System.arraycopy(seal.headerBytes(), 0, bytes, 0, ObjectHeader.SIZE);
    }

    public boolean isEmpty() {
        return frames == 0;
    }

    /// Whether a frame of this content may still go in; an empty pack takes any frame.
    public boolean hasRoomFor(int metaLength, int payloadLength) {
        long listed = directory.size() + 11L + metaLength;
        return frames == 0
                || (long) size + FrameCoder.bound(metaLength, payloadLength) + directory.size()
                                <= targetBytes
                        && listed <= FrameCoder.MAX_PAYLOAD; // the directory is one frame
    }

    private void room(int more) {
        if (bytes.length - size < more) {
            long doubled = Math.min(bytes.length * 2L, targetBytes + (long) more);
            bytes = Arrays.copyOf(bytes, (int) Math.max(doubled, (long) size + more));
        }
    }

    public Spot append(
            FrameCoder coder, FrameKind kind, byte[] meta, byte[] content, int offset, int length) {
        room(FrameCoder.bound(meta.length, length));
        int written =
                coder.append(seal, frames, size, kind, meta, content, offset, length, bytes, size);
        directory.u8(kind.number()).varint(written).bytes(meta);
        Spot spot = new Spot(frames, size, written);
        size += written;
        frames++;
        return spot;
    }

    /// Seals the directory and names the pack. Nothing may be appended afterwards.
    public Finished finish(FrameCoder coder) {
        room(FrameCoder.bound(0, directory.size()) + TRAILER);
        int at = size;
        int written =
                coder.append(
                        seal,
                        frames,
                        at,
                        FrameKind.DIRECTORY,
                        new byte[0],
                        directory.array(),
                        0,
                        directory.size(),
                        bytes,
                        at);
        size += written;
        Bytes.putLong(bytes, size, at);
        Bytes.putInt(bytes, size + 8, written);
        Bytes.putInt(bytes, size + 12, frames);
        size += TRAILER;
        PackId id = new PackId(Bytes.sha256(bytes, 0, size));
        return new Finished(id, ByteBuffer.wrap(bytes, 0, size));
    }
}
