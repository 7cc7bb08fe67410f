package dev.mainstay.engine.retention;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.wal.TimelineHistory;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiPredicate;

/// What every second of the last days needs: for each timeline that a cluster was on then the
/// newest backup from before, or the oldest there is. And what can be recovered of the backups that
/// stay.
final class WindowRule {
    private final Lineage lineage;
    private final Map<RetainedBackup, String> reasons = new HashMap<>();
    private final Map<SystemId, Set<TimelineId>> living = new LinkedHashMap<>();
    private final Map<SystemId, Lsn> since = new HashMap<>();
    private final Map<SystemId, TimelineId> youngest = new HashMap<>();

    WindowRule(List<RetainedBackup> chain, RetentionPolicy policy, Lineage lineage, Instant now) {
        this.lineage = lineage;
        Map<SystemId, List<RetainedBackup>> systems = bySystem(chain);
        systems.forEach(
                (system, backups) -> {
                    backups.forEach(
                            each ->
                                    youngest.merge(
                                            system,
                                            each.timeline(),
                                            (a, b) -> a.compareTo(b) > 0 ? a : b));
                    Optional<Instant> begin =
                            policy.walDays().isPresent()
                                    ? Optional.of(
                                            now.minus(Duration.ofDays(policy.walDays().getAsInt())))
                                    : Optional.empty();
                    begin.ifPresentOrElse(
                            from -> anchor(system, backups, from, now, policy),
                            () -> everyTimeline(system, backups));
                });
    }

    static Map<SystemId, List<RetainedBackup>> bySystem(List<RetainedBackup> chain) {
        Map<SystemId, List<RetainedBackup>> systems = new LinkedHashMap<>();
        chain.forEach(
                each -> systems.computeIfAbsent(each.system(), _ -> new ArrayList<>()).add(each));
        return systems;
    }

    /// Without a limit of WAL it is kept from the oldest backup on.
    private void everyTimeline(SystemId system, List<RetainedBackup> backups) {
        Set<TimelineId> timelines = new TreeSet<>(lineage.younger(system, backups));
        backups.forEach(each -> timelines.add(each.timeline()));
        living.put(system, timelines);
    }

    private void anchor(
            SystemId system,
            List<RetainedBackup> backups,
            Instant from,
            Instant now,
            RetentionPolicy policy) {
        ChainTimes times = new ChainTimes(backups, now);
        Set<TimelineId> timelines = new TreeSet<>(lineage.younger(system, backups));
        Set<TimelineId> own = new HashSet<>();
        List<RetainedBackup> before = new ArrayList<>();
        for (RetainedBackup backup : backups) {
            if (times.of(backup).isAfter(from)) {
                own.add(backup.timeline());
            } else {
                before.add(backup);
            }
        }
        timelines.addAll(own);
        if (!before.isEmpty()) {
            timelines.add(before.getLast().timeline());
        }
        String days = "wal days " + policy.walDays().orElseThrow();
        for (TimelineId timeline : timelines) {
            TimelineHistory history = lineage.of(system, timeline);
            first(history, backups, before).ifPresent(each -> anchor(each, days, timeline));
            if (own.contains(timeline)) {
                RetainedBackup newest =
                        backups.reversed().stream()
                                .filter(each -> each.timeline().equals(timeline))
                                .findFirst()
                                .orElseThrow();
                reasons.putIfAbsent(newest, days + ": newest of timeline " + timeline);
            }
        }
        living.put(system, timelines);
    }

    /// The backup that a timeline's part of the window begins with: the newest complete one from
    /// before the window that leads there, else the oldest one that does.
    private Optional<RetainedBackup> first(
            TimelineHistory history, List<RetainedBackup> backups, List<RetainedBackup> before) {
        return before.reversed().stream()
                .filter(each -> each.complete() && lineage.isOnPath(history, each))
                .findFirst()
                .or(
                        () ->
                                backups.stream()
                                        .filter(each -> lineage.isOnPath(history, each))
                                        .findFirst());
    }

    private void anchor(RetainedBackup backup, String days, TimelineId timeline) {
        reasons.put(backup, days + ": the window of timeline " + timeline + " begins with it");
        since.merge(backup.system(), backup.start(), (a, b) -> a.isBefore(b) ? a : b);
    }

    /// Why the window needs a backup.
    Optional<String> reason(RetainedBackup backup) {
        return Optional.ofNullable(reasons.get(backup));
    }

    /// The WAL that is needed once only these backups are left.
    List<WalNeed> needs(List<RetainedBackup> kept) {
        List<WalNeed> needs = new ArrayList<>();
        bySystem(kept)
                .forEach(
                        (system, backups) -> {
                            Lsn from = since(system, backups);
                            needs.add(
                                    new WalNeed(
                                            system,
                                            from,
                                            backups.stream()
                                                    .filter(each -> each.start().isBefore(from))
                                                    .toList(),
                                            Objects.requireNonNull(youngest.get(system))));
                        });
        return needs;
    }

    private Lsn since(SystemId system, List<RetainedBackup> kept) {
        return Optional.ofNullable(since.get(system))
                .orElseGet(
                        () ->
                                kept.stream()
                                        .map(RetainedBackup::start)
                                        .min(Comparator.naturalOrder())
                                        .orElseThrow());
    }

    /// What can be recovered with these backups.
    ///
    /// @param reaches whether the WAL from a backup's start on is stored without a gap, along a
    ///   timeline and its ancestors, to the end of what is stored
    List<RecoveryWindow> windows(
            List<RetainedBackup> kept, BiPredicate<TimelineHistory, RetainedBackup> reaches) {
        List<RecoveryWindow> windows = new ArrayList<>();
        bySystem(kept)
                .forEach(
                        (system, backups) -> {
                            Lsn from = since(system, backups);
                            List<RetainedBackup> usable =
                                    backups.stream()
                                            .filter(each -> !each.start().isBefore(from))
                                            .toList();
                            windows.addAll(windows(system, usable, reaches));
                        });
        return windows;
    }

    private List<RecoveryWindow> windows(
            SystemId system,
            List<RetainedBackup> usable,
            BiPredicate<TimelineHistory, RetainedBackup> reaches) {
        List<TimelineHistory> shown = new ArrayList<>();
        List<RecoveryWindow> windows = new ArrayList<>();
        for (TimelineId timeline :
                new TreeSet<>(living.getOrDefault(system, Set.of())).descendingSet()) {
            TimelineHistory history = lineage.of(system, timeline);
            Optional<RetainedBackup> from =
                    usable.stream()
                            .filter(each -> lineage.isOnPath(history, each))
                            .filter(each -> reaches.test(history, each))
                            .min(Comparator.comparing(RetainedBackup::stop));
            boolean told =
                    shown.stream().anyMatch(each -> each.isAncestor(timeline))
                            && windows.stream()
                                    .anyMatch(each -> Optional.of(each.from()).equals(from));
            if (from.isPresent() && !told) {
                shown.add(history);
                windows.add(new RecoveryWindow(system, timeline, from.get()));
            }
        }
        return windows.reversed();
    }
}
