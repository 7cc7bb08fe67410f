package dev.mainstay.engine.retention;

import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.WalArchive;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What is stored of a cluster's log.
final class StoredWal {
    private final Map<TimelineId, BitSet> whole = new TreeMap<>();
    private final Map<TimelineId, BitSet> any = new TreeMap<>();
    private final int segmentBytes;

    private StoredWal(int segmentBytes) {
        this.segmentBytes = segmentBytes;
    }

    static StoredWal of(WalArchive archive, int segmentBytes) {
        StoredWal wal = new StoredWal(segmentBytes);
        for (TimelineId timeline : archive.timelines()) {
            BitSet segments = wal.whole.computeIfAbsent(timeline, _ -> new BitSet());
            BitSet named = wal.any.computeIfAbsent(timeline, _ -> new BitSet());
            archive.everything(
                    timeline,
                    segmentBytes,
                    (segment, isWhole) -> {
                        int number = Math.toIntExact(segment.number());
                        named.set(number);
                        if (isWhole) {
                            segments.set(number);
                        }
                    });
        }
        return wal;
    }

    /// Whole segments.
    static StoredWal of(Map<TimelineId, BitSet> segments, int segmentBytes) {
        StoredWal wal = new StoredWal(segmentBytes);
        wal.whole.putAll(segments);
        wal.any.putAll(segments);
        return wal;
    }

    private BitSet of(TimelineId timeline) {
        return whole.getOrDefault(timeline, new BitSet());
    }

    /// Whether there is no gap from a backup's start to the end of what is stored of a timeline.
    /// Where timelines part within a segment the younger one's file holds both.
    boolean reaches(TimelineHistory path, RetainedBackup from) {
        long first = Long.divideUnsigned(from.start().value(), segmentBytes);
        long consistent = Long.divideUnsigned(from.stop().value() - 1, segmentBytes);
        long last = Math.max(consistent, of(path.timeline()).length() - 1L);
        for (long number = first; number <= last; number++) {
            WalSegment any = new WalSegment(path.timeline(), number, segmentBytes);
            TimelineId holder = path.timelineAt(any.end().plus(-1));
            if (!of(holder).get(Math.toIntExact(number))) {
                return false;
            }
        }
        return true;
    }

    /// Segments of which anything is stored, if only a part or a summary, and that nothing needs.
    List<WalSegment> unneeded(WalNeed need) {
        List<WalSegment> unneeded = new ArrayList<>();
        any.forEach(
                (timeline, numbers) ->
                        numbers.stream()
                                .mapToObj(number -> new WalSegment(timeline, number, segmentBytes))
                                .filter(segment -> !need.needs(segment))
                                .forEach(unneeded::add));
        return unneeded;
    }
}
