package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.WalArchive;

import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The WAL that is stored along one timeline's history from a backup's start on, up to the first
/// gap. A segment in which timelines part belongs to the youngest of them, whose copy begins with
/// what it inherited; where that is not stored, the parent's serves up to the parting.
final class WalCoverage {
    private static final int CACHED = 3;

    private final WalArchive archive;
    private final TimelineHistory history;
    private final WalSegment first;
    private final Map<TimelineId, BitSet> stored = new HashMap<>();
    private final Map<Long, Optional<byte[]>> cache =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Long, Optional<byte[]>> eldest) {
                    return size() > CACHED;
                }
            };
    private final long gap;
    private final Lsn end;
    private final boolean endsInParent;
    private Optional<Boolean> freed = Optional.empty();

    /// @param first the segment a restore begins with
    WalCoverage(WalArchive archive, TimelineHistory history, WalSegment first) {
        this.archive = archive;
        this.history = history;
        this.first = first;
        long number = first.number();
        while (isStored(segment(number))) {
            number++;
        }
        this.gap = number;
        WalSegment open = segment(number);
        int part = archive.parts(open).length;
        Optional<Lsn> parting = part > 0 ? Optional.empty() : parentServesUpTo(open);
        this.endsInParent = parting.isPresent();
        this.end = parting.orElse(open.start().plus(part));
    }

    TimelineHistory history() {
        return history;
    }

    /// First byte that is not stored.
    Lsn end() {
        return end;
    }

    /// Whether nothing of the youngest timeline is stored from where it branched off: a server
    /// would go on with its parent's log instead of stopping there.
    boolean endsInParent() {
        return endsInParent;
    }

    /// Whether what follows was there once, and was freed by retention. Asked after the archive was
    /// listed: what goes is on record before.
    boolean endsInFreed() {
        if (freed.isEmpty()) {
            freed = Optional.of(archive.isFreed(segment(gap)));
        }
        return freed.get();
    }

    /// Number of the first segment of which nothing or only a part is stored.
    long gap() {
        return gap;
    }

    /// Number of the last segment of which anything is stored.
    long last() {
        return end.equals(segment(gap).start()) ? gap - 1 : gap;
    }

    /// The segment of this number on the timeline it has to come from.
    WalSegment segment(long number) {
        Lsn lastByte = Lsn.of((number + 1) * first.sizeBytes() - 1);
        return new WalSegment(history.timelineAt(lastByte), number, first.sizeBytes());
    }

    WalSegment containing(Lsn position) {
        return segment(Long.divideUnsigned(position.value(), first.sizeBytes()));
    }

    private int index(WalSegment segment) {
        return Math.toIntExact(segment.number() - first.number());
    }

    private boolean isStored(WalSegment segment) {
        return stored.computeIfAbsent(
                        segment.timeline(),
                        timeline -> {
                            BitSet numbers = new BitSet();
                            archive.segments(
                                    first.onTimeline(timeline), found -> numbers.set(index(found)));
                            return numbers;
                        })
                .get(index(segment));
    }

    private Optional<Lsn> parentServesUpTo(WalSegment segment) {
        TimelineId parent = history.timelineAt(segment.start());
        if (parent.equals(segment.timeline())) {
            return Optional.empty();
        }
        Lsn parting = history.switchPoint(parent).orElseThrow();
        WalSegment of = segment.onTimeline(parent);
        long bytes = isStored(of) ? of.sizeBytes() : archive.parts(of).length;
        Lsn until = parting.isBefore(of.start().plus(bytes)) ? parting : of.start().plus(bytes);
        return until.isAfter(of.start()) ? Optional.of(until) : Optional.empty();
    }

    /// The summary of a segment, if it is whole and was summarised.
    Optional<WalSummary> summary(long number) {
        if (number >= gap) {
            return Optional.empty();
        }
        try {
            return archive.getSummary(segment(number)).map(WalSummary::decode);
        } catch (MainstayException unreadable) {
            if (unreadable.code() != ErrorCode.WAL_FILE_INVALID) {
                throw unreadable;
            }
            return Optional.empty(); // of another version; the segment itself tells
        }
    }

    /// What is stored of a segment; empty if that is nothing.
    Optional<byte[]> bytes(long number) {
        return cache.computeIfAbsent(number, this::fetch);
    }

    private Optional<byte[]> fetch(long number) {
        if (number < gap) {
            return archive.get(segment(number));
        }
        if (number > gap || end.equals(segment(number).start())) {
            return Optional.empty();
        }
        WalSegment open = segment(number);
        if (!endsInParent) {
            return Optional.of(archive.parts(open));
        }
        WalSegment parent = open.onTimeline(history.timelineAt(open.start()));
        byte[] bytes = archive.get(parent).orElseGet(() -> archive.parts(parent));
        return Optional.of(java.util.Arrays.copyOf(bytes, (int) end.minus(open.start())));
    }

    /// The log as a reader of records wants it, as far as a segment's number.
    WalSource source(long last) {
        return WalSource.segments(
                first.sizeBytes(), number -> number > last ? Optional.empty() : bytes(number));
    }
}
