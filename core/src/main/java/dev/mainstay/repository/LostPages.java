package dev.mainstay.repository;

import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.SegmentMap;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A frame of pages that is lost, and of which it is known which pages were in it.
///
/// @param digest of its payload
record LostPages(FrameRef ref, Digest128 digest, int[] blocks) {
    /// The lost frames of a map. One of which pages have changed since cannot come back: what they
    /// were is nowhere.
    static List<LostPages> of(SegmentMap map, KnownLoss loss) {
        List<LostPages> lost = new ArrayList<>();
        for (int index = 0; index < map.frames().size(); index++) {
            SegmentMap.MappedFrame frame = map.frames().get(index);
            if (loss.contains(frame.ref())) {
                int[] blocks = blocks(map, index);
                if (blocks.length == frame.pages()) {
                    lost.add(new LostPages(frame.ref(), frame.digest(), blocks));
                }
            }
        }
        return lost;
    }

    private static int[] blocks(SegmentMap map, int index) {
        int[] blocks = new int[map.pageCount()];
        int count = 0;
        for (int page = 0; page < map.pageCount(); page++) {
            if (map.frameOf()[page] == index) {
                blocks[count++] = page;
            }
        }
        return Arrays.copyOf(blocks, count);
    }
}
