package dev.mainstay.repository;

import dev.mainstay.repository.format.ChunkId;

/// Tells whether bytes at hand are those that a backup holds, by what the backup knows of them: a
/// page by its fingerprint, a chunk by its name (docs/format.md sections 7 and 8). Nothing stored
/// is fetched. Not thread-safe.
public final class ContentCheck {
    private final Fingerprints fingerprints;
    private final ChunkNames chunkNames;

    ContentCheck(ProtectedSource source) {
        this.fingerprints = new Fingerprints(source.fingerprintSeed());
        this.chunkNames = new ChunkNames(source);
    }

    /// The fingerprint of a page. Two different pages have the same one by an accident of about 1
    /// in 2^64.
    public long fingerprint(byte[] bytes, int offset, int length) {
        return fingerprints.of(bytes, offset, length);
    }

    /// CRC-32C of the page that has a fingerprint.
    public static int crc(long fingerprint) {
        return Fingerprints.crc(fingerprint);
    }

    /// Whether the first `length` bytes are the chunk of that name.
    public boolean isChunk(ChunkId name, byte[] bytes, int length) {
        return chunkNames.of(bytes, length).equals(name);
    }
}
