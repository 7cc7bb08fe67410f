package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.DamagedRecord;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.WalArchive;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/// The timelines of the cluster that a source was last backed up from.
public final class ArchivedTimelines {
    private final ProtectedSource source;
    private final WalArchive archive;
    private final BackupDetails newest;
    private final List<CommittedBackup> backups;
    private final List<DamagedRecord> damaged;
    private final TreeSet<TimelineId> timelines = new TreeSet<>();

    private ArchivedTimelines(ProtectedSource source, RecordChain chain) {
        List<CommittedBackup> backups = chain.backups();
        this.source = source;
        this.damaged = chain.damaged();
        this.newest = BackupDetails.read(backups.getLast().details());
        this.archive = source.wal(newest.systemId(), 1);
        this.backups =
                backups.stream()
                        .filter(
                                each ->
                                        BackupDetails.read(each.details())
                                                .systemId()
                                                .equals(newest.systemId()))
                        .toList();
        timelines.addAll(archive.timelines());
        this.backups.forEach(each -> timelines.add(BackupDetails.read(each.details()).timeline()));
    }

    /// @throws MainstayException BACKUP_UNKNOWN if there is no backup: nothing could be restored,
    ///   and nothing tells which cluster is meant
    public static ArchivedTimelines of(ProtectedSource source) {
        RecordChain chain = source.records();
        if (chain.backups().isEmpty()) {
            throw new MainstayException(
                    ErrorCode.BACKUP_UNKNOWN,
                    "source " + source.name() + " has no backup, so there is nowhere to go back to",
                    "take one: mainstay backup " + source.name(),
                    null);
        }
        return new ArchivedTimelines(source, chain);
    }

    /// The cluster: that of the newest backup.
    public SystemId system() {
        return newest.systemId();
    }

    /// How large its segments are.
    public int segmentBytes() {
        return newest.layout().walSegmentSize();
    }

    /// Why less can be told of a timeline than there was: records that cannot be read, where
    /// backups may be among them, and a history that is not stored.
    public List<String> warnings(TimelineId timeline) {
        List<String> warnings = new ArrayList<>();
        damaged.forEach(each -> warnings.add(each.toString()));
        // All but the first need their history file to tell where they come from.
        if (StoredLog.history(archive, timeline).isEmpty()) {
            warnings.add(
                    timeline.historyFileName()
                            + " is not stored; what was before this timeline is not shown, and it"
                            + " cannot be restored");
        }
        return warnings;
    }

    /// Of this cluster, oldest first.
    List<CommittedBackup> backups() {
        return backups;
    }

    ProtectedSource source() {
        return source;
    }

    /// The one a restore follows unless told otherwise: the highest of which WAL is stored.
    public TimelineId newest() {
        for (TimelineId timeline : timelines.descendingSet()) {
            Optional<TimelineHistory> history = StoredLog.history(archive, timeline);
            if (history.isPresent() && hasWal(history.get())) {
                return timeline;
            }
        }
        return newest.timeline();
    }

    private boolean hasWal(TimelineHistory history) {
        if (history.ancestors().isEmpty()) {
            return true;
        }
        Lsn parting = history.ancestors().getLast().end();
        StoredLog own =
                StoredLog.read(
                        archive,
                        TimelineHistory.first(history.timeline()),
                        newest.layout().walSegmentSize(),
                        parting);
        return own.end().filter(end -> end.isAfter(parting)).isPresent();
    }

    /// Everything stored along one timeline and its ancestors. One whose history is not known is
    /// read as if it had none.
    ///
    /// @throws MainstayException WAL_ABSENT if nothing of that timeline is known
    public StoredLog log(TimelineId timeline) {
        if (!timelines.contains(timeline)) {
            throw new MainstayException(
                    ErrorCode.WAL_ABSENT,
                    "nothing is stored of timeline " + timeline + " of " + source.name(),
                    "there are: "
                            + String.join(
                                    ", ", timelines.stream().map(TimelineId::toString).toList()),
                    null);
        }
        TimelineHistory history =
                StoredLog.history(archive, timeline).orElse(TimelineHistory.first(timeline));
        return StoredLog.read(archive, history, newest.layout().walSegmentSize(), Lsn.NONE);
    }
}
