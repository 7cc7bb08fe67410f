package dev.mainstay.engine.backup;

import dev.mainstay.base.Lsn;
import dev.mainstay.postgres.cluster.DamagedPage;
import dev.mainstay.postgres.cluster.PageCheck;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.ChangedPages;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.PageSource;
import dev.mainstay.repository.PartedFile;

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
        private Optional<PartedFile> begun = Optional.empty();

        /// @param firstBlock number of the file's first page within its fork; unsigned
        Relation(FileFacts facts, int pages, int parts, int firstBlock) {
            this.facts = facts;
            this.pages = pages;
            this.parts = parts;
            this.firstBlock = firstBlock;
        }

        private synchronized PartedFile begun(BackupWriter.Worker worker) {
            if (begun.isEmpty()) {
                begun = Optional.of(worker.begin(facts, pages, parts, ChangedPages.ALL));
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
        try (Arriving arriving = new Arriving(part, slice, file)) {
            worker.part(file, slice.from, slice.end, arriving);
        }
    }

    /// The pages of a part in the order they come, and after them any unchanged page of the file.
    private final class Arriving implements PageSource, AutoCloseable {
        private final PageRelay.Part part;
        private final Slice slice;
        private final PartedFile file;
        private Optional<PageRelay.Run> run = Optional.empty();
        private int taken;
        private int next;
        private Optional<PageSource> earlier = Optional.empty();

        Arriving(PageRelay.Part part, Slice slice, PartedFile file) {
            this.part = part;
            this.slice = slice;
            this.file = file;
            this.next = slice.from;
        }

        @Override
        public int read(int firstBlock, int pages, byte[] into) {
            if (next == slice.end) {
                if (earlier.isEmpty()) {
                    earlier = Optional.of(worker.earlierPages(file));
                }
                return earlier.get().read(firstBlock, pages, into);
            }
            if (firstBlock != next) {
                throw new IllegalStateException("pages of a stream are read in order");
            }
            int got = 0;
            while (got < pages && fill()) {
                PageRelay.Run from = run.orElseThrow();
                int count = Math.min(pages - got, from.pages() - taken);
                int size = terms.layout.blockSize();
                System.arraycopy(from.bytes(), taken * size, into, got * size, count * size);
                taken += count;
                got += count;
            }
            check(into, got);
            next += got;
            return got;
        }

        private boolean fill() {
            while (run.isEmpty() || taken == run.get().pages()) {
                run.ifPresent(done -> relay.giveBack(done.bytes()));
                taken = 0;
                run = part.next();
                if (run.isEmpty()) {
                    return false;
                }
            }
            return true;
        }

        private void check(byte[] bytes, int count) {
            if (terms.verification.isEmpty()) {
                return;
            }
            int size = terms.layout.blockSize();
            for (int page = 0; page < count; page++) {
                int block = slice.relation.firstBlock + next + page;
                if (PageCheck.verify(bytes, page * size, size, block)
                        instanceof PageCheck.Mismatch wrong) {
                    judge(terms.verification.get(), wrong, block, next + page);
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

        @Override
        public void close() {
            run.ifPresent(done -> relay.giveBack(done.bytes()));
        }
    }

    @Override
    public void close() {
        worker.close();
    }
}
