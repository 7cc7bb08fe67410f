package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.WalArchive;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Everything that is stored of one cluster's log along one timeline and its ancestors: stretches
/// without a gap. A segment in which timelines part belongs to the younger one, whose copy begins
/// with what it inherited; where that is not stored, the parent's serves up to the parting.
public final class StoredLog {
    /// What is stored under one segment's number.
    ///
    /// @param segment with the timeline it comes from
    /// @param stored as a complete segment; otherwise as parts of one
    /// @param length bytes of the segment that belong to this log
    record Piece(WalSegment segment, boolean stored, int length) {
        boolean isWhole() {
            return length == segment.sizeBytes();
        }

        Lsn end() {
            return segment.start().plus(length);
        }
    }

    /// Pieces that follow each other without a gap; never empty.
    record Stretch(List<Piece> pieces) {
        Lsn begin() {
            return pieces.getFirst().segment.start();
        }

        Lsn end() {
            return pieces.getLast().end();
        }
    }

    private final WalArchive archive;
    private final TimelineHistory history;
    private final int segmentBytes;
    private final TreeMap<Long, Piece> pieces = new TreeMap<>();

    private StoredLog(WalArchive archive, TimelineHistory history, int segmentBytes) {
        this.archive = archive;
        this.history = history;
        this.segmentBytes = segmentBytes;
    }

    /// Lists what is stored.
    ///
    /// @param from nothing before the segment that holds it is of interest
    public static StoredLog read(
            WalArchive archive, TimelineHistory history, int segmentBytes, Lsn from) {
        StoredLog log = new StoredLog(archive, history, segmentBytes);
        Lsn begin = Lsn.NONE;
        for (TimelineHistory.Ancestor ancestor : history.ancestors()) {
            if (from.isBefore(ancestor.end())) {
                Lsn first = begin.isBefore(from) ? from : begin;
                log.list(ancestor.timeline(), first, Optional.of(ancestor.end()));
            }
            begin = ancestor.end();
        }
        log.list(history.timeline(), begin.isBefore(from) ? from : begin, Optional.empty());
        return log;
    }

    /// The history of a timeline as its stored file tells; the first one needs none.
    public static Optional<TimelineHistory> history(WalArchive archive, TimelineId timeline) {
        Optional<TimelineHistory> stored =
                archive.getFile(timeline.historyFileName())
                        .map(
                                bytes ->
                                        TimelineHistory.parse(
                                                timeline,
                                                new String(bytes, StandardCharsets.UTF_8)));
        return stored.isEmpty() && timeline.value() == 1
                ? Optional.of(TimelineHistory.first(timeline))
                : stored;
    }

    private void list(TimelineId timeline, Lsn begin, Optional<Lsn> end) {
        WalSegment first = WalSegment.containing(timeline, begin, segmentBytes);
        archive.segments(
                first,
                segment -> {
                    if (end.isEmpty() || segment.start().isBefore(end.get())) {
                        put(segment, true, length(segment, segmentBytes, end));
                    }
                });
        for (WalSegment segment : archive.partial(timeline, segmentBytes)) {
            Piece known = pieces.get(segment.number());
            boolean inherited = known == null || !known.segment.timeline().equals(timeline);
            boolean inside = end.isEmpty() || segment.start().isBefore(end.get());
            if (inherited && inside && segment.number() >= first.number()) {
                int length = length(segment, archive.parts(segment).length, end);
                if (length > (known == null ? 0 : known.length)) {
                    put(segment, false, length);
                }
            }
        }
    }

    private void put(WalSegment segment, boolean stored, int length) {
        pieces.put(segment.number(), new Piece(segment, stored, length));
    }

    private static int length(WalSegment segment, int bytes, Optional<Lsn> end) {
        return end.map(parting -> (int) Math.min(bytes, parting.minus(segment.start())))
                .orElse(bytes);
    }

    public TimelineHistory history() {
        return history;
    }

    /// Oldest first.
    List<Stretch> stretches() {
        List<Stretch> stretches = new ArrayList<>();
        List<Piece> open = new ArrayList<>();
        for (Map.Entry<Long, Piece> each : pieces.entrySet()) {
            Piece piece = each.getValue();
            boolean follows = !open.isEmpty() && open.getLast().end().equals(piece.segment.start());
            if (!follows && !open.isEmpty()) {
                stretches.add(new Stretch(List.copyOf(open)));
                open.clear();
            }
            open.add(piece);
        }
        if (!open.isEmpty()) {
            stretches.add(new Stretch(List.copyOf(open)));
        }
        return stretches;
    }

    /// Where the stretch that holds `position` ends; empty if it is not stored.
    public Optional<Lsn> endFrom(Lsn position) {
        return stretches().stream()
                .filter(each -> !position.isBefore(each.begin()) && position.isBefore(each.end()))
                .findFirst()
                .map(Stretch::end);
    }

    /// How many stretches of this log are missing between those that are stored.
    public int gaps() {
        return Math.max(0, stretches().size() - 1);
    }

    /// A part of the log of which nothing is stored, with something before and after it.
    ///
    /// @param freed whether retention gave it up
    public record Gap(Lsn begin, Lsn end, boolean freed) {}

    /// Oldest first.
    public List<Gap> missing() {
        List<Gap> gaps = new ArrayList<>();
        List<Stretch> all = stretches();
        for (int i = 1; i < all.size(); i++) {
            Lsn from = all.get(i - 1).end();
            gaps.add(new Gap(from, all.get(i).begin(), isFreed(from)));
        }
        return gaps;
    }

    /// First byte of everything that is stored; empty if nothing is.
    public Optional<Lsn> begin() {
        return pieces.isEmpty()
                ? Optional.empty()
                : Optional.of(pieces.firstEntry().getValue().segment.start());
    }

    /// First byte after everything that is stored; empty if nothing is.
    public Optional<Lsn> end() {
        return pieces.isEmpty()
                ? Optional.empty()
                : Optional.of(pieces.lastEntry().getValue().end());
    }

    /// Whether the segment that holds this position, of which nothing is stored, was freed by
    /// retention.
    public boolean isFreed(Lsn position) {
        Lsn last = WalSegment.containing(history.timeline(), position, segmentBytes).end().plus(-1);
        return archive.isFreed(
                WalSegment.containing(history.timelineAt(last), position, segmentBytes));
    }

    Optional<Piece> piece(long number) {
        return Optional.ofNullable(pieces.get(number));
    }

    /// The bytes of a piece.
    byte[] bytes(Piece piece) {
        byte[] bytes =
                piece.stored
                        ? archive.get(piece.segment).orElse(new byte[0])
                        : archive.parts(piece.segment);
        return bytes.length > piece.length ? Arrays.copyOf(bytes, piece.length) : bytes;
    }

    WalArchive archive() {
        return archive;
    }
}
