package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.WalEnd;
import dev.mainstay.postgres.wal.WalEvent;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalReader;
import dev.mainstay.postgres.wal.WalRecord;
import dev.mainstay.postgres.wal.WalStep;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/// What the log says that a restore will replay: from summaries, and where there is none yet, from
/// the records.
final class ReplayedLog {
    /// A record that begins in a segment may end in one of the next.
    private static final int OVERHANG = 64;

    private static final int AT_ONCE = 8;
    private static final int AHEAD = 64;

    private final RestorePlan plan;
    private final WalCoverage coverage;

    ReplayedLog(ProtectedSource source, RestorePlan plan) {
        this.plan = plan;
        WalArchive archive = source.wal(plan.details().systemId(), 1);
        this.coverage =
                new WalCoverage(
                        archive,
                        new Histories(archive)
                                .choose(plan.request().recovery().timeline(), plan.details())
                                .history(),
                        plan.details().startSegment());
    }

    /// Delivers each event of a kind that summaries note, in the order of the log. Summaries are
    /// fetched several at a time: a day's log has thousands.
    ///
    /// @throws MainstayException WAL_RECORD_INVALID where the log cannot be read, INTERRUPTED
    void events(Consumer<? super WalEvent> consumer) {
        long last = plan.replay().last().number();
        long asked = plan.replay().first().number();
        Deque<Future<Optional<WalSummary>>> ahead = new ArrayDeque<>();
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        try {
            for (long number = asked; number <= last; number++) {
                for (; asked <= last && asked - number < AHEAD; asked++) {
                    long next = asked;
                    ahead.add(threads.submit(() -> coverage.summary(next)));
                }
                Optional<WalSummary> summary = await(ahead.remove());
                if (summary.isPresent()) {
                    for (WalSummary.Noted noted : summary.get().noted()) {
                        if (isReplayed(noted.lsn())) {
                            consumer.accept(noted.event());
                        }
                    }
                } else {
                    read(number, number == last, consumer);
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static <T> T await(Future<T> asked) {
        try {
            return asked.get();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped", interrupted);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof MainstayException known) {
                throw known;
            }
            throw new IllegalStateException(failed.getCause());
        }
    }

    private boolean isReplayed(Lsn lsn) {
        return !lsn.isBefore(plan.details().startLsn()) && lsn.isBefore(plan.replay().end());
    }

    private void read(long number, boolean last, Consumer<? super WalEvent> consumer) {
        BackupDetails details = plan.details();
        Lsn begin = coverage.segment(number).start();
        WalReader reader =
                WalReader.seek(
                        coverage.source(number + OVERHANG),
                        new WalLayout(
                                details.layout().walSegmentSize(),
                                details.layout().walBlockSize(),
                                Optional.empty(),
                                Optional.of(details.systemId()),
                                Optional.of(coverage.history().timeline())),
                        begin.isBefore(details.startLsn()) ? details.startLsn() : begin);
        Lsn next = begin.plus(details.layout().walSegmentSize());
        WalStep step = reader.next();
        while (step instanceof WalRecord record && record.lsn().isBefore(next)) {
            if (isReplayed(record.lsn())) {
                WalEvent.of(record).ifPresent(consumer);
            }
            step = reader.next();
        }
        if (!last && !(step instanceof WalRecord) && !isCutOff(number, step)) {
            throw new MainstayException(
                    ErrorCode.WAL_RECORD_INVALID,
                    "segment " + coverage.segment(number) + " cannot be read to its end: " + step);
        }
    }

    /// Whether a record that begins in a segment, or before it, goes on behind all that is stored:
    /// a server takes that for the end of the log.
    private boolean isCutOff(long number, WalStep step) {
        return step instanceof WalEnd end
                && end.reason() == WalEnd.Reason.SEGMENT_MISSING
                && number + OVERHANG >= coverage.last();
    }
}
