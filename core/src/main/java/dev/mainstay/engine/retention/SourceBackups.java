package dev.mainstay.engine.retention;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.WalArchive;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The backups of one source, and the logs of their clusters, as retention sees them.
final class SourceBackups {
    private final List<RetainedBackup> listed = new ArrayList<>();
    private final List<RetainedBackup> removed = new ArrayList<>();
    private final List<BackupId> strange = new ArrayList<>();
    private final Map<SystemId, Set<Integer>> sizes = new LinkedHashMap<>();

    private SourceBackups() {}

    static SourceBackups of(RecordChain chain) {
        SourceBackups backups = new SourceBackups();
        Set<BackupId> there = new HashSet<>();
        for (CommittedBackup backup : chain.backups()) {
            backups.add(backup, backups.listed);
            there.add(backup.id());
        }
        chain.committed().stream()
                .filter(backup -> !there.contains(backup.id()))
                .forEach(backup -> backups.add(backup, backups.removed));
        return backups;
    }

    private void add(CommittedBackup backup, List<RetainedBackup> to) {
        Optional<BackupDetails> details = BackupDetails.find(backup);
        if (details.isEmpty()) {
            strange.add(backup.id());
            return;
        }
        to.add(RetainedBackup.of(backup, details.get()));
        sizes.computeIfAbsent(details.get().systemId(), _ -> new TreeSet<>())
                .add(details.get().layout().walSegmentSize());
    }

    /// Oldest first.
    List<RetainedBackup> listed() {
        return listed;
    }

    /// Those that an expiry names and whose slots are there all the same: somebody may have begun
    /// to hold one at the same moment.
    List<RetainedBackup> removed() {
        return removed;
    }

    /// Those whose records do not tell what cluster they are of.
    List<BackupId> strange() {
        return strange;
    }

    /// Of every cluster that has a backup.
    Map<SystemId, Integer> segmentBytes() {
        Map<SystemId, Integer> bytes = new LinkedHashMap<>();
        listed.forEach(each -> bytes.put(each.system(), size(each.system())));
        return bytes;
    }

    private int size(SystemId system) {
        return sizes.getOrDefault(system, Set.of()).stream().reduce(0, (_, last) -> last);
    }

    Set<SystemId> systems() {
        return sizes.keySet();
    }

    /// Whether the names of a cluster's segments tell their positions: not where somebody changed
    /// their size between two backups.
    boolean hasOneSegmentSize(SystemId system) {
        return sizes.getOrDefault(system, Set.of()).size() == 1;
    }

    static Lineage lineage(ProtectedSource source, Set<SystemId> systems) {
        Map<SystemId, List<TimelineHistory>> histories = new HashMap<>();
        systems.forEach(system -> histories.put(system, histories(source.wal(system, 1))));
        return new Lineage(histories);
    }

    private static List<TimelineHistory> histories(WalArchive archive) {
        List<TimelineHistory> histories = new ArrayList<>();
        for (TimelineId timeline : archive.timelines()) {
            archive.getFile(timeline.historyFileName())
                    .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                    .ifPresent(text -> histories.add(TimelineHistory.parse(timeline, text)));
        }
        return histories;
    }
}
