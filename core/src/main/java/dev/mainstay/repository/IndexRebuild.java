package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.ManifestEntry.Content;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Makes index pieces again: what a backup's manifest names, and no other piece does. A manifest
/// names each chunk with the frame that holds it, so nothing of what is packed has to be read.
final class IndexRebuild {
    private final ProtectedSource source;

    IndexRebuild(ProtectedSource source) {
        this.source = source;
    }

    /// The object of a backup's piece; empty if it would say nothing new, or the backup is none.
    ///
    /// @throws MainstayException if its manifest cannot be read
    Optional<byte[]> piece(BackupId backup) {
        Optional<CommittedBackup> committed =
                source.backups().stream().filter(each -> each.id().equals(backup)).findFirst();
        return committed.flatMap(each -> piece(each, ChunkIndex.readable(source)));
    }

    private Optional<byte[]> piece(CommittedBackup backup, ChunkIndex others) {
        Map<ChunkId, ChunkRef> chunks = new LinkedHashMap<>();
        try (BackupReader reader = source.read(backup)) {
            reader.entries(
                    entry -> {
                        if (entry.content() instanceof Content.Chunked(List<ChunkRef> all)) {
                            all.stream()
                                    .filter(chunk -> others.find(chunk.id()).isEmpty())
                                    .forEach(chunk -> chunks.putIfAbsent(chunk.id(), chunk));
                        }
                    });
        }
        return chunks.isEmpty()
                ? Optional.empty()
                : Optional.of(ChunkIndex.piece(source, chunks.values()));
    }

    /// Puts the pieces that are missing: of backups that have none, and chunks that none names.
    ///
    /// @param put is told of each
    void missing(Consumer<String> put) {
        Vault vault = source.vault();
        for (CommittedBackup backup : source.backups()) {
            String name = Names.index(source.id()) + backup.id();
            if (vault.store.size(name).isPresent()) {
                continue;
            }
            try {
                piece(backup, ChunkIndex.readable(source))
                        .ifPresent(
                                bytes -> {
                                    vault.store.put(name, ByteBuffer.wrap(bytes));
                                    put.accept(name);
                                });
            } catch (MainstayException unread) {
                if (BegunBackup.isPassing(unread)) {
                    throw unread;
                } // its manifest is damaged, which is told; an index only saves work
            }
        }
    }
}
