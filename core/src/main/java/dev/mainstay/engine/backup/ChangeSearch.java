package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.archive.StoredLog;
import dev.mainstay.postgres.wal.ChangedBlocks;
import dev.mainstay.postgres.wal.PgClassFiles;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalReader;
import dev.mainstay.postgres.wal.WalSummariser;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.FetchAhead;
import dev.mainstay.repository.WalArchive;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/// Finds out what changed between two backups: from the summaries of the WAL between where the
/// earlier one's replay begins and where this one's does, along this backup's own timeline history.
///
/// Where a segment has no summary yet — usually the last one or two — the segment itself is read,
/// from the server's `pg_wal` or from the archive. Anything that is missing, torn or not understood
/// makes the answer empty: then everything is read.
final class ChangeSearch {
    /// A page header, and the padding of a record: what may lie between two summaries.
    private static final int BETWEEN = 64;

    /// @param from where replay of the earlier backup begins
    /// @param copied where the earlier backup was consistent: its pages know of changes up to here
    record Earlier(TimelineId timeline, Lsn from, Lsn copied) {}

    /// What was found.
    sealed interface Found {
        record Known(ChangedBlocks blocks) implements Found {}

        record Unknown(String reason) implements Found {}
    }

    /// Ends the search: everything has to be read.
    private static final class NotKnown extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotKnown(String reason) {
            super(reason, null, false, false);
        }
    }

    private final WalArchive archive;
    private final Optional<Path> pgWal;
    private final WalLayout layout;
    private final int segmentBytes;
    private final boolean exact;
    private final ChangedBlocks.Merge changed = new ChangedBlocks.Merge();

    private ChangeSearch(
            WalArchive archive,
            Optional<Path> pgWal,
            boolean exact,
            int segmentBytes,
            int walPageBytes) {
        this.archive = archive;
        this.pgWal = pgWal;
        this.exact = exact;
        this.segmentBytes = segmentBytes;
        this.layout =
                new WalLayout(
                        segmentBytes,
                        walPageBytes,
                        Optional.empty(),
                        Optional.of(archive.system()),
                        Optional.empty());
    }

    /// What it finds begins with the segment in which the earlier backup's replay begins: a little
    /// too much, for whoever reads what is named himself.
    ///
    /// @param pgWal the server's directory of this name; empty where it cannot be read
    static ChangeSearch ofFiles(
            WalArchive archive, Optional<Path> pgWal, int segmentBytes, int walPageBytes) {
        return new ChangeSearch(archive, pgWal, false, segmentBytes, walPageBytes);
    }

    /// What it finds can be held against what a server says of the same stretch: a file that was
    /// made in the first segment, but before the earlier backup began, is none that is new. That
    /// costs reading this segment.
    static ChangeSearch ofServer(WalArchive archive, int segmentBytes, int walPageBytes) {
        return new ChangeSearch(archive, Optional.empty(), true, segmentBytes, walPageBytes);
    }

    /// @param timeline of the backup that is being taken
    /// @param to where its replay begins
    /// @throws MainstayException STORE_UNAVAILABLE and the like if the archive cannot be asked
    Found find(Earlier earlier, TimelineId timeline, Lsn to) {
        try {
            TimelineHistory history = history(timeline);
            requireAncestor(earlier, history);
            search(earlier.from, to, history);
            return new Found.Known(changed.result());
        } catch (NotKnown notKnown) {
            return new Found.Unknown(String.valueOf(notKnown.getMessage()));
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.WAL_FILE_INVALID
                    || failed.code() == ErrorCode.OBJECT_DAMAGED) {
                return new Found.Unknown(failed.code().id() + ": " + failed.getMessage());
            }
            throw failed;
        }
    }

    private TimelineHistory history(TimelineId timeline) {
        return StoredLog.history(archive, timeline)
                .or(() -> localHistory(timeline))
                .orElseThrow(
                        () -> new NotKnown("the history of timeline " + timeline + " is unknown"));
    }

    private Optional<TimelineHistory> localHistory(TimelineId timeline) {
        if (pgWal.isEmpty()) {
            return Optional.empty();
        }
        Path file = pgWal.get().resolve(timeline.historyFileName());
        try {
            return Optional.of(TimelineHistory.parse(timeline, Files.readString(file)));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        } catch (IOException unreadable) {
            throw new NotKnown("cannot read " + file + ": " + unreadable);
        }
    }

    /// What the earlier backup copied after the timelines parted is not part of this history.
    private static void requireAncestor(Earlier earlier, TimelineHistory history) {
        if (earlier.timeline.equals(history.timeline())) {
            return;
        }
        Lsn end =
                history.ancestors().stream()
                        .filter(each -> each.timeline().equals(earlier.timeline))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new NotKnown(
                                                "timeline "
                                                        + earlier.timeline
                                                        + " of the earlier backup is no ancestor"
                                                        + " of timeline "
                                                        + history.timeline()))
                        .end();
        if (earlier.copied.isAfter(end)) {
            throw new NotKnown(
                    "timeline "
                            + history.timeline()
                            + " began at "
                            + end
                            + ", before the earlier backup ended at "
                            + earlier.copied);
        }
    }

    private void search(Lsn from, Lsn to, TimelineHistory history) {
        if (to.isBefore(from)) {
            throw new NotKnown("the log goes back: from " + from + " to " + to);
        }
        ServerLog log =
                new ServerLog(archive, pgWal, number -> segment(number, history), segmentBytes);
        long last = Long.divideUnsigned(to.value(), segmentBytes);
        Optional<Lsn> reached = Optional.empty();
        List<WalSegment> segments =
                LongStream.range(Long.divideUnsigned(from.value(), segmentBytes), last)
                        .mapToObj(number -> segment(number, history))
                        .toList();
        try (FetchAhead<Optional<byte[]>> summaries = summaries(segments)) {
            for (WalSegment segment : segments) {
                WalSummary summary = stored(summaries::next).orElseGet(() -> made(segment, log));
                requireUsable(summary, segment);
                requireFollows(reached, summary.begin(), segment);
                boolean first = reached.isEmpty();
                changed.add(first && exact ? from(from, segment, log, summary) : summary.changed());
                reached = Optional.of(summary.end());
            }
        }
        WalSegment lastSegment = segment(last, history);
        boolean alone = reached.isEmpty() && exact;
        rest(lastSegment, alone ? from : lastSegment.start(), to, log);
    }

    /// What a segment changed from a record on.
    private ChangedBlocks from(Lsn record, WalSegment segment, ServerLog log, WalSummary whole) {
        if (!log.has(segment)) {
            return whole.changed();
        }
        WalSummariser.RangeChanges part =
                WalSummariser.changes(WalReader.open(log, layout, record), segment.end());
        requireTrusted(part.readWhole());
        return part.unread().isPresent() ? whole.changed() : part.changed();
    }

    /// The segment in which timelines part is that of the younger one, which begins with what it
    /// inherited.
    private WalSegment segment(long number, TimelineHistory history) {
        TimelineId timeline =
                history.ancestors().stream()
                        .filter(each -> number < each.end().value() / segmentBytes)
                        .map(TimelineHistory.Ancestor::timeline)
                        .findFirst()
                        .orElse(history.timeline());
        return new WalSegment(timeline, number, segmentBytes);
    }

    private FetchAhead<Optional<byte[]>> summaries(List<WalSegment> segments) {
        return FetchAhead.small(
                archive.source().repository().ground().beside(), segments, archive::getSummary);
    }

    /// A summary that cannot be read can be made again.
    private static Optional<WalSummary> stored(Supplier<Optional<byte[]>> summary) {
        try {
            return summary.get().map(WalSummary::decode);
        } catch (MainstayException damaged) {
            if (damaged.code() == ErrorCode.WAL_FILE_INVALID
                    || damaged.code() == ErrorCode.OBJECT_DAMAGED) {
                return Optional.empty();
            }
            throw damaged;
        }
    }

    private WalSummary made(WalSegment segment, ServerLog log) {
        requirePresent(segment, log);
        return WalSummariser.summarise(segment, log, layout, PgClassFiles.initial());
    }

    private static void requirePresent(WalSegment segment, ServerLog log) {
        if (!log.has(segment)) {
            throw new NotKnown("WAL segment " + segment + " is neither stored nor on the server");
        }
    }

    private static void requireUsable(WalSummary summary, WalSegment segment) {
        if (!summary.complete()) {
            throw new NotKnown("WAL of segment " + segment + " ends at " + summary.end());
        }
        requireTrusted(summary.readWhole());
    }

    private static void requireTrusted(List<String> reasons) {
        if (!reasons.isEmpty()) {
            throw new NotKnown("the log does not tell what changed: " + String.join("; ", reasons));
        }
    }

    private static void requireFollows(Optional<Lsn> reached, Lsn begin, WalSegment segment) {
        if (reached.isPresent()
                && (begin.isBefore(reached.get()) || begin.minus(reached.get()) > BETWEEN)) {
            throw new NotKnown(
                    "the records of segment "
                            + segment
                            + " begin at "
                            + begin
                            + ", those before ended at "
                            + reached.get());
        }
    }

    /// What begins before `to` in the segment it lies in. All of it is on the server's disk: a
    /// checkpoint came after.
    private void rest(WalSegment segment, Lsn from, Lsn to, ServerLog log) {
        if (to.minus(segment.start()) <= WalLayout.LONG_HEADER_BYTES) {
            return;
        }
        requirePresent(segment, log);
        WalReader reader =
                from.equals(segment.start())
                        ? WalReader.seek(log, layout, from)
                        : WalReader.open(log, layout, from);
        WalSummariser.RangeChanges rest = WalSummariser.changes(reader, to);
        if (rest.unread().isPresent()) {
            throw new NotKnown("WAL of segment " + segment + " ends at " + reader.position());
        }
        requireTrusted(rest.readWhole());
        changed.add(rest.changed());
    }
}
