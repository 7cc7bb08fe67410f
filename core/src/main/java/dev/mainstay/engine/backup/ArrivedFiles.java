package dev.mainstay.engine.backup;

import com.dynatrace.hash4j.hashing.Hashing;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

/// The files of a base backup that arrived, with size and checksum, against the server's manifest.
/// Thirteen bytes for a place, so that millions of files fit. For one thread.
final class ArrivedFiles {
    private static final int FIRST_PLACES = 1 << 12;

    private static final byte FREE = 0;
    private static final byte ARRIVED = 1;
    private static final byte NAMED = 2;

    private long[] paths = new long[FIRST_PLACES];
    private int[] contents = new int[FIRST_PLACES];
    private byte[] states = new byte[FIRST_PLACES];
    private int count;
    private long named;

    /// A file arrived.
    ///
    /// @throws MainstayException SERVER_PROTOCOL if it did before
    void arrived(String path, long sizeBytes, int crc32c) {
        if (count > paths.length / 10 * 6) {
            grow();
        }
        long hash = hash(path);
        int at = place(hash);
        if (states[at] != FREE) {
            throw refused("file " + path + " arrived twice");
        }
        paths[at] = hash;
        contents[at] = content(sizeBytes, crc32c);
        states[at] = ARRIVED;
        count++;
    }

    /// The manifest names a file.
    ///
    /// @throws MainstayException SERVER_PROTOCOL if it did not arrive, or not as it should be
    void named(String path, long sizeBytes, int crc32c) {
        int at = place(hash(path));
        if (states[at] == FREE) {
            throw refused("file " + path + " of the server's manifest did not arrive");
        }
        if (contents[at] != content(sizeBytes, crc32c)) {
            throw refused(
                    "file "
                            + path
                            + " did not arrive as the server's manifest has it: its size or"
                            + " its checksum is another");
        }
        if (states[at] == NAMED) {
            throw refused("the server's manifest names file " + path + " twice");
        }
        states[at] = NAMED;
        named++;
    }

    /// @throws MainstayException SERVER_PROTOCOL unless the manifest named every file, once
    void requireAllNamed() {
        if (named != count) {
            throw refused(count + " files arrived, and the server's manifest names " + named);
        }
    }

    private static MainstayException refused(String what) {
        return new MainstayException(
                ErrorCode.SERVER_PROTOCOL,
                what,
                "take the backup again; if it happens again, the line to the server or its memory"
                        + " is failing",
                null);
    }

    private static long hash(String path) {
        return Hashing.xxh3_64().hashCharsToLong(path);
    }

    private static int content(long sizeBytes, int crc32c) {
        return Long.hashCode(sizeBytes * 0x9E37_79B9_7F4A_7C15L) ^ crc32c;
    }

    private int place(long hash) {
        int mask = paths.length - 1;
        int at = (int) (hash & mask);
        while (states[at] != FREE && paths[at] != hash) {
            at = at + 1 & mask;
        }
        return at;
    }

    private void grow() {
        long[] oldPaths = paths;
        int[] oldContents = contents;
        byte[] oldStates = states;
        paths = new long[oldPaths.length * 2];
        contents = new int[paths.length];
        states = new byte[paths.length];
        for (int i = 0; i < oldPaths.length; i++) {
            if (oldStates[i] != FREE) {
                int at = place(oldPaths[i]);
                paths[at] = oldPaths[i];
                contents[at] = oldContents[i];
                states[at] = oldStates[i];
            }
        }
    }
}
