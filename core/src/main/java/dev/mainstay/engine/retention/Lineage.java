package dev.mainstay.engine.retention;

import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.wal.TimelineHistory;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The timelines of a source's clusters, and which came from which: those whose history is known.
public final class Lineage {
    private final Map<SystemId, Map<TimelineId, TimelineHistory>> known = new HashMap<>();

    /// Of one cluster each.
    public Lineage(Map<SystemId, List<TimelineHistory>> histories) {
        histories.forEach(
                (system, all) -> {
                    Map<TimelineId, TimelineHistory> byId = new TreeMap<>();
                    all.forEach(history -> byId.put(history.timeline(), history));
                    known.put(system, byId);
                });
    }

    /// Nothing is known: each timeline is as if it had no ancestors.
    public static Lineage unknown() {
        return new Lineage(Map.of());
    }

    TimelineHistory of(SystemId system, TimelineId timeline) {
        return known.getOrDefault(system, Map.of())
                .getOrDefault(timeline, TimelineHistory.first(timeline));
    }

    /// Those of a cluster that are younger than any of its backups.
    List<TimelineId> younger(SystemId system, List<RetainedBackup> backups) {
        TimelineId last =
                backups.stream()
                        .map(RetainedBackup::timeline)
                        .max(Comparator.naturalOrder())
                        .orElseThrow();
        return known.getOrDefault(system, Map.of()).keySet().stream()
                .filter(each -> each.compareTo(last) > 0)
                .toList();
    }

    boolean isOnPath(TimelineHistory history, RetainedBackup backup) {
        return history.isOnPath(backup.timeline(), backup.stop());
    }
}
