package dev.mainstay.repository.format;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// A pack while it is filled (docs/format.md section 6): header, frames, the sealed directory, and
/// a 16-byte trailer that tells where the directory is.
///
/// Several threads fill one pack: each reserves the place of a frame it has compressed, seals the
/// frame for that place, and brings it. The places are given out one after the other, so no byte of
/// a pack is unused.
public final class PackBuilder {
    /// Bytes at the end of a pack: u64 directory offset, u32 directory length, u32 number of
    /// frames.
    public static final int TRAILER = 16;

    private static final int BLOCK = 1 << 20;

    /// Where a frame goes.
    public record Spot(int number, long offset, int length) {}

    /// A pack that is ready to be put.
    ///
    /// @param blocks its memory, which goes back to the pool when the pack has been put
    /// @param length of the pack in bytes
    public record Finished(PackId id, List<byte[]> blocks, int length) {
        /// The pack's bytes: those of the buffers one after the other.
        public ByteBuffer[] content() {
            ByteBuffer[] content = new ByteBuffer[blocks.size()];
            for (int i = 0; i < content.length; i++) {
                content[i] = ByteBuffer.wrap(blocks.get(i), 0, Math.min(BLOCK, length - i * BLOCK));
            }
            return content;
        }
    }

    /// Memory of packs that were put, for packs that will be filled. Thread-safe.
    public static final class Blocks {
        private final Deque<byte[]> free = new ArrayDeque<>();

        private synchronized byte[] take() {
            byte[] block = free.pollLast();
            return block == null ? new byte[BLOCK] : block;
        }

        public synchronized void giveBack(Finished pack) {
            free.addAll(pack.blocks());
        }
    }

    private final ObjectSeal seal;
    private final int targetBytes;
    private final Blocks pool;
    private final List<byte[]> blocks = new ArrayList<>();
    private final WireWriter directory = new WireWriter(4096);
    private int size;
    private int frames;
    private int awaited;
    private @Nullable Throwable broken;

    /// @param targetBytes the pack is full once the next frame would reach beyond this size
    public PackBuilder(ObjectSeal seal, int targetBytes, Blocks pool) {
        this.seal = seal;
        this.targetBytes = targetBytes;
        this.pool = pool;
        this.size = ObjectHeader.SIZE;
        cover(size);
        write(0, seal.headerBytes(), ObjectHeader.SIZE);
    }

    public ObjectSeal seal() {
        return seal;
    }

    private void cover(int end) {
        while ((long) blocks.size() * BLOCK < end) {
            blocks.add(pool.take());
        }
    }

    /// The place of the next frame, or null if this pack has no room for it; an empty pack takes
    /// any frame. Whoever has a place must [#bring] its frame or [#abandon] the pack.
    ///
    /// @param length of the frame in bytes
    public synchronized @Nullable Spot reserve(FrameKind kind, byte[] meta, int length) {
        long listed = directory.size() + 11L + meta.length;
        if (frames > 0
                && (size + length + listed > targetBytes
                        || listed > FrameCoder.MAX_PAYLOAD)) { // the directory is one frame
            return null;
        }
        directory.u8(kind.number()).varint(length).bytes(meta);
        Spot spot = new Spot(frames, size, length);
        cover(size + length);
        size += length;
        frames++;
        awaited++;
        return spot;
    }

    /// Fills a reserved place.
    public void bring(Spot spot, byte[] frame) {
        write((int) spot.offset(), frame, spot.length());
        arrived();
    }

    private synchronized void arrived() {
        awaited--;
        notifyAll();
    }

    /// Says that a reserved place will not be filled; the pack cannot be finished then.
    public synchronized void abandon(Throwable why) {
        broken = why;
        notifyAll();
    }

    private void write(int offset, byte[] bytes, int length) {
        for (int done = 0; done < length; ) {
            int at = offset + done;
            int some = Math.min(length - done, BLOCK - at % BLOCK);
            System.arraycopy(bytes, done, block(at / BLOCK), at % BLOCK, some);
            done += some;
        }
    }

    private synchronized byte[] block(int number) {
        return blocks.get(number);
    }

    /// Waits for the frames whose places are reserved, seals the directory and names the pack.
    /// Nothing may be reserved afterwards.
    ///
    /// It throws what a place was abandoned for.
    public Finished finish(FrameCoder coder) throws InterruptedException {
        awaitFrames();
        int at = size;
        byte[] entries = directory.toBytes();
        int length = coder.compress(FrameKind.DIRECTORY, new byte[0], entries, 0, entries.length);
        cover(at + length + TRAILER);
        write(at, coder.seal(seal, frames, at), length);
        byte[] trailer = new byte[TRAILER];
        Bytes.putLong(trailer, 0, at);
        Bytes.putInt(trailer, 8, length);
        Bytes.putInt(trailer, 12, frames);
        write(at + length, trailer, TRAILER);
        return finished(at + length + TRAILER);
    }

    private synchronized void awaitFrames() throws InterruptedException {
        while (awaited > 0 && broken == null) {
            wait();
        }
        switch (broken) {
            case null -> {}
            case RuntimeException failed -> throw failed;
            case Error failed -> throw failed;
            case Throwable failed -> throw new IllegalStateException(failed);
        }
    }

    private Finished finished(int length) {
        MessageDigest digest = Bytes.sha256();
        for (int i = 0; i < blocks.size(); i++) {
            digest.update(blocks.get(i), 0, Math.min(BLOCK, length - i * BLOCK));
        }
        return new Finished(new PackId(digest.digest()), List.copyOf(blocks), length);
    }
}
