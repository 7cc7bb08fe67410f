package dev.mainstay.engine.retention;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

import java.util.List;
import java.util.Map;

/// What an expiry would do.
///
/// @param decisions of every backup, in the order of the chain
/// @param strange backups whose records do not tell what cluster they are of: they stay
/// @param damaged records that cannot be read: what they are of stays
/// @param before what can be recovered as things are
/// @param after what can be recovered once the backups are gone, and the WAL that nothing needs
///   then
/// @param needs the WAL that is needed of each cluster then
/// @param segmentBytes of each cluster's WAL
/// @param freed WAL that nothing has need of then, and that `prune` may remove
public record ExpiryPlan(
        String source,
        RetentionPolicy policy,
        List<RetentionDecision> decisions,
        List<BackupId> strange,
        List<String> damaged,
        List<RecoveryWindow> before,
        List<RecoveryWindow> after,
        List<WalNeed> needs,
        Map<SystemId, Integer> segmentBytes,
        List<FreedWal> freed) {
    /// @param segments how many
    public record FreedWal(
            TimelineId timeline, long segments, long bytes, String first, String last) {
        /// @param segments of one timeline, in order; at least one
        static FreedWal of(List<WalSegment> segments) {
            WalSegment first = segments.getFirst();
            return new FreedWal(
                    first.timeline(),
                    segments.size(),
                    (long) segments.size() * first.sizeBytes(),
                    first.fileName(),
                    segments.getLast().fileName());
        }
    }

    public ExpiryPlan {
        decisions = List.copyOf(decisions);
        strange = List.copyOf(strange);
        damaged = List.copyOf(damaged);
        before = List.copyOf(before);
        after = List.copyOf(after);
        needs = List.copyOf(needs);
        segmentBytes = Map.copyOf(segmentBytes);
        freed = List.copyOf(freed);
    }

    public List<RetentionDecision> removed() {
        return decisions.stream().filter(each -> !each.keep()).toList();
    }
}
