package dev.mainstay.engine.retention;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;

import java.util.List;

/// The WAL of a cluster that kept backups and the recovery window have need of.
///
/// @param since everything from here on, of every timeline
/// @param older backups that begin before, of which each needs only what makes it consistent
public record WalNeed(SystemId system, Lsn since, List<RetainedBackup> older) {
    public WalNeed {
        older = List.copyOf(older);
    }

    /// Whether anything needs this segment.
    public boolean needs(WalSegment segment) {
        return segment.end().isAfter(since)
                || older.stream().anyMatch(backup -> needs(backup, segment));
    }

    /// A backup that began just after a switch of timelines needs the segment of both.
    private static boolean needs(RetainedBackup backup, WalSegment segment) {
        return segment.end().isAfter(backup.start()) && segment.start().isBefore(backup.stop());
    }
}
