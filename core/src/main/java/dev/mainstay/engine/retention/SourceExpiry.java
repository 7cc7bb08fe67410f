package dev.mainstay.engine.retention;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.DamagedRecord;
import dev.mainstay.repository.Expiry;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Plans and does the expiry of one source's backups. Only records go, and what belongs to a
/// removed backup alone by its name; packs and WAL are left for a collector ([WalRetention]).
public final class SourceExpiry {
    private final ProtectedSource source;
    private final RetentionPolicy policy;
    private final Instant now;

    public SourceExpiry(ProtectedSource source, RetentionPolicy policy, Instant now) {
        this.source = source;
        this.policy = policy;
        this.now = now;
    }

    /// Decides and changes nothing.
    public ExpiryPlan plan() {
        return plan(source.records());
    }

    /// The same by records that were just read.
    public ExpiryPlan plan(RecordChain chain) {
        SourceBackups known = SourceBackups.of(chain);
        List<RetainedBackup> backups = known.listed();
        Map<SystemId, Integer> segmentBytes = known.segmentBytes();
        Map<SystemId, StoredWal> stored = new LinkedHashMap<>();
        segmentBytes.forEach(
                (system, size) -> stored.put(system, StoredWal.of(source.wal(system, 1), size)));
        Lineage lineage = SourceBackups.lineage(source, segmentBytes.keySet());
        RetentionRule rule = new RetentionRule(backups, policy, lineage, now);
        RetentionRule.Outcome outcome = rule.decide(held(chain));
        List<RecoveryWindow> before =
                new RetentionRule(backups, RetentionPolicy.everything(), lineage, now)
                        .windows(backups, (path, from) -> reaches(stored, path, from));
        List<RecoveryWindow> after =
                rule.windows(outcome.kept(), (path, from) -> reaches(stored, path, from));
        return new ExpiryPlan(
                source.name(),
                policy,
                outcome.decisions(),
                known.strange(),
                chain.damaged().stream().map(DamagedRecord::toString).toList(),
                before,
                after,
                outcome.needs(),
                segmentBytes,
                freed(known, outcome.needs(), stored));
    }

    private List<ExpiryPlan.FreedWal> freed(
            SourceBackups known, List<WalNeed> needs, Map<SystemId, StoredWal> stored) {
        if (!WalRetention.frees(policy) || !known.strange().isEmpty()) {
            return List.of();
        }
        List<ExpiryPlan.FreedWal> freed = new ArrayList<>();
        for (WalNeed need : needs) {
            if (known.hasOneSegmentSize(need.system())) {
                Map<TimelineId, List<WalSegment>> timelines = new TreeMap<>();
                Optional.ofNullable(stored.get(need.system())).stream()
                        .flatMap(wal -> wal.unneeded(need).stream())
                        .forEach(
                                each ->
                                        timelines
                                                .computeIfAbsent(
                                                        each.timeline(), _ -> new ArrayList<>())
                                                .add(each));
                timelines.forEach((_, segments) -> freed.add(ExpiryPlan.FreedWal.of(segments)));
            }
        }
        return freed;
    }

    private static boolean reaches(
            Map<SystemId, StoredWal> stored, TimelineHistory path, RetainedBackup from) {
        return Optional.ofNullable(stored.get(from.system()))
                .filter(wal -> wal.reaches(path, from))
                .isPresent();
    }

    /// What is held, and what a record may hold that cannot be read or that vanished: it knows only
    /// backups that came before it.
    private Map<BackupId, List<String>> held(RecordChain chain) {
        Map<BackupId, List<String>> held = new HashMap<>();
        chain.holds()
                .forEach(
                        (backup, hold) ->
                                held.computeIfAbsent(backup, _ -> new ArrayList<>())
                                        .add("held: " + hold.reason()));
        List<String> unread = new ArrayList<>();
        chain.damaged().forEach(each -> unread.add(each.object()));
        chain.missing().forEach(each -> unread.add(each.object()));
        for (String object : unread) {
            OptionalLong sequence = RecordChain.sequenceOf(object);
            for (CommittedBackup backup : chain.backups()) {
                if (sequence.isPresent() && backup.sequence() < sequence.getAsLong()) {
                    held.computeIfAbsent(backup.id(), _ -> new ArrayList<>())
                            .add(object + " may hold it, and cannot be read");
                }
            }
        }
        return held;
    }

    /// Removes what a plan lists, as far as it still may go: everything is decided again on the
    /// records as they are now. Also finishes what an earlier run could not.
    public Expiry.Result run(ExpiryPlan plan) {
        return run(
                plan.removed().stream()
                        .map(each -> each.backup().id())
                        .collect(Collectors.toUnmodifiableSet()));
    }

    /// The same for backups that somebody has agreed to lose.
    public Expiry.Result run(Set<BackupId> planned) {
        RecordChain chain = source.records();
        Map<BackupId, String> why = new LinkedHashMap<>();
        for (RetentionDecision each : plan(chain).removed()) {
            if (planned.contains(each.backup().id())) {
                why.put(each.backup().id(), String.join("; ", each.reasons()));
            }
        }
        return source.expire(chain, why, policy.toString());
    }
}
