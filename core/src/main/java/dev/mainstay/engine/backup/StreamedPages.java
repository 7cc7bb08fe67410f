package dev.mainstay.engine.backup;

import dev.mainstay.base.Lsn;
import dev.mainstay.postgres.cluster.DamagedPage;
import dev.mainstay.postgres.cluster.PageCheck;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.ChangedPages;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.PageSource;
import dev.mainstay.repository.PartedFile;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;

/// Stores the pages that one worker takes from a [PageRelay], and checks each of them.
///
/// A page cannot be read again. The server reads one again whose checksum is wrong and whose LSN is
/// before the backup's start, before it sends it. So one that is wrong here is damaged, unless its
/// LSN lies between the backup's start and the server's insert position: then it was being written
/// while the server read it, and replay puts it right.
final class StreamedPages implements AutoCloseable {
    /// What all workers share.
    ///
    /// @param verification empty for a cluster without data checksums
    record Terms(
            BackupWriter writer,
            BackupDetails.Layout layout,
            Optional<Verification> verification) {}

    /// @param insertPosition asks the server where it inserts WAL now
    record Verification(Lsn backupStart, Supplier<Lsn> insertPosition, BackupFindings findings) {}

    /// A relation file on its way, of which several workers may store parts.
    static final class Relation {
        private final FileFacts facts;
        private final int pages;
        private final int parts;
        private final int firstBlock;
        private final Optional<IncrementalPages> only;
        private Optional<PartedFile> begun = Optional.empty();

        /// @param firstBlock number of the file's first page within its fork; unsigned
        /// @param only which pages come; empty if all do
        Relation(
                FileFacts facts,
                int pages,
                int parts,
                int firstBlock,
                Optional<IncrementalPages> only) {
            this.facts = facts;
            this.pages = pages;
            this.parts = parts;
            this.firstBlock = firstBlock;
            this.only = only;
        }

        private synchronized PartedFile begun(BackupWriter.Worker worker) {
            if (begun.isEmpty()) {
                ChangedPages changed = only.isPresent() ? only.get() : ChangedPages.ALL;
                PartedFile file = worker.begin(facts, pages, parts, changed);
                if (only.isPresent() && file.earlierPages().isEmpty()) {
                    throw new NotIncremental(
                            "what the earlier backup has of " + facts.path() + " cannot be used");
                }
                begun = Optional.of(file);
            }
            return begun.get();
        }
    }

    /// A part of a relation file.
    ///
    /// @param from its first page
    /// @param end the page after its last
    record Slice(Relation relation, int from, int end) implements PageRelay.Subject {}

    private final Terms terms;
    private final PageRelay relay;
    private final BackupWriter.Worker worker;

    StreamedPages(Terms terms, PageRelay relay) {
        this.terms = terms;
        this.relay = relay;
        this.worker = terms.writer.worker(terms.layout.blockSize());
    }

    /// Stores parts until there are no more. A failure ends everybody who works on the relay.
    void work() {
        try {
            for (Optional<PageRelay.Part> part = relay.take();
                    part.isPresent();
                    part = relay.take()) {
                store(part.get(), (Slice) part.get().subject());
            }
        } catch (RuntimeException | Error failed) {
            relay.fail(failed);
            throw failed;
        }
    }

    private void store(PageRelay.Part part, Slice slice) {
        PartedFile file = slice.relation.begun(worker);
        try (ArrivingPages pages = new ArrivingPages(relay, part, terms.layout.blockSize())) {
            Arriving arriving =
                    slice.relation.only.isPresent()
                            ? new Some(pages, slice, file, slice.relation.only.get())
                            : new All(pages, slice, file);
            worker.part(file, slice.from, slice.end, arriving);
            if (slice.relation.only.isPresent() && !pages.isAtEnd()) {
                throw new IllegalStateException(
                        "pages of " + slice.relation.facts.path() + " came that nobody stored");
            }
        }
    }

    /// The pages of a part in the order they come, and after them any unchanged page of the file.
    private abstract class Arriving implements PageSource {
        final ArrivingPages pages;
        final Slice slice;
        final PartedFile file;

        /// The first page of the part that was not asked for yet.
        int next;

        private Optional<PageSource> earlier = Optional.empty();

        Arriving(ArrivingPages pages, Slice slice, PartedFile file) {
            this.pages = pages;
            this.slice = slice;
            this.file = file;
            this.next = slice.from;
        }

        /// Whether a page is taken from what arrives.
        abstract boolean arrives(int block);

        /// @return how many pages there are
        abstract int take(int firstBlock, int count, byte[] into);

        @Override
        public int read(int firstBlock, int count, byte[] into) {
            if (!arrives(firstBlock)) {
                if (earlier.isEmpty()) {
                    earlier = Optional.of(worker.earlierPages(file));
                }
                return earlier.get().read(firstBlock, count, into);
            }
            int got = take(firstBlock, count, into);
            check(firstBlock, got, into);
            next = firstBlock + got;
            return got;
        }

        @Override
        public boolean isLive() {
            return false;
        }

        private void check(int firstBlock, int count, byte[] bytes) {
            if (terms.verification.isEmpty()) {
                return;
            }
            int size = terms.layout.blockSize();
            for (int page = 0; page < count; page++) {
                int block = slice.relation.firstBlock + firstBlock + page;
                if (PageCheck.verify(bytes, page * size, size, block)
                        instanceof PageCheck.Mismatch wrong) {
                    judge(terms.verification.get(), wrong, block, firstBlock + page);
                }
            }
        }

        private void judge(Verification how, PageCheck.Mismatch wrong, int block, int blockInFile) {
            boolean sinceStart = !wrong.lsn().isBefore(how.backupStart);
            if (sinceStart && !wrong.lsn().isAfter(how.insertPosition.get())) {
                return; // it was being written
            }
            how.findings.damaged(
                    new DamagedPage(
                            slice.relation.facts.path(),
                            Integer.toUnsignedLong(block),
                            blockInFile,
                            wrong.found(),
                            wrong.expected()));
        }
    }

    /// Every page comes.
    private final class All extends Arriving {
        All(ArrivingPages pages, Slice slice, PartedFile file) {
            super(pages, slice, file);
        }

        @Override
        boolean arrives(int block) {
            return next < slice.end;
        }

        @Override
        int take(int firstBlock, int count, byte[] into) {
            if (firstBlock != next) {
                throw new IllegalStateException("pages of a stream are read in order");
            }
            return pages.take(into, 0, count);
        }
    }

    /// Only some pages come; others are zeros, the rest is as it was.
    private final class Some extends Arriving {
        private final IncrementalPages only;
        private final int earlierPages;

        Some(ArrivingPages pages, Slice slice, PartedFile file, IncrementalPages only) {
            super(pages, slice, file);
            this.only = only;
            this.earlierPages = file.earlierPages().orElseThrow();
        }

        /// All that is new of the part is asked for, in order, before anything is a second time.
        @Override
        boolean arrives(int block) {
            return block >= next
                    && block < slice.end
                    && (block >= earlierPages || only.next(block, block + 1) == block);
        }

        @Override
        int take(int firstBlock, int count, byte[] into) {
            int size = terms.layout.blockSize();
            for (int page = 0; page < count; page++) {
                if (!only.comes(firstBlock + page)) {
                    Arrays.fill(into, page * size, (page + 1) * size, (byte) 0);
                } else if (pages.take(into, page, 1) == 0) {
                    throw new IllegalStateException(
                            "a page of " + slice.relation.facts.path() + " did not come");
                }
            }
            return count;
        }
    }

    @Override
    public void close() {
        worker.close();
    }
}
