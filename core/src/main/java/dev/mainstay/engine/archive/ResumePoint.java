package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.WalArchive;

import java.util.List;
import java.util.Optional;

/// Where a receiver goes on that has just been started.
///
/// The slot alone does not tell: one that was dropped, or that the server invalidated, is made anew
/// where the server's log is now, and what lies between that and the end of the archive may still
/// be there to be fetched, or be lost. So what is stored decides, unless it reaches the slot.
///
/// @param stored up to here everything is in the repository
/// @param first the segment to receive from its start on
record ResumePoint(Lsn stored, WalSegment first) {
    /// @param kept from where the server keeps WAL
    static ResumePoint find(WalArchive archive, Spool spool, TimelineHistory history, Lsn kept) {
        Lsn stored = storedUpTo(archive, spool.segmentSizeBytes(), history, kept);
        TimelineId timeline = history.timelineAt(stored);
        WalSegment first = WalSegment.containing(timeline, stored, spool.segmentSizeBytes());
        return new ResumePoint(stored, afterFinished(spool.finished(), first));
    }

    /// The first segment from `first` on that is not spooled whole.
    static WalSegment afterFinished(List<WalSegment> finished, WalSegment first) {
        WalSegment next = first;
        for (WalSegment each : finished) {
            if (each.equals(next)) {
                next = next.next();
            }
        }
        return next;
    }

    /// The slot's position if the archive reaches it or holds nothing before it; else the end of
    /// the archive.
    private static Lsn storedUpTo(
            WalArchive archive, int segmentSizeBytes, TimelineHistory history, Lsn kept) {
        Lsn before = kept.plus(-1);
        boolean reaches =
                StoredLog.read(archive, history, segmentSizeBytes, before)
                        .endFrom(before)
                        .filter(end -> !end.isBefore(kept))
                        .isPresent();
        if (reaches) {
            return kept;
        }
        Lsn keptSegment = WalSegment.containing(history.timeline(), kept, segmentSizeBytes).start();
        Optional<Lsn> end = StoredLog.read(archive, history, segmentSizeBytes, Lsn.NONE).end();
        return end.filter(position -> position.isBefore(keptSegment)).orElse(kept);
    }
}
