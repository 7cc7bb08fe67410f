package dev.mainstay.engine.restore;

import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;

import java.nio.file.Path;
import java.util.Optional;

/// Turns entries of a backup into reads of frames.
final class FileBatches {
    private FileBatches() {}

    /// Adds the frames of an entry's file to a batch.
    ///
    /// @return the file; empty for directories and links
    static Optional<FileWork> file(
            ManifestEntry entry, Path path, BackupReader reader, FrameReads batch) {
        return switch (entry.content()) {
            case Content.Directory _, Content.Link _ -> Optional.empty();
            case Content.Paged paged -> {
                FileWork.Pages pages = new FileWork.Pages(reader.map(paged));
                FileWork file = new FileWork(entry, path, pages);
                batch.add(file, pages);
                yield Optional.of(file);
            }
            case Content.Chunked chunked -> {
                FileWork.Chunks chunks = new FileWork.Chunks(chunked.chunks());
                FileWork file = new FileWork(entry, path, chunks);
                batch.add(file, chunks);
                yield Optional.of(file);
            }
        };
    }
}
