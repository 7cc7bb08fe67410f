package dev.mainstay.repository;

import dev.mainstay.repository.format.ChunkId;

/// Tells whether bytes at hand are a chunk that a backup holds, by its name (docs/format.md section
/// 8). Nothing stored is fetched. Not thread-safe.
public final class ContentCheck {
    private final ChunkNames chunkNames;

    ContentCheck(ProtectedSource source) {
        this.chunkNames = new ChunkNames(source);
    }

    /// Whether the first `length` bytes are the chunk of that name.
    public boolean isChunk(ChunkId name, byte[] bytes, int length) {
        return chunkNames.of(bytes, length).equals(name);
    }
}
