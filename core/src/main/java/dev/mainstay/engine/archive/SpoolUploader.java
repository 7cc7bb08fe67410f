package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.SegmentAhead;
import dev.mainstay.repository.WalArchive;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Brings spooled WAL into the repository, in order: finished segments whole, and every few seconds
/// what is new of the unfinished one as a part; it is compressed while it arrives. While the
/// repository is down it tries again and again; what is not stored stays in the spool. One thread
/// of its own.
final class SpoolUploader implements AutoCloseable {
    private static final Duration RETRY = Duration.ofSeconds(2);

    /// What may pass between a stop and the end, so that nobody kills the process.
    static final Duration USUAL_BUDGET = Duration.ofSeconds(10);

    /// Summaries that are read once at the start, to know where catalogs lie.
    private static final int LOOK_BACK = 256;

    /// For a call to end that was interrupted.
    private static final Duration GRACE = Duration.ofSeconds(5);

    private final Spool spool;
    private final WalArchive archive;
    private final SegmentSummaries summaries;
    private final Positions positions;
    private final Duration shipInterval;
    private final Progress progress;
    private final Runnable afterStored;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
    private final Thread thread;
    private boolean stopping;
    private long deadlineNanos;
    private boolean signalled;
    private boolean arrived;
    private boolean complained;
    private @Nullable SegmentAhead ahead;

    /// How much of the unfinished segment is compressed, in bytes.
    private volatile int aheadBytes;

    /// What of the unfinished segment is stored.
    private @Nullable WalSegment shippedSegment;

    private int shipped;

    SpoolUploader(
            Spool spool,
            WalArchive archive,
            Positions positions,
            Duration shipInterval,
            Progress progress,
            Runnable afterStored) {
        this.spool = spool;
        this.archive = archive;
        this.summaries = new SegmentSummaries(archive, LOOK_BACK);
        this.positions = positions;
        this.shipInterval = shipInterval;
        this.progress = progress;
        this.afterStored = afterStored;
        this.thread = Thread.ofVirtual().name("wal-uploader").start(this::run);
    }

