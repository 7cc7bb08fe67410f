package dev.mainstay.repository;

import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Neighbouring frames of one pack, which are fetched with one request.
///
/// @param frames in the order they lie in the pack; at least one
public record PackRange(List<FrameRef> frames) {
    /// What is fetched along between frames of one request is at most this part of them, so that
    /// saving requests never costs many bytes.
    private static final int GAP_SHARE = 8;

    /// Where little is wanted of a pack, and frames are small, this much between two of them takes
    /// less time than a request.
    private static final int NEAR_BYTES = 16 << 10;

    /// No request asks for more, unless one frame is larger.
    public static final int MOST_BYTES = 8 << 20;

    public PackRange {
        frames = List.copyOf(frames);
    }

    /// Frames of one pack, in as few requests as make sense.
    public static List<PackRange> of(List<FrameRef> frames) {
        return of(frames, 0);
    }

    /// The same for who would rather read most of a pack than ask often: small frames of which
    /// every second or tenth is wanted come with a few requests.
    static List<PackRange> near(List<FrameRef> frames) {
        return of(frames, NEAR_BYTES);
    }

    private static List<PackRange> of(List<FrameRef> frames, int nearBytes) {
        List<FrameRef> sorted = new ArrayList<>(frames);
        sorted.sort(Comparator.comparingLong(FrameRef::offset));
        List<PackRange> ranges = new ArrayList<>();
        int at = 0;
        while (at < sorted.size()) {
            FrameRef first = sorted.get(at);
            int end = at + 1;
            long until = first.offset() + first.length();
            long wanted = first.length();
            while (end < sorted.size()) {
                FrameRef next = sorted.get(end);
                long nextEnd = Math.max(until, next.offset() + next.length());
                wanted += next.length();
                long along = nextEnd - first.offset() - wanted;
                boolean far = next.offset() - until > nearBytes;
                if (far && along * GAP_SHARE > wanted || nextEnd - first.offset() > MOST_BYTES) {
                    break;
                }
                until = nextEnd;
                end++;
            }
            ranges.add(new PackRange(sorted.subList(at, end)));
            at = end;
        }
        return ranges;
    }

    PackId pack() {
        return frames.getFirst().pack();
    }

    /// The object that it is a range of.
    String packName() {
        return Names.pack(frames.getFirst().packClass(), pack());
    }

    long offset() {
        return frames.getFirst().offset();
    }

    /// Bytes from its first to the end of its last.
    public int length() {
        long until = 0;
        for (FrameRef frame : frames) {
            until = Math.max(until, frame.offset() + frame.length());
        }
        return Math.toIntExact(until - offset());
    }
}
