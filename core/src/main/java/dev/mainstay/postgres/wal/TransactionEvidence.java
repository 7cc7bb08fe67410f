package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What one transaction, or several parts of one, did to `pg_class` and to files, and the judgement
/// on the files it dropped.
///
/// A commit that deletes a relation's file has dropped the relation or given it a new file.
/// Rewriting by VACUUM FULL, CLUSTER or ALTER TABLE deletes a `pg_class` row as well — that of a
/// transient relation made in the same transaction —, so rows are followed by their places: an
/// update moves a row, and only a deleted row that was there before the transaction means a drop.
///
/// 1. No new file outlives the commit: nothing can have been rewritten — dropped.
/// 2. A statistics entry with the number of the file was dropped (15 and later, and only while the
///    file still has its first number): dropped.
/// 3. No row that was there before was updated, and no map of catalogs changed: a rewrite always
///    does one of the two, so a deleted row means dropped. Without even a deleted row, `pg_class`
///    was not seen: undecided.
/// 4. Rows were updated and none that was there before was deleted: rewritten — or truncated, if no
///    transient relation was made and a new file in the same tablespace was first written by the
///    heap or not at all.
/// 5. Both: undecided, except for rule 2. ALTER COLUMN TYPE of an indexed column is such a case: it
///    rewrites the table and drops its index, to make it anew.
///
/// Evidence that begins before the log at hand is incomplete: undecided, except for rule 2.
final class TransactionEvidence {
    private record Row(long database, long place) {}

    private record RowChange(Lsn lsn, WalEvent.CatalogRowChanged change) {}

    private final List<RowChange> rows = new ArrayList<>();
    private final Set<RelationFile> created = new HashSet<>();
    private final Map<RelationFile, Boolean> writtenByHeap = new HashMap<>();
    private boolean mapChanged;

    /// Takes in what a subtransaction did.
    void addAll(TransactionEvidence other) {
        rows.addAll(other.rows);
        created.addAll(other.created);
        writtenByHeap.putAll(other.writtenByHeap);
        mapChanged |= other.mapChanged;
    }

    void add(Lsn lsn, WalEvent event) {
        if (event instanceof WalEvent.CatalogRowChanged row) {
            rows.add(new RowChange(lsn, row));
        } else if (event instanceof WalEvent.FileCreated file) {
            created.add(file.file());
        } else if (event instanceof WalEvent.FileFirstWritten written) {
            writtenByHeap.put(written.file(), written.byHeap());
        } else if (event instanceof WalEvent.RelationMapUpdated) {
            mapChanged = true;
        }
    }

    /// Was made by this transaction itself.
    boolean madeHere(RelationFile file) {
        return created.contains(file);
    }

    TimelineEvent.Fate judge(
            RelationFile file, WalEvent.TransactionEnd end, boolean complete, Rest rest) {
        boolean statistics =
                end.droppedRelations()
                        .contains(new WalEvent.RelationId(file.database(), file.number()));
        if (statistics) {
            return TimelineEvent.Fate.DROPPED;
        }
        Set<RelationFile> survivors = new HashSet<>(created);
        end.dropped().forEach(survivors::remove);
        Counts counts = count();
        if (!complete) {
            return TimelineEvent.Fate.DROPPED_OR_REWRITTEN;
        }
        if (survivors.isEmpty()) {
            return TimelineEvent.Fate.DROPPED;
        }
        boolean updated = counts.updated > 0 || mapChanged;
        if (!updated) {
            return counts.deleted > 0
                    ? TimelineEvent.Fate.DROPPED
                    : TimelineEvent.Fate.DROPPED_OR_REWRITTEN;
        }
        if (counts.deleted > 0) {
            return TimelineEvent.Fate.DROPPED_OR_REWRITTEN;
        }
        boolean truncated =
                counts.transientRows == 0
                        && survivors.stream().anyMatch(one -> startedEmpty(one, file, rest));
        return truncated ? TimelineEvent.Fate.TRUNCATED : TimelineEvent.Fate.REWRITTEN;
    }

    /// What segments between creation and commit tell of a file's blocks.
    @FunctionalInterface
    interface Rest {
        boolean hasBlocks(RelationFile file);
    }

    private boolean startedEmpty(RelationFile survivor, RelationFile dropped, Rest rest) {
        if (survivor.tablespace() != dropped.tablespace()
                || survivor.database() != dropped.database()) {
            return false;
        }
        Boolean byHeap = writtenByHeap.get(survivor);
        return byHeap == null ? !rest.hasBlocks(survivor) : byHeap;
    }

    private record Counts(int deleted, int updated, int transientRows) {}

    private Counts count() {
        Map<Row, Boolean> versions = new HashMap<>();
        int deleted = 0;
        int transientRows = 0;
        rows.sort(Comparator.comparing(RowChange::lsn));
        for (RowChange one : rows) {
            WalEvent.CatalogRowChanged change = one.change();
            boolean old;
            if (change.oldRow() != 0) {
                Boolean known = versions.remove(new Row(change.database(), change.oldRow()));
                old = known == null || known;
            } else {
                old = false;
            }
            if (change.newRow() != 0) {
                versions.put(new Row(change.database(), change.newRow()), old);
            } else if (old) {
                deleted++;
            } else {
                transientRows++;
            }
        }
        int updated = (int) versions.values().stream().filter(old -> old).count();
        return new Counts(deleted, updated, transientRows);
    }
}