    /// A segment was finished.
    void wake() {
        lock.lock();
        try {
            signalled = true;
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    /// More of the unfinished segment was synced.
    void arrived() {
        lock.lock();
        try {
            arrived = true;
            work.signal();
        } finally {
            lock.unlock();
        }
    }

    /// How much of the unfinished segment is compressed already, in bytes.
    int aheadBytes() {
        return aheadBytes;
    }

    /// Fails if the uploader had to give up: what it holds contradicts the repository.
    void check() {
        RuntimeException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
    }

    private void run() {
        try {
            boolean last = false;
            while (!last) {
                last = await();
                try {
                    uploadAll();
                    complained = false;
                } catch (MainstayException down) {
                    if (!SegmentSummaries.isPassing(down) && !isOutOfTime()) {
                        throw down;
                    }
                    complain(down);
                }
            }
        } catch (RuntimeException failed) {
            failure.set(failed);
        } finally {
            drop(ahead);
            ended.countDown();
        }
    }

    private void complain(MainstayException down) {
        if (!complained) {
            complained = true;
            progress.note(
                    "WARNING: "
                            + down.code().id()
                            + ": the repository does not take WAL: "
                            + down.getMessage()
                            + "; it waits in the spool "
                            + spool.directory()
                            + " and is tried again");
        }
    }

    /// Waits until there is something to store. What arrives meanwhile is compressed.
    ///
    /// @return whether this is the last round
    private boolean await() {
        long deadline = System.nanoTime() + (complained ? RETRY : shipInterval).toNanos();
        while (true) {
            lock.lock();
            try {
                long nanos = deadline - System.nanoTime();
                while (!isDue(nanos) && !arrived) {
                    nanos = work.awaitNanos(nanos);
                }
                if (isDue(nanos)) {
                    signalled = false;
                    return stopping;
                }
                arrived = false;
            } catch (InterruptedException interrupted) {
                return true;
            } finally {
                lock.unlock();
            }
            compressAhead();
        }
    }

    private boolean isDue(long nanos) {
        return stopping || signalled && !complained || nanos <= 0;
    }

    /// How much of the unfinished segment is synced, in bytes.
    private record Synced(WalSegment segment, int bytes) {}

    private Optional<Synced> synced() {
        List<WalSegment> unfinished = spool.unfinished();
        Lsn end = positions.spooled();
        return unfinished.isEmpty() || !unfinished.getLast().contains(end)
                ? Optional.empty()
                : Optional.of(
                        new Synced(
                                unfinished.getLast(),
                                (int) end.minus(unfinished.getLast().start())));
    }

    private void compressAhead() {
        Optional<Synced> synced = synced();
        if (synced.isEmpty()) {
            return;
        }
        WalSegment segment = synced.get().segment;
        SegmentAhead taken = ahead;
        if (taken == null || !taken.segment().equals(segment)) {
            drop(taken);
            taken = archive.ahead(segment);
            ahead = taken;
        }
        if (taken.wants(synced.get().bytes)) {
            spool.readUnfinished(segment, taken.takenBytes(), synced.get().bytes)
                    .ifPresent(taken::add);
            aheadBytes = taken.takenBytes();
        }
    }

    private void drop(@Nullable SegmentAhead taken) {
        ahead = null;
        aheadBytes = 0;
        if (taken != null) {
            taken.close();
        }
    }

    private void store(WalSegment segment, byte[] content) {
        SegmentAhead taken = ahead;
        if (taken == null || !taken.segment().equals(segment)) {
            archive.put(segment, content);
            return;
        }
        try {
            archive.put(taken, content);
        } finally {
            drop(taken);
        }
    }

    private void uploadAll() {
        for (String history : spool.histories()) {
            archive.putFile(history, spool.readHistory(history));
            spool.removeHistory(history);
        }
        for (WalSegment segment : spool.left()) {
            byte[] content = spool.readLeft(segment);
            int from = segment.equals(shippedSegment) ? shipped : 0;
            if (content.length > from) {
                archive.putPart(segment, from, Arrays.copyOfRange(content, from, content.length));
            }
            archive.collectParts(segment);
            spool.removeLeft(segment);
        }
        for (WalSegment segment : spool.finished()) {
            if (isOutOfTime()) {
                return;
            }
            byte[] content = spool.read(segment);
            store(segment, content);
            positions.stored(segment.start(), segment.end());
            summarise(segment, content);
            archive.collectParts(segment);
            spool.remove(segment);
            afterStored.run();
        }
        shipUnfinished();
    }

    /// What is wrong with an earlier segment or its summary must not keep this one from being
    /// stored; verification tells of it.
    private void summarise(WalSegment segment, byte[] content) {
        summaries
                .storedThough(segment, content)
                .ifPresent(
                        damaged ->
                                progress.note(
                                        "WARNING: "
                                                + damaged.code().id()
                                                + ": the WAL before "
                                                + segment
                                                + " was not summarised: "
                                                + damaged.getMessage()));
    }

    /// Whether the receiver ends, and was promised to end by now.
    private boolean isOutOfTime() {
        lock.lock();
        try {
            return stopping && System.nanoTime() - deadlineNanos > 0;
        } finally {
            lock.unlock();
        }
    }

    private void shipUnfinished() {
        Optional<Synced> now = synced();
        if (now.isEmpty()) {
            return;
        }
        WalSegment segment = now.get().segment;
        int synced = now.get().bytes;
        int from = segment.equals(shippedSegment) ? shipped : 0;
        Optional<byte[]> fresh =
                synced > from ? spool.readUnfinished(segment, from, synced) : Optional.empty();
        if (fresh.isPresent()) {
            archive.putPart(segment, from, fresh.get());
            shippedSegment = segment;
            shipped = synced;
            positions.stored(segment.start(), segment.start().plus(synced));
            afterStored.run();
        }
    }

    /// Stores what there is as far as time allows, and ends. What is not stored then stays in the
    /// spool.
    void close(Duration budget) {
        lock.lock();
        try {
            stopping = true;
            deadlineNanos = System.nanoTime() + budget.toNanos();
            work.signal();
        } finally {
            lock.unlock();
        }
        boolean interrupted = Thread.interrupted();
        try {
            if (!ended.await(budget.toNanos(), TimeUnit.NANOSECONDS)) {
                thread.interrupt(); // a call that waits for a store that is away
                boolean _ = ended.await(GRACE.toNanos(), TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException _) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        close(USUAL_BUDGET);
    }
}
