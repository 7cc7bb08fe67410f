package dev.mainstay.engine.retention;

import java.util.List;

/// What becomes of a backup, and why.
///
/// @param reasons for a backup that stays each thing that keeps it; for one that goes why nothing
///   does; never empty
public record RetentionDecision(RetainedBackup backup, boolean keep, List<String> reasons) {
    public RetentionDecision {
        reasons = List.copyOf(reasons);
    }
}
