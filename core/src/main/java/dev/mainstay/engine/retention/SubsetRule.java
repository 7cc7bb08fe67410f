package dev.mainstay.engine.retention;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.CopySettings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.repository.CopySubset;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.UnneededWal;

import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/// What a copy holds that is to hold some of the backups: what an expiry by the copy's own policy
/// would keep of what the repository has. A source that nobody has configured is copied as a whole.
public final class SubsetRule implements CopySubset {
    private final CopyKeep keep;
    private final Function<String, Optional<RetentionPolicy>> policies;
    private final Instant now;

    /// @param policies of sources, by name; empty for one that is not configured
    public SubsetRule(
            CopyKeep keep, Function<String, Optional<RetentionPolicy>> policies, Instant now) {
        this.keep = keep;
        this.policies = policies;
        this.now = now;
    }

    /// What a copy is to hold; empty if everything.
    public static Optional<CopySubset> of(
            Configuration configuration, CopySettings copy, Instant now) {
        return copy.keep()
                .map(
                        keep ->
                                new SubsetRule(
                                        keep,
                                        name ->
                                                Optional.ofNullable(
                                                                configuration.sources().get(name))
                                                        .map(SourceSettings::retention),
                                        now));
    }

    private Optional<RetentionPolicy> policy(String source) {
        return policies.apply(source).map(keep::of);
    }

    @Override
    public Chosen choose(ProtectedSource source, RecordChain chain) {
        Optional<RetentionPolicy> policy = policy(source.name());
        if (policy.isEmpty()) {
            return new Chosen(Map.of(), "everything", Map.of(), Map.of(), true);
        }
        ExpiryPlan plan = new SourceExpiry(source, policy.get(), now).plan(chain);
        return chosen(plan, SourceBackups.of(chain)::hasOneSegmentSize, keep.days().isPresent());
    }

    /// @param regular whether the names of a cluster's segments tell their positions
    /// @param window whether WAL is wanted beyond what makes backups consistent
    static Chosen chosen(ExpiryPlan plan, Predicate<SystemId> regular, boolean window) {
        Map<BackupId, String> leftOut = new HashMap<>();
        Map<BackupId, Span> consistent = new HashMap<>();
        for (RetentionDecision each : plan.decisions()) {
            RetainedBackup backup = each.backup();
            if (each.keep()) {
                consistent.put(backup.id(), span(backup, size(plan, backup.system())));
            } else {
                leftOut.put(backup.id(), String.join("; ", each.reasons()));
            }
        }
        Map<SystemId, Log> wal = new HashMap<>();
        if (plan.strange().isEmpty()) {
            for (WalNeed need : plan.needs()) {
                if (regular.test(need.system())) {
                    wal.put(need.system(), log(plan, need, window));
                }
            }
        }
        return new Chosen(leftOut, plan.policy().toString(), wal, consistent, window);
    }

    private static int size(ExpiryPlan plan, SystemId system) {
        return Optional.ofNullable(plan.segmentBytes().get(system)).orElseThrow();
    }

    private static Span span(RetainedBackup backup, int size) {
        long first = Long.divideUnsigned(backup.start().value(), size);
        long last = Long.divideUnsigned(backup.stop().value() - 1, size);
        return new Span(backup.system(), first, Math.max(first, last), size);
    }

    private static Log log(ExpiryPlan plan, WalNeed need, boolean window) {
        List<RetainedBackup> kept =
                plan.decisions().stream()
                        .filter(RetentionDecision::keep)
                        .map(RetentionDecision::backup)
                        .filter(each -> each.system().equals(need.system()))
                        .toList();
        Lsn newest =
                kept.stream()
                        .map(RetainedBackup::start)
                        .max(Comparator.naturalOrder())
                        .orElseThrow();
        Predicate<WalSegment> wanted =
                segment ->
                        kept.stream().anyMatch(each -> WalNeed.needs(each, segment))
                                || window && need.needs(segment);
        return new Log(
                size(plan, need.system()),
                wanted,
                segment -> !segment.end().isAfter(newest) && !wanted.test(segment));
    }

    @Override
    public UnneededWal unneededWal() {
        return new WalRetention(this::policy, now);
    }
}
