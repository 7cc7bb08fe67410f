package dev.mainstay.repository;

import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.PageList;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/// Stores the pages of relation segment files: all of them, or those that changed by the earlier
/// backup's fingerprints, and refreshes frames that have become thin. One for each worker thread.
///
/// The refresh rule: once the changed pages are known, every earlier frame of which less than half
/// the stored bytes are still referred to is given up, and what was live of it is read and written
/// again. A page's share of its frame's stored bytes is taken to be that of every other page. So a
/// restore of a backup without debt fetches at most twice the stored bytes that it needs; and a
/// refresh writes fewer pages than had changed in the frames it gives up, which bounds the pages
/// ever written to twice the pages changed. Where the budget is short, the frames go first whose
/// pages free most bytes; the others are debt.
final class PageStorer {
    private final FrameCoder coder;
    private final PackStream packs;
    private final Fingerprints fingerprints;
    private final BackupOptions.FrameShape shape;
    private final BackupTally tally;
    private final int blockSize;
    private final FoundAgain foundAgain;
    private final byte[] run;
    private final byte[] batch;
    private final int[] batchBlocks;
    private int batched;

    PageStorer(
            FrameCoder coder,
            PackStream packs,
            long fingerprintSeed,
            BackupOptions.FrameShape shape,
            BackupTally tally,
            FoundAgain foundAgain,
            int blockSizeBytes) {
        this.foundAgain = foundAgain;
        this.coder = coder;
        this.packs = packs;
        this.fingerprints = new Fingerprints(fingerprintSeed);
        this.shape = shape;
        this.tally = tally;
        this.blockSize = blockSizeBytes;
        this.run = new byte[shape.neighbours() * blockSizeBytes];
        this.batch = new byte[shape.scattered() * blockSizeBytes];
        this.batchBlocks = new int[Math.max(shape.neighbours(), shape.scattered())];
    }

    int blockSizeBytes() {
        return blockSize;
    }

    /// Begins a file of which nothing is stored yet.
    PagedFile begin(FileFacts facts, int pages, Optional<PriorFile> prior) {
        PagedFile file = new PagedFile(facts, blockSize, pages);
        prior.ifPresent(
                known ->
                        known.map()
                                .frames()
                                .forEach(
                                        frame ->
                                                file.frames.add(
                                                        new PagedFile.Placed(
                                                                PendingFrame.of(frame.ref()),
                                                                frame.pages(),
                                                                frame.digest()))));
        return file;
    }

    /// A file of which no page changed. Nothing of it is read unless frames of it are due for a
    /// refresh since an earlier backup.
    PagedFile untouched(FileFacts facts, PriorFile prior) {
        PagedFile file = begin(facts, 0, Optional.of(prior));
        file.frameOf = prior.map().frameOf();
        file.unchanged = prior.entry();
        return file;
    }

    /// Stores some pages of a file; other threads may be storing others of the same.
    ///
    /// @param end the page after the last
    ///
    /// @param comparison is shown what is read
    /// @param earlier reads a page of the earlier backup
    void part(
            PartedFile parted,
            int from,
            int end,
            PageSource source,
            Optional<PageComparison> comparison,
            BiFunction<PriorFile, Integer, Optional<byte[]>> earlier) {
        PagedFile file = parted.file;
        if (file.unchanged.isPresent()) {
            return;
        }
        int changed = 0;
        for (int first = from; first < end; ) {
            int next = keep(parted, first, end);
            int wanted = wanted(parted, next, end);
            if (wanted == 0) {
                break;
            }
            int got = source.read(next, wanted, run);
            tally.read((long) got * blockSize);
            changed += storeRun(file, next, got, parted.prior);
            if (parted.prior.isPresent() && comparison.isPresent()) {
                compare(comparison.get(), parted.prior.get(), file, next, got, earlier);
            }
            first = next + got;
            if (got < wanted) {
                file.endsAt(first);
                break;
            }
        }
        flush(file);
        tally.changedPages(changed);
    }

    private void compare(
            PageComparison comparison,
            PriorFile prior,
            PagedFile file,
            int first,
            int count,
            BiFunction<PriorFile, Integer, Optional<byte[]>> earlier) {
        for (int block = first; block < Math.min(first + count, prior.pages()); block++) {
            if (prior.fingerprints()[block] == file.fingerprints[block]) {
                comparison.same(block);
            } else {
                int page = block;
                comparison.differs(
                        block, run, (block - first) * blockSize, () -> earlier.apply(prior, page));
            }
        }
    }

