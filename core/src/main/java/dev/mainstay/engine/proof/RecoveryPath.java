package dev.mainstay.engine.proof;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.TimelineHistory;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/// One way a cluster's log can be replayed: a timeline with its ancestors, the backups that lie on
/// it, and the segments between the oldest of them and the end of the log.
final class RecoveryPath {
    /// A stretch of the log.
    record Span(Lsn from, Lsn to) {}

    /// A backup on the path.
    record Point(BackupId id, BackupDetails details) {}

    private final TimelineHistory history;
    private final List<Point> points;
    private final int segmentBytes;
    private final long first;
    private final long end;
    private final BitSet freed = new BitSet();

    /// @param newest number of the last segment stored of the youngest timeline; -1 for none
    RecoveryPath(TimelineHistory history, List<Point> points, int segmentBytes, long newest) {
        this.history = history;
        this.points = points;
        this.segmentBytes = segmentBytes;
        this.first =
                points.stream()
                        .mapToLong(point -> point.details.startSegment().number())
                        .min()
                        .orElse(0);
        this.end =
                1
                        + points.stream()
                                .filter(point -> isNewest(point, history.timeline()))
                                .mapToLong(point -> point.details.stopSegment().number())
                                .reduce(newest, Math::max);
    }

    private static boolean isNewest(Point point, TimelineId timeline) {
        return point.details.timeline().equals(timeline);
    }

    TimelineId timeline() {
        return history.timeline();
    }

    /// How many segments; without those that were freed.
    long length() {
        return points.isEmpty() ? 0 : Math.max(0, end - first - freed.cardinality());
    }

    /// The segment whose file a recovery along this path reads: where a timeline begins within a
    /// segment, the younger timeline's file holds both.
    WalSegment segment(long number) {
        WalSegment any = new WalSegment(history.timeline(), number, segmentBytes);
        return any.onTimeline(history.timelineAt(any.end().plus(-1)));
    }

    /// Tells which segments that are not there were freed on purpose; without what a backup needs
    /// to become consistent, which nobody may free.
    void free(Map<TimelineId, BitSet> stored, Predicate<WalSegment> isFreed) {
        for (long number = first; !points.isEmpty() && number < end; number++) {
            WalSegment segment = segment(number);
            if (!isThere(stored, segment)
                    && isFreed.test(segment)
                    && needing(number, number).isEmpty()) {
                freed.set((int) number);
            }
        }
    }

    private static boolean isThere(Map<TimelineId, BitSet> stored, WalSegment segment) {
        return stored.getOrDefault(segment.timeline(), new BitSet()).get((int) segment.number());
    }

    /// The segments that are not there and were not freed, in runs.
    List<List<WalSegment>> missing(Map<TimelineId, BitSet> stored) {
        List<List<WalSegment>> runs = new ArrayList<>();
        List<WalSegment> run = new ArrayList<>();
        for (long number = first; !points.isEmpty() && number < end; number++) {
            WalSegment segment = segment(number);
            boolean there = isThere(stored, segment) || freed.get((int) number);
            boolean sameRun = !run.isEmpty() && run.getLast().timeline().equals(segment.timeline());
            if ((there || !sameRun) && !run.isEmpty()) {
                runs.add(run);
                run = new ArrayList<>();
            }
            if (!there) {
                if (run.size() > 1) {
                    run.removeLast(); // a run is told by its ends
                }
                run.add(segment);
            }
        }
        if (!run.isEmpty()) {
            runs.add(run);
        }
        return runs;
    }

    /// The backups that cannot become consistent without the segments `from` to `to`.
    List<BackupId> needing(long from, long to) {
        return points.stream()
                .filter(point -> point.details.startSegment().number() <= to)
                .filter(point -> point.details.stopSegment().number() >= from)
                .map(Point::id)
                .toList();
    }

    /// What can be recovered to without these backups, and without the segments `from` to `to`.
    List<Span> window(Set<BackupId> without, long from, long to) {
        List<Span> spans = new ArrayList<>();
        for (Point point : points) {
            BackupDetails details = point.details;
            long start = details.startSegment().number();
            long hole = freed.nextSetBit((int) start);
            long reached = hole < 0 ? end : Math.min(end, hole);
            long until =
                    from <= to && to >= start ? Math.min(reached, Math.max(from, start)) : reached;
            Lsn last = new WalSegment(history.timeline(), until, segmentBytes).start();
            if (!without.contains(point.id) && !last.isBefore(details.stopLsn())) {
                spans.add(new Span(details.stopLsn(), last));
            }
        }
        return union(spans);
    }

    private static List<Span> union(List<Span> spans) {
        spans.sort(Comparator.comparing(Span::from));
        List<Span> merged = new ArrayList<>();
        for (Span span : spans) {
            if (!merged.isEmpty() && !merged.getLast().to.isBefore(span.from)) {
                Span before = merged.removeLast();
                Lsn to = before.to.isBefore(span.to) ? span.to : before.to;
                merged.add(new Span(before.from, to));
            } else {
                merged.add(span);
            }
        }
        return merged;
    }

    /// What is lost without them.
    List<Span> lost(Set<BackupId> without, long from, long to) {
        List<Span> lost = new ArrayList<>();
        List<Span> left = window(without, from, to);
        for (Span whole : window(Set.of(), 1, 0)) {
            Lsn at = whole.from;
            for (Span kept : left) {
                if (!kept.from.isBefore(at) && !kept.from.isAfter(whole.to)) {
                    if (at.isBefore(kept.from)) {
                        lost.add(new Span(at, kept.from));
                    }
                    at = kept.to;
                }
            }
            if (at.isBefore(whole.to)) {
                lost.add(new Span(at, whole.to));
            }
        }
        return lost;
    }
}
