package dev.mainstay.repository.format;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Page → frame for one relation segment file, complete in every backup (docs/format.md section 7).
/// Which place a page has inside its frame follows from the frame's own block list.
///
/// @param blockSizeBytes size of a page
/// @param frames the frames that hold live pages of this file
/// @param frameOf for each page, the index of its frame
public record SegmentMap(int blockSizeBytes, List<MappedFrame> frames, int[] frameOf) {
    /// Most pages of a file that writers store by pages: what keeps a map and a file's fingerprints
    /// within one frame (docs/format.md section 7).
    public static final int MAX_PAGES = 1 << 20;

    /// A map of more frames is not built upon: its file is stored whole again.
    public static final int MAX_FRAMES = 1 << 16;

    /// A frame as a map knows it.
    ///
    /// @param pages pages the frame holds, live or not
    /// @param digest of its payload
    public record MappedFrame(FrameRef ref, int pages, Digest128 digest) {}

    public SegmentMap {
        frames = List.copyOf(frames);
    }

    public int pageCount() {
        return frameOf.length;
    }

    /// For each frame how many pages of this file still come from it.
    public int[] livePages() {
        int[] live = new int[frames.size()];
        for (int frame : frameOf) {
            live[frame]++;
        }
        return live;
    }

    public byte[] toBytes() {
        WireWriter out = new WireWriter(64 + frames.size() * 28 + frameOf.length / 16);
        out.varint(blockSizeBytes).varint(frameOf.length);
        Map<PackId, Integer> packs = new HashMap<>();
        List<FrameRef> order = new ArrayList<>();
        for (MappedFrame frame : frames) {
            if (packs.putIfAbsent(frame.ref.pack(), packs.size()) == null) {
                order.add(frame.ref);
            }
        }
        out.varint(order.size());
        for (FrameRef first : order) {
            out.u8(first.packClass().number()).raw(first.pack().sha256());
        }
        out.varint(frames.size());
        for (MappedFrame frame : frames) {
            FrameRef ref = frame.ref;
            out.varint(java.util.Objects.requireNonNull(packs.get(ref.pack())))
                    .varint(ref.number())
                    .varint(ref.offset())
                    .varint(ref.length())
                    .varint(frame.pages);
            frame.digest.write(out);
        }
        writeRuns(out);
        return out.toBytes();
    }

    private void writeRuns(WireWriter out) {
        int at = 0;
        while (at < frameOf.length) {
            int frame = frameOf[at];
            int run = 1;
            while (at + run < frameOf.length && frameOf[at + run] == frame) {
                run++;
            }
            out.varint(frame).varint(run);
            at += run;
        }
    }

    /// Reads and judges a map: every page has a frame, every frame a pack, nothing is left over.
    public static SegmentMap read(WireReader in) {
        int blockSize = in.count();
        int pages = in.count();
        if (Integer.bitCount(blockSize) != 1 || blockSize < 1024 || blockSize > 65536) {
            throw in.malformed("block size " + blockSize);
        }
        record Pack(PackClass packClass, PackId id) {}
        List<Pack> packs = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) {
            packs.add(new Pack(PackClass.read(in), new PackId(in.raw(32))));
        }
        List<MappedFrame> frames = new ArrayList<>();
        for (int n = in.count(); n > 0; n--) {
            int pack = in.count();
            if (pack >= packs.size()) {
                throw in.malformed("unknown pack in a segment map");
            }
            FrameRef ref =
                    new FrameRef(
                            packs.get(pack).packClass,
                            packs.get(pack).id,
                            in.count(),
                            in.varint(),
                            in.count());
            frames.add(new MappedFrame(ref, in.count(), Digest128.read(in)));
        }
        return new SegmentMap(blockSize, frames, readRuns(in, pages, frames.size()));
    }

    private static int[] readRuns(WireReader in, int pages, int frames) {
        if (pages > 1 << 27) {
            throw in.malformed(pages + " pages in a segment map");
        }
        int[] frameOf = new int[pages];
        int at = 0;
        while (at < pages) {
            int frame = in.count();
            int run = in.count();
            if (frame >= frames || run == 0 || run > pages - at) {
                throw in.malformed("impossible run in a segment map");
            }
            java.util.Arrays.fill(frameOf, at, at + run, frame);
            at += run;
        }
        in.expectEnd();
        return frameOf;
    }
}
