package dev.mainstay.repository;

import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.SegmentMap;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The map of a relation segment file while it is stored: which frame each page comes from, with
/// frames whose packs may still be open. While parts of it are stored by several threads, each
/// writes to places of its own in the arrays; what they share is synchronized.
final class PagedFile {
    record Placed(PendingFrame frame, int pages, Digest128 digest) {}

    final FileFacts facts;
    final int blockSizeBytes;
    final List<Placed> frames = new ArrayList<>();
    int[] frameOf;
    long[] fingerprints;
    private int end;

    /// Frames of the earlier backup that are lost and may be found again.
    List<LostPages> lost = List.of();

    /// Set where nothing changed: the earlier backup's own entry serves again.
    Optional<ManifestEntry> unchanged = Optional.empty();

    PagedFile(FileFacts facts, int blockSizeBytes, int pages) {
        this.facts = facts;
        this.blockSizeBytes = blockSizeBytes;
        this.frameOf = new int[pages];
        this.fingerprints = new long[pages];
        this.end = pages;
        Arrays.fill(frameOf, -1);
    }

    /// The file turned out to be shorter than it was when it was listed.
    synchronized void endsAt(int pages) {
        end = Math.min(end, pages);
    }

    /// Forgets the pages after the end; what was read of them before the server truncated the file
    /// is of no use.
    synchronized void truncate() {
        if (end < frameOf.length) {
            frameOf = Arrays.copyOf(frameOf, end);
            fingerprints = Arrays.copyOf(fingerprints, end);
        }
    }

    /// Safe for several threads that place different blocks.
    synchronized void place(PendingFrame frame, int[] blocks, int count, Digest128 digest) {
        int index = frames.size();
        frames.add(new Placed(frame, count, digest));
        for (int i = 0; i < count; i++) {
            frameOf[blocks[i]] = index;
        }
    }

    int crc(Crc32c pages) {
        int crc = 0;
        for (long fingerprint : fingerprints) {
            crc = pages.append(crc, Fingerprints.crc(fingerprint));
        }
        return crc;
    }

    boolean isNamed() {
        for (int i = frames.size() - 1; i >= 0; i--) { // the last is the likeliest to wait
            if (!frames.get(i).frame.isNamed()) {
                return false;
            }
        }
        return true;
    }

    /// Whether everything it refers to is durable.
    boolean isStored() {
        return frames.stream().allMatch(placed -> placed.frame.isStored());
    }

    void awaitNames() {
        frames.forEach(placed -> placed.frame.ref());
    }

    /// The map to store: frames without a live page are left out.
    SegmentMap map() {
        int[] renumbered = new int[frames.size()];
        Arrays.fill(renumbered, -1);
        List<SegmentMap.MappedFrame> live = new ArrayList<>();
        int[] mapped = new int[frameOf.length];
        for (int page = 0; page < frameOf.length; page++) {
            int old = frameOf[page];
            if (renumbered[old] < 0) {
                renumbered[old] = live.size();
                Placed placed = frames.get(old);
                FrameRef ref = placed.frame.ref();
                live.add(new SegmentMap.MappedFrame(ref, placed.pages, placed.digest));
            }
            mapped[page] = renumbered[old];
        }
        return new SegmentMap(blockSizeBytes, live, mapped);
    }
}
