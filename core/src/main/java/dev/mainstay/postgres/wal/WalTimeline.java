package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Tells from summaries what happened when. Feed it the summaries of consecutive segments, oldest
/// first; begin a little before the range of interest, at a backup's start for instance, so that
/// the transactions of the range are seen whole. What became of a relation whose file was dropped
/// is decided as [TransactionEvidence] describes.
public final class WalTimeline {
    private final RelationNames names;
    private final Map<Long, TransactionEvidence> open = new HashMap<>();
    private final Map<RelationFile, Long> growing = new HashMap<>();
    private final Set<RelationFile> haveBlocks = new HashSet<>();
    private final Map<Long, List<Integer>> waiting = new HashMap<>();
    private final List<TimelineEvent> events = new ArrayList<>();
    private long knownFromXid = -1;

    public WalTimeline(RelationNames names) {
        this.names = names;
    }

    /// Takes in the next segment's summary.
    public void accept(WalSummary summary) {
        for (WalSummary.Minute minute : summary.minutes()) {
            events.add(
                    new TimelineEvent.Commits(summary.begin(), minute.begin(), minute.commits()));
        }
        for (WalSummary.Noted noted : summary.noted()) {
            note(noted, summary);
        }
        for (RelationFile file : growing.keySet()) {
            summary.changed()
                    .of(file, Fork.MAIN)
                    .filter(change -> change.count() > 0)
                    .ifPresent(_ -> haveBlocks.add(file));
        }
    }

    /// Everything so far, in the order of the log.
    public List<TimelineEvent> events() {
        return events.stream().sorted(Comparator.comparing(TimelineEvent::lsn)).toList();
    }

    /// The events with a time from `from` until before `to`; those without one lie between others
    /// and are included by their neighbours' times.
    public List<TimelineEvent> events(Instant from, Instant to) {
        List<TimelineEvent> chosen = new ArrayList<>();
        Instant now = Instant.MIN;
        for (TimelineEvent event : events()) {
            now = event.time().orElse(now);
            boolean minute = event instanceof TimelineEvent.Commits;
            boolean after = !now.plusSeconds(minute ? 59 : 0).isBefore(from);
            if (after && now.isBefore(to)) {
                chosen.add(event);
            }
        }
        return chosen;
    }

    private void note(WalSummary.Noted noted, WalSummary summary) {
        switch (noted.event()) {
            case WalEvent.CatalogRowChanged event -> evidence(noted.xid()).add(noted.lsn(), event);
            case WalEvent.FileFirstWritten event -> evidence(noted.xid()).add(noted.lsn(), event);
            case WalEvent.RelationMapUpdated event -> evidence(noted.xid()).add(noted.lsn(), event);
            case WalEvent.FileCreated event -> {
                evidence(noted.xid()).add(noted.lsn(), event);
                growing.put(event.file(), noted.xid());
            }
            case WalEvent.TransactionEnd event -> transactionEnd(noted.lsn(), event, summary);
            case WalEvent.RunningTransactions event -> {
                if (knownFromXid < 0) {
                    knownFromXid = event.nextXid();
                }
                forgetBefore(event.oldestRunningXid());
            }
            case WalEvent.FileTruncated event -> {
                if (event.main()) {
                    events.add(
                            new TimelineEvent.RelationShortened(
                                    noted.lsn(),
                                    noted.xid(),
                                    event.file(),
                                    event.blocks(),
                                    names.nameOf(event.file())));
                }
            }
            case WalEvent.RestorePoint event -> other(noted, Optional.of(event.time()));
            case WalEvent.EndOfRecovery event -> other(noted, Optional.of(event.time()));
            case WalEvent.Checkpoint event -> other(noted, Optional.of(event.time()));
            case WalEvent event -> other(noted, Optional.empty());
        }
    }

    private void other(WalSummary.Noted noted, Optional<Instant> time) {
        if (time.isEmpty() && noted.xid() != 0) {
            waiting.computeIfAbsent(noted.xid(), _ -> new ArrayList<>()).add(events.size());
        }
        events.add(new TimelineEvent.Other(noted.lsn(), noted.xid(), time, noted.event()));
    }

    private TransactionEvidence evidence(long xid) {
        return open.computeIfAbsent(xid, _ -> new TransactionEvidence());
    }

    private void transactionEnd(Lsn lsn, WalEvent.TransactionEnd end, WalSummary summary) {
        TransactionEvidence all = take(end);
        if (!end.committed()) {
            return;
        }
        boolean complete = knownFromXid >= 0 && (int) (end.xid() - knownFromXid) >= 0;
        TransactionEvidence.Rest rest =
                file ->
                        haveBlocks.contains(file)
                                || summary.changed()
                                        .of(file, Fork.MAIN)
                                        .filter(change -> change.count() > 0)
                                        .isPresent();
        for (RelationFile file : end.dropped()) {
            if (!all.madeHere(file)) {
                events.add(
                        new TimelineEvent.RelationChanged(
                                lsn,
                                end.xid(),
                                Optional.of(end.time()),
                                file,
                                all.judge(file, end, complete, rest),
                                names.nameOf(file)));
            }
        }
    }

    /// Everything known of a transaction and its subtransactions, which is then forgotten.
    private TransactionEvidence take(WalEvent.TransactionEnd end) {
        TransactionEvidence all = new TransactionEvidence();
        List<Long> xids = new ArrayList<>(end.subtransactions());
        xids.add(end.xid());
        for (long xid : xids) {
            TransactionEvidence one = open.remove(xid);
            if (one != null) {
                all.addAll(one);
            }
            for (int index : waiting.getOrDefault(xid, List.of())) {
                TimelineEvent.Other event = (TimelineEvent.Other) events.get(index);
                events.set(
                        index,
                        new TimelineEvent.Other(
                                event.lsn(), xid, Optional.of(end.time()), event.event()));
            }
            waiting.remove(xid);
        }
        return all;
    }

    private void forgetBefore(long oldestRunning) {
        open.keySet().removeIf(xid -> xid != 0 && (int) (xid - oldestRunning) < 0);
        growing.values().removeIf(xid -> xid != 0 && (int) (xid - oldestRunning) < 0);
        haveBlocks.retainAll(growing.keySet());
    }
}
