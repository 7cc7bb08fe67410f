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

/// Which segments of a cluster's log are stored.
final class StoredWal {
    private final Map<TimelineId, BitSet> stored = new TreeMap<>();
    private final int segmentBytes;

    private StoredWal(int segmentBytes) {
        this.segmentBytes = segmentBytes;
    }

    static StoredWal of(WalArchive archive, int segmentBytes) {
        StoredWal wal = new StoredWal(segmentBytes);
        for (TimelineId timeline : archive.timelines()) {
            BitSet numbers = new BitSet();
            archive.segments(
                    new WalSegment(timeline, 0, segmentBytes),
                    segment -> numbers.set(Math.toIntExact(segment.number())));
            wal.stored.put(timeline, numbers);
        }
        return wal;
    }

    private BitSet of(TimelineId timeline) {
        return stored.getOrDefault(timeline, new BitSet());
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

    /// What nothing has need of, by timeline.
    List<ExpiryPlan.FreedWal> freed(WalNeed need) {
        List<ExpiryPlan.FreedWal> freed = new ArrayList<>();
        stored.forEach(
                (timeline, numbers) -> {
                    List<WalSegment> free =
                            numbers.stream()
                                    .mapToObj(
                                            number ->
                                                    new WalSegment(timeline, number, segmentBytes))
                                    .filter(segment -> !need.needs(segment))
                                    .toList();
                    if (!free.isEmpty()) {
                        freed.add(
                                new ExpiryPlan.FreedWal(
                                        timeline,
                                        free.size(),
                                        (long) free.size() * segmentBytes,
                                        free.getFirst().fileName(),
                                        free.getLast().fileName()));
                    }
                });
        return freed;
    }
}
