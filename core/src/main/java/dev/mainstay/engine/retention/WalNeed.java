package dev.mainstay.engine.retention;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

import java.util.ArrayList;
import java.util.List;

/// The WAL of a cluster that kept backups and the recovery window have need of.
///
/// @param since everything from here on, of every timeline
/// @param older backups that begin before, of which each needs only what makes it consistent
/// @param youngest timeline of which there is a backup: of those that came later, and so may be the
///   one the cluster is on, everything is needed
public record WalNeed(SystemId system, Lsn since, List<RetainedBackup> older, TimelineId youngest) {
    public WalNeed {
        older = List.copyOf(older);
    }

    /// Whether anything needs this segment.
    public boolean needs(WalSegment segment) {
        return segment.timeline().compareTo(youngest) > 0
                || segment.end().isAfter(since)
                || older.stream().anyMatch(backup -> needs(backup, segment));
    }

    /// The same, and what makes these consistent.
    WalNeed with(List<RetainedBackup> backups) {
        List<RetainedBackup> all = new ArrayList<>(older);
        backups.stream().filter(each -> each.system().equals(system)).forEach(all::add);
        return new WalNeed(system, since, all, youngest);
    }

    /// A backup that began just after a switch of timelines needs the segment of both.
    static boolean needs(RetainedBackup backup, WalSegment segment) {
        return segment.end().isAfter(backup.start()) && segment.start().isBefore(backup.stop());
    }
}
