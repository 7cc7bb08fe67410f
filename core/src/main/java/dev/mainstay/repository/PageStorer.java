package dev.mainstay.repository;

import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

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
    /// What the earlier backup knows of the same file.
    record Prior(ManifestEntry.Content.Paged entry, SegmentMap map, long[] fingerprints) {}

    private final FrameCoder coder;
    private final PackStream packs;
    private final Fingerprints fingerprints;
    private final BackupOptions.FrameShape shape;
    private final BackupTally tally;
    private final int blockSize;
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
            int blockSizeBytes) {
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
    PagedFile begin(FileFacts facts, int pages, Optional<Prior> prior) {
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

    /// Stores some pages of a file; other threads may be storing others of the same.
    ///
    /// @param end the page after the last
    void part(PagedFile file, int from, int end, PageSource source, Optional<Prior> prior) {
        int changed = 0;
        for (int first = from; first < end; ) {
            int wanted = Math.min(shape.neighbours(), end - first);
            int got = source.read(first, wanted, run);
            tally.read((long) got * blockSize);
            changed += storeRun(file, first, got, prior);
            first += got;
            if (got < wanted) {
                file.endsAt(first);
                break;
            }
        }
        flush(file);
        tally.changedPages(changed);
    }

    /// Ends a file of which every part is stored.
    void finish(PagedFile file, PageSource source, Optional<Prior> prior) {
        file.truncate();
        if (prior.isPresent()) {
            refresh(file, prior.get(), source);
            markUnchanged(file, prior.get());
        }
        count(file);
    }

    private int storeRun(PagedFile file, int first, int count, Optional<Prior> prior) {
        int changed = 0;
        boolean[] keep = new boolean[count];
        for (int i = 0; i < count; i++) {
            int block = first + i;
            long print = fingerprints.of(run, i * blockSize, blockSize);
            file.fingerprints[block] = print;
            if (prior.isPresent()
                    && block < prior.get().fingerprints.length
                    && prior.get().fingerprints[block] == print) {
                file.frameOf[block] = prior.get().map.frameOf()[block];
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

    private void refresh(PagedFile file, Prior prior, PageSource source) {
        int earlier = prior.map.frames().size();
        int[] live = new int[file.frames.size()];
        for (int frame : file.frameOf) {
            live[frame]++;
        }
        boolean[] thin = thin(file, live, earlier);
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

    /// Which earlier frames are given up, as far as the budget goes.
    private boolean[] thin(PagedFile file, int[] live, int earlier) {
        List<Integer> due = new ArrayList<>();
        for (int frame = 0; frame < earlier; frame++) {
            int pages = file.frames.get(frame).pages();
            if (live[frame] > 0 && 100L * live[frame] < (long) shape.refreshPercent() * pages) {
                due.add(frame);
            }
        }
        due.sort(
                Comparator.comparingLong(
                                (Integer frame) -> -freed(file.frames.get(frame), live[frame]))
                        .thenComparing(Comparator.naturalOrder()));
        boolean[] thin = new boolean[earlier];
        for (int frame : due) {
            long bytes = liveBytes(file.frames.get(frame), live[frame]);
            thin[frame] = tally.spendRefresh(live[frame], bytes);
        }
        return thin;
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
        int[] live = new int[file.frames.size()];
        for (int frame : file.frameOf) {
            live[frame]++;
        }
        for (int frame = 0; frame < live.length; frame++) {
            if (live[frame] > 0) {
                PagedFile.Placed placed = file.frames.get(frame);
                tally.referredBytes(placed.frame().length(), liveBytes(placed, live[frame]));
            }
        }
    }

    private static void markUnchanged(PagedFile file, Prior prior) {
        boolean same =
                file.frames.size() == prior.map.frames().size()
                        && Arrays.equals(file.frameOf, prior.map.frameOf());
        if (same) {
            file.unchanged = Optional.of(prior.entry);
        }
    }
}
