package dev.mainstay.repository;

import dev.mainstay.repository.format.Bytes;

import java.io.IOException;
import java.io.InputStream;

/// Cuts a stream into chunks where its content says so: FastCDC with normalised chunking (Xia et
/// al., USENIX ATC 2016). The gear table is derived from the source's key, so cut points alone are
/// no dictionary of known files.
final class Chunker {
    /// Receives a chunk; the array is used again afterwards.
    interface Sink {
        void chunk(byte[] bytes, int length);
    }

    private final long[] gear = new long[256];
    private final int min;
    private final int average;
    private final int max;
    private final long strictMask;
    private final long easyMask;

    /// @param key 32 bytes
    Chunker(byte[] key, BackupOptions.FrameShape shape) {
        byte[] seed = new byte[33];
        System.arraycopy(key, 0, seed, 0, 32);
        for (int i = 0; i < 256; i++) {
            seed[32] = (byte) i;
            gear[i] = Bytes.getLong(Bytes.sha256(seed, 0, seed.length), 0);
        }
        min = shape.chunkMinBytes();
        average = shape.chunkAverageBytes();
        max = shape.chunkMaxBytes();
        int bits = 31 - Integer.numberOfLeadingZeros(average);
        strictMask = -1L << 64 - Math.min(bits + 2, 40);
        easyMask = -1L << 64 - Math.max(bits - 2, 1);
    }

    /// Length of the first chunk of what is in `bytes`; all of it where no cut point is found.
    int cut(byte[] bytes, int length) {
        if (length <= min) {
            return length;
        }
        int end = Math.min(length, max);
        int normal = Math.min(average, end);
        long hash = 0;
        int at = min;
        for (; at < normal; at++) {
            hash = (hash << 1) + gear[bytes[at] & 0xFF];
            if ((hash & strictMask) == 0) {
                return at + 1;
            }
        }
        for (; at < end; at++) {
            hash = (hash << 1) + gear[bytes[at] & 0xFF];
            if ((hash & easyMask) == 0) {
                return at + 1;
            }
        }
        return end;
    }

    /// @param space to work in, which grows where that is too little
    /// @return it, to be used again
    byte[] split(InputStream content, byte[] space, Sink sink) throws IOException {
        byte[] window = space;
        int filled = 0;
        while (true) {
            int got = content.readNBytes(window, filled, window.length - filled);
            filled += got;
            boolean ended = filled < window.length;
            if (!ended && window.length < max) {
                window = java.util.Arrays.copyOf(window, Math.min(max, window.length * 4));
                continue;
            }
            if (filled == 0) {
                return window;
            }
            int cut = cut(window, filled);
            sink.chunk(window, cut);
            System.arraycopy(window, cut, window, 0, filled - cut);
            filled -= cut;
            if (ended && filled == 0) {
                return window;
            }
        }
    }
}
