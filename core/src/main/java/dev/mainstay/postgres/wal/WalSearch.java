package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import java.time.Instant;
import java.util.Optional;

/// Searches a stream of records for what recovery would stop at. A target that is found is reached
/// by every recovery that begins before the record; PostgreSQL refuses to end a recovery that has
/// not reached its target.
public final class WalSearch {
    private WalSearch() {}

    /// How a search ended.
    public sealed interface Result {}

    /// Recovery stops at this record.
    ///
    /// @param record where the deciding record begins
    /// @param stop where recovery stops: the record's beginning, or its end if it is replayed
    /// @param time of the transaction's end or restore point, where it is one
    public record Reached(Lsn record, Lsn stop, Optional<Instant> time) implements Result {}

    /// Nothing up to here reaches the target; more WAL may.
    ///
    /// @param end where reading ended, and why
    /// @param latest the latest end of a transaction that was seen
    public record NotReached(WalStep end, Optional<Instant> latest) implements Result {}

    /// Reads on until the target is reached or the reader has nothing more.
    public static Result find(WalReader reader, WalTarget target) {
        Optional<Instant> latest = Optional.empty();
        WalStep step = reader.next();
        while (step instanceof WalRecord record) {
            Optional<WalEvent> event = relevant(record) ? WalEvent.of(record) : Optional.empty();
            Optional<Reached> reached = decide(record, event, target);
            if (reached.isPresent()) {
                return reached.get();
            }
            if (event.orElse(null) instanceof WalEvent.TransactionEnd end
                    && latest.map(end.time()::isAfter).orElse(true)) {
                latest = Optional.of(end.time());
            }
            step = reader.next();
        }
        return new NotReached(step, latest);
    }

    /// Whether a segment's summary proves that the target is reached in it: empty if only its
    /// records can tell. What it does not prove may still be reached.
    public static Optional<Boolean> isReachedIn(WalSummary summary, WalTarget target) {
        return switch (target) {
            case WalTarget.AtTime(Instant time, boolean inclusive) ->
                    Optional.of(
                            summary.commits()
                                    .latestEnd()
                                    .filter(end -> isPast(end, time, inclusive))
                                    .isPresent());
            case WalTarget.AtXid(long xid, _) ->
                    summary.commits()
                                    .ended()
                                    .filter(
                                            range ->
                                                    range.lowest() <= xid && xid <= range.highest())
                                    .isEmpty()
                            ? Optional.of(false)
                            : Optional.empty();
            case WalTarget.AtLsn(Lsn lsn, _) ->
                    summary.begin().equals(summary.end()) || !lsn.isBefore(summary.end())
                            ? Optional.of(false)
                            : !lsn.isAfter(summary.begin()) ? Optional.of(true) : Optional.empty();
            case WalTarget.AtName(String name) ->
                    Optional.of(
                            summary.events(WalEvent.RestorePoint.class).stream()
                                    .anyMatch(point -> point.name().equals(name)));
        };
    }

    private static boolean isPast(Instant end, Instant target, boolean inclusive) {
        return inclusive ? end.isAfter(target) : !end.isBefore(target);
    }

    private static boolean relevant(WalRecord record) {
        return record.is(Rmgr.TRANSACTION) || record.is(Rmgr.XLOG, XlogDecoder.RESTORE_POINT);
    }

    private static Optional<Reached> decide(
            WalRecord record, Optional<WalEvent> event, WalTarget target) {
        return switch (target) {
            case WalTarget.AtTime(Instant time, boolean inclusive) ->
                    event.orElse(null) instanceof WalEvent.TransactionEnd end
                                    && isPast(end.time(), time, inclusive)
                            ? reached(record, false, Optional.of(end.time()))
                            : Optional.empty();
            case WalTarget.AtXid(long xid, boolean inclusive) ->
                    event.orElse(null) instanceof WalEvent.TransactionEnd end && end.xid() == xid
                            ? reached(record, inclusive, Optional.of(end.time()))
                            : Optional.empty();
            case WalTarget.AtLsn(Lsn lsn, boolean inclusive) ->
                    record.lsn().isBefore(lsn)
                            ? Optional.empty()
                            : reached(record, inclusive, Optional.empty());
            case WalTarget.AtName(String name) ->
                    event.orElse(null) instanceof WalEvent.RestorePoint point
                                    && point.name().equals(name)
                            ? reached(record, true, Optional.of(point.time()))
                            : Optional.empty();
        };
    }

    private static Optional<Reached> reached(
            WalRecord record, boolean replayed, Optional<Instant> time) {
        return Optional.of(new Reached(record.lsn(), replayed ? record.end() : record.lsn(), time));
    }
}
