package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Collects what one segment's records say.
final class SegmentFacts {
    private final WalSegment segment;
    private final PgClassFiles catalogs;
    private final EndedTransactions ended = new EndedTransactions();
    private final ChangedBlocks.Builder changed = new ChangedBlocks.Builder();
    private final List<WalSummary.Noted> noted = new ArrayList<>();
    private final Map<Long, List<WalSummary.Noted>> rowChanges = new LinkedHashMap<>();
    private final Map<RelationFile, Long> unwritten = new HashMap<>();

    /// Transactions that did something whose time only their end tells.
    private final Set<Long> dated = new HashSet<>();

    private final Set<String> readWhole = new LinkedHashSet<>();
    private boolean runningNoted;
    private Lsn begin;
    private Lsn end;

    SegmentFacts(WalSegment segment, PgClassFiles catalogs) {
        this.segment = segment;
        this.catalogs = catalogs;
        this.begin = segment.end();
        this.end = segment.start();
    }

    void accept(WalRecord record) {
        if (record.lsn().isBefore(begin)) {
            begin = record.lsn();
        }
        end = record.end();
        int manager = record.managerId();
        // like the server: truncations first, then the blocks of the same record
        if (manager <= Rmgr.STANDBY.id()) {
            general(record);
        } else if (manager == Rmgr.HEAP.id()) {
            heap(record);
        } else if (!Rmgr.isKnown(manager)) {
            readWhole.add("records of the resource manager " + Rmgr.name(manager));
        }
        if (!unwritten.isEmpty() && record.blockCount() > 0) {
            firstWrites(record);
        }
        changed.addReferences(record);
    }

    private void general(WalRecord record) {
        if ((record.is(Rmgr.XLOG) && !XlogDecoder.isKnown(record.operation()))
                || (isStructural(record) && !StorageDecoder.isKnown(record))) {
            readWhole.add(
                    record.managerName() + " records of the kind " + (record.operation() >> 4));
            return;
        }
        Optional<WalEvent> event;
        try {
            event = WalEvent.of(record);
        } catch (MainstayException notUnderstood) {
            readWhole.add(String.valueOf(notUnderstood.getMessage()));
            return;
        }
        event.ifPresent(one -> event(record, one));
    }

    private static boolean isStructural(WalRecord record) {
        return record.is(Rmgr.STORAGE)
                || record.is(Rmgr.DATABASE)
                || record.is(Rmgr.TABLESPACE)
                || record.is(Rmgr.RELMAP);
    }

    private void event(WalRecord record, WalEvent event) {
        catalogs.follow(event);
        switch (event) {
            case WalEvent.TransactionEnd transaction -> transactionEnd(record, transaction);
            case WalEvent.FileCreated created -> {
                changed.limit(created.file(), created.fork(), 0);
                if (created.fork() == Fork.MAIN) {
                    unwritten.put(created.file(), record.xid());
                }
                note(record, event);
            }
            case WalEvent.FileTruncated truncated -> {
                if (truncated.main()) {
                    changed.limit(truncated.file(), Fork.MAIN, truncated.blocks());
                }
                if (truncated.vm()) {
                    changed.limit(truncated.file(), Fork.VM, 0);
                }
                note(record, event);
            }
            case WalEvent.DatabaseCreated created -> {
                replaced(created.tablespace(), created.database());
                note(record, event);
            }
            case WalEvent.DatabaseDropped dropped -> {
                dropped.tablespaces().forEach(one -> replaced(one, dropped.database()));
                note(record, event);
            }
            case WalEvent.ParametersChanged parameters -> {
                if (parameters.isWalLevelMinimal()) {
                    readWhole.add("wal_level was minimal");
                }
                note(record, event);
            }
            case WalEvent.RunningTransactions _ -> {
                if (!runningNoted) {
                    note(record, event);
                    runningNoted = true;
                }
            }
            case WalEvent.Checkpoint _,
                    WalEvent.RestorePoint _,
                    WalEvent.EndOfRecovery _,
                    WalEvent.BackupEnd _,
                    WalEvent.FullPageWritesChanged _,
                    WalEvent.TablespaceCreated _,
                    WalEvent.TablespaceDropped _,
                    WalEvent.RelationMapUpdated _ ->
                    note(record, event);
            case WalEvent.TransactionPrepared _,
                    WalEvent.SubtransactionsAssigned _,
                    WalEvent.CheckpointRedo _,
                    WalEvent.SegmentSwitch _,
                    WalEvent.RecordOverwritten _,
                    WalEvent.RelationsTruncated _,
                    WalEvent.CatalogRowChanged _,
                    WalEvent.FileFirstWritten _ -> {}
        }
    }

