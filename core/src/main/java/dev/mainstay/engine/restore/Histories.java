package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.WalArchive;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The timelines of one cluster, as their history files in the archive tell.
final class Histories {
    /// @param known whether there is a history file, or none is needed
    record Path(TimelineHistory history, boolean known) {}

    private final WalArchive archive;
    private final Map<TimelineId, Optional<TimelineHistory>> read = new HashMap<>();

    Histories(WalArchive archive) {
        this.archive = archive;
    }

    /// The timeline a restore of this backup follows.
    ///
    /// @throws MainstayException RESTORE_TARGET_UNREACHABLE if there is no such timeline
    Path choose(TimelineChoice choice, BackupDetails backup) {
        return switch (choice) {
            case TimelineChoice.Current _ -> own(backup);
            case TimelineChoice.Latest _ -> newest(backup);
            case TimelineChoice.Named(TimelineId timeline) -> named(timeline, backup);
        };
    }

    /// Without a history file the backup's own timeline is as if it had no ancestors, which the
    /// replay of this backup never needs.
    private Path own(BackupDetails backup) {
        Optional<TimelineHistory> history = history(backup.timeline());
        return new Path(
                history.orElse(TimelineHistory.first(backup.timeline())), history.isPresent());
    }

    private Path named(TimelineId timeline, BackupDetails backup) {
        if (timeline.equals(backup.timeline())) {
            return own(backup);
        }
        return history(timeline)
                .map(history -> new Path(history, true))
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.RESTORE_TARGET_UNREACHABLE,
                                        "the repository has no " + timeline.historyFileName()));
    }

    /// The highest number wins, as it does with PostgreSQL; but a timeline of which nothing is
    /// stored yet leads nowhere.
    private Path newest(BackupDetails backup) {
        List<TimelineId> timelines = archive.timelines().reversed();
        for (TimelineId timeline : timelines) {
            if (timeline.compareTo(backup.timeline()) <= 0) {
                break;
            }
            Optional<TimelineHistory> history = history(timeline);
            if (history.isPresent() && hasWal(history.get(), backup)) {
                return new Path(history.get(), true);
            }
        }
        return own(backup);
    }

    private boolean hasWal(TimelineHistory history, BackupDetails backup) {
        var start =
                history.ancestors().isEmpty()
                        ? backup.startLsn()
                        : history.ancestors().getLast().end();
        var first =
                WalSegment.containing(history.timeline(), start, backup.layout().walSegmentSize());
        return archive.storedUpTo(first).isAfter(first.start());
    }

    private Optional<TimelineHistory> history(TimelineId timeline) {
        return read.computeIfAbsent(
                timeline,
                _ -> {
                    Optional<TimelineHistory> stored =
                            archive.getFile(timeline.historyFileName())
                                    .map(
                                            bytes ->
                                                    TimelineHistory.parse(
                                                            timeline,
                                                            new String(
                                                                    bytes,
                                                                    StandardCharsets.UTF_8)));
                    return stored.isEmpty() && timeline.value() == 1
                            ? Optional.of(TimelineHistory.first(timeline))
                            : stored;
                });
    }
}
