package dev.mainstay.repository;

import dev.mainstay.repository.format.WireReader;
import dev.mainstay.repository.format.WireWriter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.Optional;

/// Bytes kept by path: they lie in a temporary file and only 16 bytes for each path are in memory,
/// so that millions of files fit. Filled by one thread; once it is complete, any may ask.
///
/// The temporary file is deleted as soon as it is open, so nothing of it stays, whatever happens.
final class PathTable implements AutoCloseable {
    private static final int BUFFER = 1 << 16;

    private final String what;
    private final FileChannel spill;
    private final WireWriter buffer = new WireWriter(BUFFER * 2);
    private long flushed;
    private long[] hashes = new long[1024];
    private long[] offsets = new long[1024];
    private int count;

    /// @param what is kept here, for errors
    PathTable(String what) {
        this.what = what;
        try {
            spill = ScratchFile.open("mainstay-prior");
        } catch (IOException failed) {
            throw ScratchFile.failed(what, failed);
        }
    }

    int size() {
        return count;
    }

    void add(String path, byte[] bytes) {
        if (buffer.size() > BUFFER) {
            flush();
        }
        if (count == hashes.length) {
            hashes = Arrays.copyOf(hashes, count * 2);
            offsets = Arrays.copyOf(offsets, count * 2);
        }
        hashes[count] = hash(path);
        offsets[count++] = flushed + buffer.size();
        WireWriter one = new WireWriter(bytes.length + path.length() + 16);
        one.string(path).raw(bytes);
        buffer.u32(one.size()).raw(one.array(), 0, one.size());
    }

    private void flush() {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(buffer.array(), 0, buffer.size());
            while (bytes.hasRemaining()) {
                flushed += spill.write(bytes, flushed);
            }
            buffer.clear();
        } catch (IOException failed) {
            throw ScratchFile.failed(what, failed);
        }
    }

    /// Ends the filling. An open-addressed table by hash: each entry lands in the first free place
    /// from its own.
    void complete() {
        flush();
        int size = Integer.highestOneBit(Math.max(16, count)) * 4;
        long[] tableHashes = new long[size];
        long[] tableOffsets = new long[size];
        Arrays.fill(tableOffsets, -1);
        for (int i = 0; i < count; i++) {
            int at = (int) (hashes[i] & size - 1);
            while (tableOffsets[at] >= 0) {
                at = at + 1 & size - 1;
            }
            tableHashes[at] = hashes[i];
            tableOffsets[at] = offsets[i];
        }
        hashes = tableHashes;
        offsets = tableOffsets;
    }

    private static long hash(String path) {
        return com.dynatrace.hash4j.hashing.Hashing.xxh3_64().hashCharsToLong(path);
    }

    /// What was added for a path first.
    Optional<byte[]> find(String path) {
        long hash = hash(path);
        int mask = hashes.length - 1;
        for (int at = (int) (hash & mask); offsets[at] >= 0; at = at + 1 & mask) {
            if (hashes[at] == hash) {
                byte[] entry = entryAt(offsets[at]);
                WireReader in = new WireReader(what, entry);
                if (in.string().equals(path)) {
                    return Optional.of(Arrays.copyOfRange(entry, in.position(), entry.length));
                }
            }
        }
        return Optional.empty();
    }

    private byte[] entryAt(long offset) {
        byte[] length = new byte[4];
        readFully(offset, length);
        byte[] bytes = new byte[ByteBuffer.wrap(length).getInt()];
        readFully(offset + 4, bytes);
        return bytes;
    }

    private void readFully(long offset, byte[] into) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(into);
            while (bytes.hasRemaining()) {
                int got = spill.read(bytes, offset + bytes.position());
                if (got < 0) {
                    throw new IOException("ends early");
                }
            }
        } catch (IOException failed) {
            throw ScratchFile.failed(what, failed);
        }
    }

    @Override
    public void close() {
        try {
            spill.close();
        } catch (IOException failed) {
            throw ScratchFile.failed(what, failed);
        }
    }
}
