package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Reads pages of a file that are as they were in the earlier backup out of that backup's frames,
/// for who cannot read the file a second time. For one thread.
final class EarlierPages implements PageSource {
    /// Pages are asked for in order, and frames of scattered pages overlap.
    private static final int FRAMES_KEPT = 16;

    private record Opened(int[] blocks, byte[] pages) {}

    private final PackReader packs;
    private final PagedFile file;
    private final SegmentMap map;
    private final Fingerprints fingerprints;
    private final Map<Integer, Opened> kept =
            new LinkedHashMap<>(FRAMES_KEPT * 2, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Integer, Opened> eldest) {
                    return size() > FRAMES_KEPT;
                }
            };

    EarlierPages(PackReader packs, PagedFile file, SegmentMap map, Fingerprints fingerprints) {
        this.packs = packs;
        this.file = file;
        this.map = map;
        this.fingerprints = fingerprints;
    }

    /// @throws MainstayException OBJECT_DAMAGED if a page is not what the earlier backup's
    ///   fingerprint says: then this backup cannot be restored either
    @Override
    public int read(int firstBlock, int pages, byte[] into) {
        int size = map.blockSizeBytes();
        for (int i = 0; i < pages; i++) {
            int block = firstBlock + i;
            Opened frame = kept.computeIfAbsent(map.frameOf()[block], this::open);
            int at = Arrays.binarySearch(frame.blocks, block);
            if (at < 0
                    || fingerprints.of(frame.pages, at * size, size) != file.fingerprints[block]) {
                throw damaged("page " + block);
            }
            System.arraycopy(frame.pages, at * size, into, i * size, size);
        }
        return pages;
    }

    @Override
    public boolean isLive() {
        return false;
    }

    private Opened open(int index) {
        SegmentMap.MappedFrame wanted = map.frames().get(index);
        Frame frame = packs.read(wanted.ref(), (_, found) -> digest(found).equals(wanted.digest()));
        if (frame.kind() != FrameKind.PAGES || !digest(frame).equals(wanted.digest())) {
            throw damaged("a frame");
        }
        PageList list = PageList.read("frame of " + file.facts.path(), frame.meta());
        return new Opened(list.blocks(), Arrays.copyOf(frame.payload(), frame.length()));
    }

    private static Digest128 digest(Frame frame) {
        return Digest128.of(frame.payload(), 0, frame.length());
    }

    private MainstayException damaged(String what) {
        return new MainstayException(
                ErrorCode.OBJECT_DAMAGED,
                what + " of " + file.facts.path() + " in an earlier backup is damaged",
                "run 'mainstay verify', and take a full backup",
                null);
    }
}
