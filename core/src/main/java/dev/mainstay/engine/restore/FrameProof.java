package dev.mainstay.engine.restore;

import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.repository.format.SegmentMap.MappedFrame;

import java.util.Arrays;

/// Judges frames against what maps and manifest say of them.
final class FrameProof {
    private FrameProof() {}

    /// The blocks of a frame of pages, once it is proved to be the one the map means.
    static int[] blocks(FileWork file, SegmentMap map, int index, Frame frame) {
        int[] blocks = listed(file, map, index, frame);
        MappedFrame mapped = map.frames().get(index);
        if (!hasDigest(mapped, frame)) {
            throw other(file, mapped.ref());
        }
        return blocks;
    }

    /// The blocks that a frame of pages says it has; the pages are still to be proved.
    static int[] listed(FileWork file, SegmentMap map, int index, Frame frame) {
        MappedFrame mapped = map.frames().get(index);
        if (frame.kind() != FrameKind.PAGES) {
            throw file.wrong("leads to frame " + mapped.ref() + ", which holds no pages");
        }
        PageList list = PageList.read("frame " + mapped.ref(), frame.meta());
        if (!hasShape(map, mapped, list, frame)) {
            throw other(file, mapped.ref());
        }
        return list.blocks();
    }

    static MainstayException other(FileWork file, FrameRef frame) {
        return file.wrong("leads to frame " + frame + ", which holds something else");
    }

    private static boolean hasShape(
            SegmentMap map, MappedFrame mapped, PageList list, Frame frame) {
        return list.blockSizeBytes() == map.blockSizeBytes()
                && list.blocks().length == mapped.pages()
                && frame.length() == mapped.pages() * map.blockSizeBytes();
    }

    private static boolean hasDigest(MappedFrame mapped, Frame frame) {
        return Digest128.of(frame.payload(), 0, frame.length()).equals(mapped.digest());
    }

    /// Whether a frame of pages is the one that the map means.
    static boolean isMeant(SegmentMap map, int index, Frame frame) {
        MappedFrame mapped = map.frames().get(index);
        return frame.kind() == FrameKind.PAGES
                && hasShape(
                        map, mapped, PageList.read("frame " + mapped.ref(), frame.meta()), frame)
                && hasDigest(mapped, frame);
    }

    /// Whether a frame is the chunk that an entry means.
    static boolean isMeant(ChunkRef chunk, Frame frame) {
        return frame.kind() == FrameKind.CHUNK
                && frame.length() == chunk.lengthBytes()
                && Arrays.equals(frame.meta(), chunk.id().bytes());
    }

    static void demandChunk(FileWork file, ChunkRef chunk, Frame frame) {
        if (!isMeant(chunk, frame)) {
            throw other(file, chunk.frame());
        }
    }
}
