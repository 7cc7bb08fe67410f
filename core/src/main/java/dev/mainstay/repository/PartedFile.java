package dev.mainstay.repository;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/// A relation segment file that is being stored in parts ([BackupWriter.Worker#begin]), so that all
/// workers of a backup can share a large one.
public final class PartedFile {
    final PagedFile file;
    final Optional<PriorFile> prior;
    final ChangedPages changed;
    private final AtomicInteger partsLeft;

    PartedFile(PagedFile file, Optional<PriorFile> prior, ChangedPages changed, int parts) {
        this.file = file;
        this.prior = prior;
        this.changed = changed;
        this.partsLeft = new AtomicInteger(parts);
    }

    /// How many pages the earlier backup has of the file; empty where it cannot serve, and every
    /// page is stored.
    public OptionalInt earlierPages() {
        return prior.map(known -> OptionalInt.of(known.pages())).orElseGet(OptionalInt::empty);
    }

    /// Also makes what the other parts did visible to whoever stored the last one.
    boolean wasLastPart() {
        return partsLeft.decrementAndGet() == 0;
    }
}