    private void note(WalRecord record, WalEvent event) {
        if (event instanceof WalEvent.DatabaseCreated
                || event instanceof WalEvent.DatabaseDropped
                || event instanceof WalEvent.TablespaceCreated
                || event instanceof WalEvent.TablespaceDropped) {
            dated.add(record.xid());
        }
        noted.add(new WalSummary.Noted(record.lsn(), record.xid(), event));
    }

    private void replaced(long tablespace, long database) {
        changed.limit(new RelationFile(tablespace, database, 0), Fork.MAIN, 0);
    }

    private void transactionEnd(WalRecord record, WalEvent.TransactionEnd transaction) {
        ended.add(record.lsn(), transaction);
        for (RelationFile file : transaction.dropped()) {
            changed.limit(file, Fork.MAIN, 0);
            changed.limit(file, Fork.VM, 0);
            changed.limit(file, Fork.INIT, 0);
        }
        boolean dates =
                dated.remove(transaction.xid())
                        || transaction.subtransactions().stream().anyMatch(dated::contains);
        boolean drops = transaction.committed() && !transaction.dropped().isEmpty();
        settle(transaction.xid(), drops);
        transaction.subtransactions().forEach(xid -> settle(xid, drops));
        if (dates || !transaction.dropped().isEmpty()) {
            note(
                    record,
                    new WalEvent.TransactionEnd(
                            transaction.committed(),
                            transaction.prepared(),
                            transaction.xid(),
                            transaction.time(),
                            transaction.subtransactions(),
                            transaction.dropped(),
                            transaction.droppedRelations(),
                            Optional.empty(),
                            Optional.empty()));
        }
    }

    /// Changes of `pg_class` matter only for a transaction that drops files or has not ended yet.
    private void settle(long xid, boolean keep) {
        List<WalSummary.Noted> changes = rowChanges.remove(xid);
        if (changes != null && keep) {
            noted.addAll(changes);
        }
    }

    private void heap(WalRecord record) {
        if (record.blockCount() == 0
                || !catalogs.isPgClass(record.blockDatabase(0), record.blockFileNumber(0))) {
            return;
        }
        CatalogRows.decode(record)
                .ifPresent(
                        change ->
                                rowChanges
                                        .computeIfAbsent(record.xid(), _ -> new ArrayList<>())
                                        .add(
                                                new WalSummary.Noted(
                                                        record.lsn(), record.xid(), change)));
    }

    private void firstWrites(WalRecord record) {
        boolean byHeap = record.is(Rmgr.HEAP) || record.is(Rmgr.HEAP2);
        for (int i = 0; i < record.blockCount(); i++) {
            if (record.blockFork(i) == Fork.MAIN) {
                RelationFile file = record.blockFile(i);
                Long creator = unwritten.remove(file);
                if (creator != null) {
                    noted.add(
                            new WalSummary.Noted(
                                    record.lsn(),
                                    creator,
                                    new WalEvent.FileFirstWritten(file, byHeap)));
                }
            }
        }
    }

    ChangedBlocks changed() {
        return changed.build();
    }

    List<String> readWhole() {
        return List.copyOf(readWhole);
    }

    WalSummary finish(Lsn limit, boolean complete, WalFormat format) {
        rowChanges.values().forEach(noted::addAll);
        noted.sort(Comparator.comparing(WalSummary.Noted::lsn));
        Lsn last = complete && end.isBefore(segment.end()) ? limit : end;
        Lsn covered = begin.equals(segment.end()) ? (complete ? segment.end() : limit) : last;
        Lsn from = covered.isBefore(begin) ? covered : begin;
        List<WalSummary.Minute> minutes = new ArrayList<>();
        ended.minutes()
                .forEach(
                        (minute, count) ->
                                minutes.add(
                                        new WalSummary.Minute(
                                                Instant.ofEpochSecond(minute * 60), count)));
        return new WalSummary(
                segment,
                format,
                from,
                covered,
                complete,
                ended.commits(),
                minutes,
                List.copyOf(readWhole),
                noted,
                changed.build());
    }
}
