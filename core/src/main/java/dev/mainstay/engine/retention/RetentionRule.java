package dev.mainstay.engine.retention;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.SystemId;
import dev.mainstay.postgres.wal.TimelineHistory;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;

/// Which backups stay, as a pure function of what is known of them.
///
/// A backup stays if any rule of the policy keeps it and no maximum is against it. Whatever the
/// policy says, these stay: the newest backup and the newest complete backup of each cluster, what
/// is held, the newest ones up to the minimum, and what the recovery window needs. Backups are
/// complete in themselves, so none stays for the sake of another that was built upon it.
///
/// What is newest is decided by the chain of records. Clocks only label: a wrong one makes nothing
/// go that is newer in the chain than what stays for the same reason.
public final class RetentionRule {
    /// What was decided.
    ///
    /// @param decisions of every backup, in the order of the chain
    /// @param needs the WAL that is needed of each cluster once the others are gone
    public record Outcome(List<RetentionDecision> decisions, List<WalNeed> needs) {
        public Outcome {
            decisions = List.copyOf(decisions);
            needs = List.copyOf(needs);
        }

        public List<RetainedBackup> kept() {
            return which(true);
        }

        public List<RetainedBackup> removed() {
            return which(false);
        }

        private List<RetainedBackup> which(boolean keep) {
            return decisions.stream()
                    .filter(each -> each.keep() == keep)
                    .map(RetentionDecision::backup)
                    .toList();
        }
    }

    private final List<RetainedBackup> chain;
    private final RetentionPolicy policy;
    private final Instant now;
    private final WindowRule window;
    private final Map<RetainedBackup, String> newest = new HashMap<>();
    private final Set<RetainedBackup> least;

    /// @param chain the backups of one source in the order of its records, oldest first
    public RetentionRule(
            List<RetainedBackup> chain, RetentionPolicy policy, Lineage lineage, Instant now) {
        this.chain = List.copyOf(chain);
        this.policy = policy;
        this.now = now;
        this.window = new WindowRule(this.chain, policy, lineage, now);
        this.least = KeepRules.newest(policy.minimum().orElse(0), this.chain);
        Map<SystemId, RetainedBackup> complete = new LinkedHashMap<>();
        Map<SystemId, RetainedBackup> any = new LinkedHashMap<>();
        for (RetainedBackup each : this.chain) {
            any.put(each.system(), each);
            if (each.complete()) {
                complete.put(each.system(), each);
            }
        }
        any.values().forEach(each -> newest.put(each, "newest of its cluster"));
        complete.values()
                .forEach(each -> newest.putIfAbsent(each, "newest complete one of its cluster"));
    }

    /// @param held why each backup stays that somebody holds, or that a record may hold which
    ///   cannot be read
    public Outcome decide(Map<BackupId, List<String>> held) {
        KeepRules rules = new KeepRules(chain, policy, now);
        List<RetentionDecision> decisions = new ArrayList<>();
        for (RetainedBackup backup : chain) {
            List<String> reasons = new ArrayList<>();
            Optional.ofNullable(newest.get(backup)).ifPresent(reasons::add);
            reasons.addAll(held.getOrDefault(backup.id(), List.of()));
            if (least.contains(backup)) {
                reasons.add("minimum " + policy.minimum().orElse(0));
            }
            window.reason(backup).ifPresent(reasons::add);
            reasons.addAll(rules.reasons(backup));
            boolean keep = !reasons.isEmpty();
            decisions.add(
                    new RetentionDecision(backup, keep, keep ? reasons : rules.against(backup)));
        }
        List<RetainedBackup> kept =
                decisions.stream()
                        .filter(RetentionDecision::keep)
                        .map(RetentionDecision::backup)
                        .toList();
        return new Outcome(decisions, window.needs(kept));
    }

    /// The WAL that is needed of each cluster as long as all these backups are there.
    public List<WalNeed> needs(List<RetainedBackup> backups) {
        return window.needs(backups);
    }

    /// What can be recovered with these backups, under this policy.
    ///
    /// @param reaches whether the WAL from a backup's start on is stored without a gap, along a
    ///   timeline and its ancestors, to the end of what is stored
    public List<RecoveryWindow> windows(
            List<RetainedBackup> kept, BiPredicate<TimelineHistory, RetainedBackup> reaches) {
        return window.windows(kept, reaches);
    }
}