    /// Takes over the pages that are known to be as they were.
    ///
    /// @return the first one that is not
    private static int keep(PartedFile parted, int from, int end) {
        if (parted.prior.isEmpty() || from >= parted.prior.get().pages()) {
            return from;
        }
        PriorFile prior = parted.prior.get();
        int next = parted.changed.next(from, Math.min(end, prior.pages()));
        System.arraycopy(prior.map().frameOf(), from, parted.file.frameOf, from, next - from);
        System.arraycopy(prior.fingerprints(), from, parted.file.fingerprints, from, next - from);
        return next;
    }

    /// How many pages from `first` on are to be read at once.
    private int wanted(PartedFile parted, int first, int end) {
        int most = Math.min(end, first + shape.neighbours());
        int known = parted.prior.map(PriorFile::pages).orElse(0);
        int last = first;
        while (last < most && (last >= known || parted.changed.next(last, last + 1) == last)) {
            last = last >= known ? most : last + 1;
        }
        return last - first;
    }

    /// Ends a file of which every part is stored.
    ///
    /// @param withFingerprints reads what the earlier backup knows of the file's pages
    void finish(
            PagedFile file,
            PageSource source,
            Optional<PriorFile> prior,
            Function<PriorFile, Optional<PriorFile>> withFingerprints) {
        if (file.unchanged.isPresent()) {
            refreshUntouched(file, source, prior.orElseThrow(), withFingerprints);
        } else {
            file.truncate();
            prior.ifPresent(known -> refresh(file, known, source));
        }
        prior.ifPresent(known -> markUnchanged(file, known));
        count(file);
        file.lost.forEach(lost -> find(file, lost, source));
    }

    /// Gives a lost frame back if its content is at hand: in a frame that was stored just now, or
    /// in the pages of the file as they are, where the digest says that they are what they were.
    private void find(PagedFile file, LostPages lost, PageSource source) {
        for (PagedFile.Placed placed : file.frames) {
            if (placed.pages() == lost.blocks().length && placed.digest().equals(lost.digest())) {
                foundAgain.add(lost.ref(), placed.frame());
                return;
            }
        }
        int last = lost.blocks()[lost.blocks().length - 1];
        if (!source.isLive() || last >= file.frameOf.length) {
            return;
        }
        int length = lost.blocks().length * blockSize;
        byte[] pages = new byte[length];
        for (int i = 0; i < lost.blocks().length; i++) {
            if (source.read(lost.blocks()[i], 1, run) < 1) {
                return;
            }
            tally.read(blockSize);
            System.arraycopy(run, 0, pages, i * blockSize, blockSize);
        }
        if (Digest128.of(pages, 0, length).equals(lost.digest())) {
            byte[] meta = new PageList(file.facts.path(), blockSize, lost.blocks()).toBytes();
            foundAgain.add(
                    lost.ref(), packs.append(coder, FrameKind.PAGES, meta, pages, 0, length));
        }
    }

    private void refreshUntouched(
            PagedFile file,
            PageSource source,
            PriorFile prior,
            Function<PriorFile, Optional<PriorFile>> withFingerprints) {
        if (thin(file, live(file), prior.map().frames().size()).isEmpty()) {
            return;
        }
        withFingerprints
                .apply(prior)
                .ifPresent(
                        known -> {
                            file.frameOf = prior.map().frameOf().clone();
                            file.fingerprints = known.fingerprints();
                            file.unchanged = Optional.empty();
                            refresh(file, known, source);
                        });
    }

    private int storeRun(PagedFile file, int first, int count, Optional<PriorFile> prior) {
        int changed = 0;
        boolean[] keep = new boolean[count];
        for (int i = 0; i < count; i++) {
            int block = first + i;
            long print = fingerprints.of(run, i * blockSize, blockSize);
            file.fingerprints[block] = print;
            if (prior.isPresent()
                    && block < prior.get().pages()
                    && prior.get().fingerprints()[block] == print) {
                file.frameOf[block] = prior.get().map().frameOf()[block];
                keep[i] = true;
            } else {
                changed++;
            }
        }
        if (changed == count && (prior.isEmpty() || count > shape.scattered())) {
            flush(file); // so that the batch stays ascending
            for (int i = 0; i < count; i++) {
                batchBlocks[i] = first + i;
            }
            emit(file, run, count);
        } else {
            for (int i = 0; i < count; i++) {
                if (!keep[i]) {
                    batch(file, first + i, i * blockSize);
                }
            }
        }
        return changed;
    }

