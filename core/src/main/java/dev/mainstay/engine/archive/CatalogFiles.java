package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.PgClassFiles;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.postgres.wal.WalEvent;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.WalArchive;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Which file `pg_class` is in each database where a segment begins: what the newest backup before
/// it found, and what the log says since. Where neither tells, as initdb leaves it.
final class CatalogFiles {
    private final WalArchive archive;
    private final List<WalSummary.Noted> moves = new ArrayList<>();
    private Optional<TimelineHistory> history = Optional.empty();

    CatalogFiles(WalArchive archive) {
        this.archive = archive;
    }

    /// Takes in what a segment says; segments come in order.
    void saw(WalSummary summary) {
        for (WalSummary.Noted noted : summary.noted()) {
            if (noted.event() instanceof WalEvent.RelationMapUpdated
                    || noted.event() instanceof WalEvent.DatabaseCreated) {
                moves.add(noted);
            }
        }
    }

    /// A position from which on the log tells everything about its place.
    ///
    /// @param at begin of the backup
    record Known(Lsn at, PgClassFiles files) {}

    /// @param newestFirst of this source
    Optional<Known> known(WalSegment segment, List<CommittedBackup> newestFirst) {
        for (CommittedBackup backup : newestFirst) {
            Optional<BackupDetails> details = BackupDetails.find(backup);
            if (details.isPresent() && isBefore(details.get(), segment)) {
                return Optional.of(
                        new Known(
                                details.get().startLsn(),
                                PgClassFiles.of(BackupDetails.movedPgClass(backup.details()))));
            }
        }
        return Optional.empty();
    }

    private boolean isBefore(BackupDetails details, WalSegment segment) {
        return details.systemId().equals(archive.system())
                && !details.stopLsn().isAfter(segment.start())
                && history(segment).isOnPath(details.timeline(), details.stopLsn());
    }

    /// The timeline that the log before this segment belongs to, if it is another one: the segment
    /// then begins with what it inherited.
    Optional<TimelineId> parent(WalSegment segment) {
        TimelineId before = history(segment).timelineAt(segment.start().plus(-1));
        return before.equals(segment.timeline()) ? Optional.empty() : Optional.of(before);
    }

    private TimelineHistory history(WalSegment segment) {
        if (history.filter(known -> known.timeline().equals(segment.timeline())).isEmpty()) {
            history =
                    Optional.of(
                            StoredLog.history(archive, segment.timeline())
                                    .orElse(TimelineHistory.first(segment.timeline())));
        }
        return history.get();
    }

    /// What a backup found may be older than the moves since its begin, never younger than those
    /// since: they are followed again, and leave the same.
    PgClassFiles at(Optional<Known> known) {
        PgClassFiles files = known.map(Known::files).orElseGet(PgClassFiles::initial);
        for (WalSummary.Noted move : moves) {
            if (known.isEmpty() || !move.lsn().isBefore(known.get().at())) {
                files.follow(move.event());
            }
        }
        return files;
    }
}
