package dev.mainstay.postgres.wal;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Makes a [WalSummary] of each segment of a stream of records, one after the other. The stream
/// must begin with the first record of a segment; it may come in as slowly as it likes.
public final class WalSummariser {
    private final PgClassFiles catalogs;
    private WalSegment segment;
    private SegmentFacts facts;

    private WalSummariser(WalSegment segment, PgClassFiles catalogs) {
        this.segment = segment;
        this.catalogs = catalogs.copy();
        this.facts = new SegmentFacts(segment, this.catalogs);
    }

    /// @param first the segment the first record begins in
    /// @param catalogs as they were at its start
    public static WalSummariser begin(WalSegment first, PgClassFiles catalogs) {
        return new WalSummariser(first, catalogs);
    }

    /// Takes in the next record.
    ///
    /// @return the summaries that became complete with it: several if the record spans segments, in
    ///   which none begins then
    public List<WalSummary> accept(WalRecord record) {
        List<WalSummary> done = new ArrayList<>();
        if (record.lsn().isBefore(segment.start())) {
            throw new IllegalArgumentException(record + " begins before " + segment);
        }
        while (!segment.contains(record.lsn())) {
            done.add(next(segment.end(), record.format()));
        }
        facts.accept(record);
        while (!record.end().isBefore(segment.end())) {
            done.add(next(record.end(), record.format()));
        }
        return done;
    }

    private WalSummary next(Lsn end, WalFormat format) {
        WalSummary summary = facts.finish(end, true, format);
        segment = segment.next();
        facts = new SegmentFacts(segment, catalogs);
        return summary;
    }

    /// Summarises the segment that is not complete, because valid WAL ends at `end`.
    public WalSummary cut(Lsn end, WalFormat format) {
        return facts.finish(end, false, format);
    }

    /// Reads a segment, and as much of those after it as its last record takes, and summarises it.
    /// The summary is not complete if valid WAL ends before.
    public static WalSummary summarise(
            WalSegment segment, WalSource source, WalLayout layout, PgClassFiles catalogs) {
        WalReader reader = WalReader.seek(source, layout, segment.start());
        WalSummariser summariser = begin(segment, catalogs);
        WalStep step = reader.next();
        while (step instanceof WalRecord record && segment.contains(record.lsn())) {
            List<WalSummary> done = summariser.accept(record);
            if (!done.isEmpty()) {
                return done.getFirst();
            }
            step = reader.next();
        }
        WalFormat format =
                reader.format()
                        .or(layout::format)
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.WAL_FILE_INVALID,
                                                segment + " is no WAL"));
        return step instanceof WalRecord
                ? summariser.next(segment.end(), format)
                : summariser.cut(reader.position(), format);
    }

    /// What a stretch of WAL that need not keep to segments changed.
    ///
    /// @param readWhole why the changed blocks cannot be trusted; if any, read everything
    /// @param unread the step at which reading ended before the stretch did, if it did
    public record RangeChanges(
            ChangedBlocks changed, List<String> readWhole, Optional<WalStep> unread) {}

    /// The changes of all records from the reader's next one on that begin before `end`.
    public static RangeChanges changes(WalReader reader, Lsn end) {
        SegmentFacts facts =
                new SegmentFacts(
                        WalSegment.containing(TimelineId.of(1), Lsn.NONE, 1 << 20),
                        PgClassFiles.initial());
        while (reader.position().isBefore(end)) {
            WalStep step = reader.next();
            if (!(step instanceof WalRecord record)) {
                return new RangeChanges(facts.changed(), facts.readWhole(), Optional.of(step));
            }
            if (!record.lsn().isBefore(end)) {
                break;
            }
            facts.accept(record);
        }
        return new RangeChanges(facts.changed(), facts.readWhole(), Optional.empty());
    }
}
