package dev.mainstay.server.view;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.archive.ArchivedTimelines;
import dev.mainstay.engine.archive.StoredLog;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What is stored of a source's log, along its newest timeline.
///
/// @param begins where the oldest stretch begins
/// @param ends first byte after all that is stored
/// @param lastCommit the newest of which a stored segment tells the time
public record WalPicture(
        SystemId system,
        TimelineId timeline,
        Optional<Lsn> begins,
        Optional<Lsn> ends,
        Optional<Instant> lastCommit,
        List<StoredLog.Gap> gaps) {
    /// How many segments before the end are asked for the time of their last commit.
    private static final int LOOK_BACK = 4;

    public WalPicture {
        gaps = List.copyOf(gaps);
    }

    static WalPicture of(ProtectedSource source) {
        ArchivedTimelines timelines = ArchivedTimelines.of(source);
        StoredLog log = timelines.log(timelines.newest());
        return new WalPicture(
                timelines.system(),
                log.history().timeline(),
                log.begin(),
                log.end(),
                log.end()
                        .flatMap(
                                end ->
                                        lastCommit(
                                                source.wal(timelines.system(), 1),
                                                log,
                                                WalSegment.containing(
                                                        log.history().timeline(),
                                                        end.plus(-1),
                                                        timelines.segmentBytes()))),
                log.missing());
    }

    private static Optional<Instant> lastCommit(WalArchive archive, StoredLog log, WalSegment end) {
        for (long number = end.number();
                number >= Math.max(0, end.number() - LOOK_BACK);
                number--) {
            WalSegment any = new WalSegment(end.timeline(), number, end.sizeBytes());
            Optional<Instant> time =
                    archive.getSummary(
                                    any.onTimeline(log.history().timelineAt(any.end().plus(-1))))
                            .map(WalSummary::decode)
                            .map(WalSummary::commits)
                            .flatMap(WalSummary.Commits::latest);
            if (time.isPresent()) {
                return time;
            }
        }
        return Optional.empty();
    }
}
