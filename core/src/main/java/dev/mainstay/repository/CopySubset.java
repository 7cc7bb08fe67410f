package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;

import java.util.Map;
import java.util.function.Predicate;

/// Which backups, and which WAL, a copy is to hold that does not hold everything.
public interface CopySubset {
    /// Of one source.
    ///
    /// @param leftOut why each listed backup is not to be in the copy; every other one is
    /// @param policy for the record
    /// @param wal of clusters of which not everything is wanted
    /// @param consistent the WAL without which a backup cannot be restored, as far as that is known
    /// @param window whether WAL is wanted beyond that
    record Chosen(
            Map<BackupId, String> leftOut,
            String policy,
            Map<SystemId, Log> wal,
            Map<BackupId, Span> consistent,
            boolean window) {
        public Chosen {
            leftOut = Map.copyOf(leftOut);
            wal = Map.copyOf(wal);
            consistent = Map.copyOf(consistent);
        }

        public boolean wants(CommittedBackup backup) {
            return !leftOut.containsKey(backup.id());
        }
    }

    /// Of one cluster's log.
    ///
    /// @param wanted which segments are to be in the copy
    /// @param passed which of the others lie before what the newest backup needs, so that they will
    ///   not be wanted any more
    record Log(int segmentBytes, Predicate<WalSegment> wanted, Predicate<WalSegment> passed) {}

    /// Segments that follow each other, by number, of whichever timelines.
    record Span(SystemId system, long first, long last, int segmentBytes) {}

    /// Decides by records that were just read.
    Chosen choose(ProtectedSource source, RecordChain chain);

    /// The WAL in the copy that the backups there do not need, and no window.
    UnneededWal unneededWal();
}
