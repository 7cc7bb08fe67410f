package dev.mainstay.engine.proof;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.repository.Defect;
import dev.mainstay.repository.RepositoryCheck;

import java.util.List;
import java.util.Set;

/// What a verification found.
///
/// @param findings the first ones; `findingCount` counts all
/// @param contents what was looked at
/// @param segments WAL segments that were looked for between backups and the end of the log
/// @param summariesCompared with the WAL they were made of
public record VerifyReport(
        List<Finding> findings,
        long findingCount,
        RepositoryCheck.Result contents,
        long backups,
        long segments,
        long summariesCompared) {
    public VerifyReport {
        findings = List.copyOf(findings);
    }

    public boolean ok() {
        return findingCount == 0;
    }

    /// Something that is wrong, and what is lost by it as long as it is.
    ///
    /// @param backups that cannot be restored whole
    /// @param lost what could be recovered to if only this were repaired
    public record Finding(
            String object, ErrorCode code, String what, Set<BackupId> backups, List<Lost> lost) {
        public Finding {
            backups = Set.copyOf(backups);
            lost = List.copyOf(lost);
        }

        static Finding of(Defect defect, List<Lost> lost) {
            return new Finding(
                    defect.object(), defect.code(), defect.what(), defect.backups(), lost);
        }
    }

    /// A part of a source's recovery window.
    ///
    /// @param timeline to which a recovery would go
    /// @param to first position that is not lost, or the end of the log
    public record Lost(String source, TimelineId timeline, Lsn from, Lsn to) {
        @Override
        public String toString() {
            return source + " timeline " + timeline + " from " + from + " to " + to;
        }
    }
}