    private void batch(PagedFile file, int block, int offset) {
        if (batched == shape.scattered()) {
            flush(file);
        }
        System.arraycopy(run, offset, batch, batched * blockSize, blockSize);
        batchBlocks[batched++] = block;
    }

    private void flush(PagedFile file) {
        int count = batched;
        batched = 0;
        if (count > 0) {
            emit(file, batch, count);
        }
    }

    private void emit(PagedFile file, byte[] pages, int count) {
        if (count == 0) {
            return;
        }
        int[] blocks = Arrays.copyOf(batchBlocks, count);
        byte[] meta = new PageList(file.facts.path(), blockSize, blocks).toBytes();
        int length = count * blockSize;
        PendingFrame frame = packs.append(coder, FrameKind.PAGES, meta, pages, 0, length);
        file.place(frame, blocks, count, Digest128.of(pages, 0, length));
        tally.storedPages(count, frame.length());
    }

    private void refresh(PagedFile file, PriorFile prior, PageSource source) {
        int earlier = prior.map().frames().size();
        int[] live = live(file);
        boolean[] thin = givenUp(file, live, thin(file, live, earlier));
        int due = 0;
        for (int frame = 0; frame < earlier; frame++) {
            due += thin[frame] ? live[frame] : 0;
        }
        for (int block = 0; due > 0 && block < file.frameOf.length; block++) {
            int frame = file.frameOf[block];
            if (frame < earlier && thin[frame]) {
                due--;
                if (source.read(block, 1, run) < 1) {
                    continue; // truncated meanwhile: the earlier page serves as well as any
                }
                tally.read(blockSize);
                file.fingerprints[block] = fingerprints.of(run, 0, blockSize);
                batch(file, block, 0);
            }
        }
        flush(file);
    }

    private static int[] live(PagedFile file) {
        int[] live = new int[file.frames.size()];
        for (int frame : file.frameOf) {
            live[frame]++;
        }
        return live;
    }

    /// Which earlier frames are due for a refresh.
    private List<Integer> thin(PagedFile file, int[] live, int earlier) {
        List<Integer> due = new ArrayList<>();
        for (int frame = 0; frame < earlier; frame++) {
            int pages = file.frames.get(frame).pages();
            if (live[frame] > 0 && 100L * live[frame] < (long) shape.refreshPercent() * pages) {
                due.add(frame);
            }
        }
        return due;
    }

    /// Which of the frames that are due are given up, as far as the budget goes.
    private boolean[] givenUp(PagedFile file, int[] live, List<Integer> due) {
        due.sort(
                Comparator.comparingLong(
                                (Integer frame) -> -freed(file.frames.get(frame), live[frame]))
                        .thenComparing(Comparator.naturalOrder()));
        boolean[] givenUp = new boolean[live.length];
        for (int frame : due) {
            long bytes = liveBytes(file.frames.get(frame), live[frame]);
            givenUp[frame] = tally.spendRefresh(live[frame], bytes);
        }
        return givenUp;
    }

    /// Stored bytes of a frame that are referred to.
    private static long liveBytes(PagedFile.Placed frame, int livePages) {
        return (long) frame.frame().length() * livePages / frame.pages();
    }

    /// Stored bytes that nobody needs any more, for each page that has to be written again.
    private static long freed(PagedFile.Placed frame, int livePages) {
        return (frame.frame().length() - liveBytes(frame, livePages)) / livePages;
    }

    /// Counts what a restore of the file will fetch, and what of it is live.
    private void count(PagedFile file) {
        int[] live = live(file);
        for (int frame = 0; frame < live.length; frame++) {
            if (live[frame] > 0) {
                PagedFile.Placed placed = file.frames.get(frame);
                tally.referredBytes(placed.frame().length(), liveBytes(placed, live[frame]));
            }
        }
    }

    private static void markUnchanged(PagedFile file, PriorFile prior) {
        boolean same =
                file.frames.size() == prior.map().frames().size()
                        && Arrays.equals(file.frameOf, prior.map().frameOf());
        if (same) {
            file.unchanged = prior.entry();
        }
    }
}
