package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// Counts ends of transactions.
final class EndedTransactions {
    private final NavigableMap<Long, Long> minutes = new TreeMap<>();
    private long commits;
    private long aborts;
    private WalSummary.@Nullable Commit first;
    private WalSummary.@Nullable Commit last;
    private @Nullable Instant earliest;
    private @Nullable Instant latest;
    private @Nullable Instant latestEnd;
    private long lowest = Long.MAX_VALUE;
    private long highest = -1;

    void add(Lsn lsn, WalEvent.TransactionEnd end) {
        latestEnd = later(latestEnd, end.time());
        if (end.xid() != 0) {
            lowest = Math.min(lowest, end.xid());
            highest = Math.max(highest, end.xid());
        }
        if (!end.committed()) {
            aborts++;
            return;
        }
        commits++;
        last = new WalSummary.Commit(lsn, end.time());
        if (first == null) {
            first = last;
        }
        earliest = earliest == null || end.time().isBefore(earliest) ? end.time() : earliest;
        latest = later(latest, end.time());
        minutes.merge(Math.floorDiv(end.time().getEpochSecond(), 60), 1L, Long::sum);
    }

    private static Instant later(@Nullable Instant one, Instant other) {
        return one == null || other.isAfter(one) ? other : one;
    }

    /// Commits by minutes since 1970.
    NavigableMap<Long, Long> minutes() {
        return minutes;
    }

    WalSummary.Commits commits() {
        return new WalSummary.Commits(
                commits,
                Optional.ofNullable(first),
                Optional.ofNullable(last),
                Optional.ofNullable(earliest),
                Optional.ofNullable(latest),
                aborts,
                Optional.ofNullable(latestEnd),
                highest < 0
                        ? Optional.empty()
                        : Optional.of(new WalSummary.XidRange(lowest, highest)));
    }
}
