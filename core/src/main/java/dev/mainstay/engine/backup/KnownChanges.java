package dev.mainstay.engine.backup;

import dev.mainstay.base.Lsn;
import dev.mainstay.postgres.cluster.BackupSession;
import dev.mainstay.postgres.cluster.ClusterFile;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.postgres.wal.ChangedBlocks;
import dev.mainstay.repository.ChangedPages;
import dev.mainstay.repository.CommittedBackup;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;

/// What is known of the changes since an earlier backup, the one that an incremental builds on or
/// one that is gone on from: file by file, which pages to read.
final class KnownChanges {
    private final Changes changes;
    private final Optional<ChangedBlocks> blocks;

    /// Pages that the earlier backup found damaged: whether they still are has to be seen and told
    /// again.
    private final Map<String, NavigableSet<Long>> damaged;

    private KnownChanges(
            Changes changes,
            Optional<ChangedBlocks> blocks,
            Map<String, NavigableSet<Long>> damaged) {
        this.changes = changes;
        this.blocks = blocks;
        this.damaged = damaged;
    }

    /// @param since from where on the log is asked
    /// @param fullReadEvery as in the configuration
    static KnownChanges find(
            Basis.Parent parent,
            Lsn since,
            ChangeSearch search,
            BackupSession.Start start,
            int fullReadEvery) {
        Optional<String> everything = everything(parent, fullReadEvery);
        if (everything.isPresent()) {
            return unknown(everything.get());
        }
        BackupDetails earlier = BackupDetails.read(parent.backup().details());
        return find(
                new ChangeSearch.Earlier(earlier.timeline(), since, earlier.stopLsn()),
                search,
                start,
                byFile(earlier.judgement().damagedPages()));
    }

    /// Why everything is to be read, whatever the log says.
    ///
    /// @param fullReadEvery as in the configuration
    static Optional<String> everything(Basis.Parent parent, int fullReadEvery) {
        BackupDetails.Judgement judgement =
                BackupDetails.read(parent.backup().details()).judgement();
        if (fullReadEvery > 0 && sinceFullRead(parent.before()) >= fullReadEvery - 1) {
            return Optional.of("one of every " + fullReadEvery + " incrementals does");
        }
        if (judgement.damagedPageCount() > judgement.damagedPages().size()) {
            return Optional.of(
                    "the earlier backup has more damaged pages than its record lists ("
                            + judgement.damagedPageCount()
                            + ")");
        }
        return Optional.empty();
    }

    /// Since a backup of which no page was damaged.
    static KnownChanges find(
            ChangeSearch.Earlier earlier, ChangeSearch search, BackupSession.Start start) {
        return find(earlier, search, start, Map.of());
    }

    private static KnownChanges find(
            ChangeSearch.Earlier earlier,
            ChangeSearch search,
            BackupSession.Start start,
            Map<String, NavigableSet<Long>> damaged) {
        return switch (search.find(earlier, start.timeline(), start.lsn())) {
            case ChangeSearch.Found.Unknown(String reason) -> unknown(reason);
            // A standby may begin further back than the earlier backup ends: pages of that one can
            // then be newer than the position at which this one calls itself consistent.
            case ChangeSearch.Found.Known(_) when earlier.copied().isAfter(start.lsn()) ->
                    unknown(
                            "the earlier backup ended at "
                                    + earlier.copied()
                                    + ", after this one begins at "
                                    + start.lsn());
            case ChangeSearch.Found.Known(ChangedBlocks blocks) ->
                    new KnownChanges(
                            new Changes.FromWal(earlier.from(), start.lsn()),
                            Optional.of(blocks),
                            damaged);
        };
    }

    static KnownChanges unknown(String reason) {
        return new KnownChanges(new Changes.Unknown(reason), Optional.empty(), Map.of());
    }

    /// How many of the last backups in a row were told by the log what to read.
    static int sinceFullRead(List<CommittedBackup> backups) {
        int count = 0;
        for (CommittedBackup backup : backups.reversed()) {
            if (!(Changes.read(backup.details()).orElse(null) instanceof Changes.FromWal)) {
                break;
            }
            count++;
        }
        // The one that read everything was removed: nobody knows how long ago that was.
        return count == backups.size() ? Integer.MAX_VALUE : count;
    }

    private static Map<String, NavigableSet<Long>> byFile(List<BackupDetails.Damage> pages) {
        Map<String, NavigableSet<Long>> byFile = new HashMap<>();
        pages.forEach(
                page ->
                        byFile.computeIfAbsent(page.path(), _ -> new TreeSet<>())
                                .add(page.block()));
        return byFile;
    }

    /// Whether every page is read, since nothing is known.
    boolean readsEverything() {
        return blocks.isEmpty();
    }

    Changes changes() {
        return changes;
    }

    /// What the log says of a relation segment file of a main fork.
    LoggedPages logged(RelationFile file, int relationSegmentBlocks) {
        return Changes.of(blocks.orElseThrow(), file, relationSegmentBlocks);
    }

    /// Which pages of a file may differ from the earlier backup's.
    ChangedPages pages(ClusterFile file, int relationSegmentBlocks) {
        if (blocks.isEmpty() || file.relation().isEmpty()) {
            return ChangedPages.ALL;
        }
        RelationFile relation = file.relation().get();
        ChangedPages named = Changes.pages(blocks.get(), relation, relationSegmentBlocks);
        NavigableSet<Long> wrong = damaged.get(file.path());
        if (wrong == null) {
            return named;
        }
        long first = Integer.toUnsignedLong(relation.firstBlock(relationSegmentBlocks));
        return (from, end) -> {
            Long next = wrong.ceiling(first + from);
            int until = next == null ? end : (int) Math.min(end, next - first);
            return named.next(from, until);
        };
    }
}
