package dev.mainstay.repository;

import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.repository.format.WireReader;
import dev.mainstay.repository.format.WireWriter;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What backups and index pieces expect of the frames of packs, sorted roughly by pack, so that
/// each pack can be read once and judged by everything that refers to it. What does not fit in a
/// few MiB lies in a temporary file that is deleted when it is closed or the process ends.
final class ExpectedFrames implements AutoCloseable {
    private static final int BUFFER = 32 << 10;
    private static final int PREFIXES = 256;

    /// What one of them expects.
    ///
    /// @param count pages of a frame of pages, `firstBlock` and `lastBlock` among them; bytes of a
    ///   chunk; bytes that a frame of fingerprints has at least
    /// @param check the digest of the payload, or the id of the chunk; empty for other frames
    /// @param origin who expects it
    /// @param at where the frame is by now
    record Expected(
            FrameRef ref,
            FrameKind kind,
            int count,
            int firstBlock,
            int lastBlock,
            byte[] check,
            int origin,
            FrameRef at) {
        Expected(
                FrameRef ref,
                FrameKind kind,
                int count,
                int firstBlock,
                int lastBlock,
                byte[] check,
                int origin) {
            this(ref, kind, count, firstBlock, lastBlock, check, origin, ref);
        }

        boolean hasMoved() {
            return !at.equals(ref);
        }

        Expected movedTo(FrameRef place) {
            return new Expected(ref, kind, count, firstBlock, lastBlock, check, origin, place);
        }

        private void write(WireWriter out) {
            ref.write(out);
            out.u8(kind.number()).varint(count).varint(firstBlock).varint(lastBlock);
            out.bytes(check).varint(origin).u8(hasMoved() ? 1 : 0);
            if (hasMoved()) {
                at.write(out);
            }
        }

        private static Expected read(WireReader in) {
            Expected expected =
                    new Expected(
                            FrameRef.read(in),
                            FrameKind.of(in, in.u8()),
                            in.count(),
                            in.count(),
                            in.count(),
                            in.bytes(),
                            in.count());
            return in.u8() == 0 ? expected : expected.movedTo(FrameRef.read(in));
        }
    }

    private static final class Bucket {
        final WireWriter tail = new WireWriter(256);
        final List<long[]> extents = new ArrayList<>();
    }

    private final Map<Integer, Bucket> buckets = new HashMap<>();
    private @Nullable FileChannel spill;
    private long spilled;

    /// Packs of one class whose names begin with the same byte are kept together.
    static int bucketOf(PackClass packClass, PackId pack) {
        return packClass.number() * PREFIXES + (pack.sha256()[0] & 0xFF);
    }

    void add(Expected expected) {
        FrameRef at = expected.at;
        Bucket bucket =
                buckets.computeIfAbsent(bucketOf(at.packClass(), at.pack()), _ -> new Bucket());
        expected.write(bucket.tail);
        if (bucket.tail.size() > BUFFER) {
            flush(bucket);
        }
    }

    private void flush(Bucket bucket) {
        try {
            FileChannel file = spill;
            if (file == null) {
                file = ScratchFile.open("mainstay-verify");
                spill = file;
            }
            ByteBuffer bytes = ByteBuffer.wrap(bucket.tail.array(), 0, bucket.tail.size());
            bucket.extents.add(new long[] {spilled, bytes.remaining()});
            while (bytes.hasRemaining()) {
                spilled += file.write(bytes, spilled);
            }
            bucket.tail.clear();
        } catch (IOException failed) {
            throw failed(failed);
        }
    }

    private static MainstayException failed(IOException failed) {
        return ScratchFile.failed("what is to be verified", failed);
    }

    /// Takes out everything that is expected of a bucket's packs.
    Map<PackId, List<Expected>> take(int number) {
        Bucket bucket = buckets.remove(number);
        Map<PackId, List<Expected>> byPack = new HashMap<>();
        if (bucket != null) {
            bucket.extents.forEach(extent -> collect(read(extent), byPack));
            collect(bucket.tail.toBytes(), byPack);
        }
        return byPack;
    }

    private byte[] read(long[] extent) {
        byte[] bytes = new byte[(int) extent[1]];
        ByteBuffer into = ByteBuffer.wrap(bytes);
        try {
            while (into.hasRemaining()) {
                FileChannel file = java.util.Objects.requireNonNull(spill);
                if (file.read(into, extent[0] + into.position()) < 0) {
                    throw new IOException("the temporary file ends early");
                }
            }
        } catch (IOException failed) {
            throw failed(failed);
        }
        return bytes;
    }

    private static void collect(byte[] bytes, Map<PackId, List<Expected>> into) {
        WireReader in = new WireReader("what is expected of packs", bytes);
        while (in.remaining() > 0) {
            Expected expected = Expected.read(in);
            into.computeIfAbsent(expected.at.pack(), _ -> new ArrayList<>()).add(expected);
        }
    }

    /// The buckets that were not taken yet.
    List<Integer> remaining() {
        return buckets.keySet().stream().sorted().toList();
    }

    @Override
    public void close() {
        try {
            if (spill != null) {
                spill.close();
            }
        } catch (IOException failed) {
            throw failed(failed);
        }
    }
}
