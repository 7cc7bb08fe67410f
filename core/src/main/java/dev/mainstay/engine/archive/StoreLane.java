package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.FetchAhead;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.WalArchive.Stored;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/// One server that pushes segment after segment: those that `archive_status` calls ready are stored
/// beside the one that is asked for, so that their own calls find them stored.
///
/// PostgreSQL neither changes nor recycles a segment that is ready before its own call succeeded.
final class StoreLane {
    private static final int AHEAD = 8;
    private static final Duration IDLE = Duration.ofMinutes(1);

    private record Done(Stored stored, FileMark mark) {}

    /// Arrays for whole segments, used again: fresh ones cost more than what is done with them,
    /// since each is as large as most of the young generation.
    private static final class Memory {
        private final Deque<byte[]> free = new ArrayDeque<>();

        synchronized byte[] take(int length) {
            byte[] bytes = free.poll();
            return bytes != null && bytes.length == length ? bytes : new byte[length];
        }

        synchronized void giveBack(byte[] bytes) {
            free.push(bytes);
        }

        synchronized void clear() {
            free.clear();
        }
    }

    /// A segment that is read, stored and summarised.
    private static final class Storing extends FutureTask<Done> {
        private final CountDownLatch summarised;

        /// @param summarised when what the next one's summary needs of it is known, though its own
        ///   may still have to be put
        Storing(Callable<Done> work, CountDownLatch summarised) {
            super(work);
            this.summarised = summarised;
        }

        /// Also of one that failed, of which its own call will tell.
        @Override
        protected void done() {
            summarised.countDown();
        }

        void awaitSummarised() {
            try {
                summarised.await();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private final Path wal;
    private final WalArchive archive;
    private final Executor workers;
    private final Consumer<String> notes;
    private final Map<WalSegment, Storing> tasks = new HashMap<>();
    private final SegmentSummaries summaries;
    private final Memory memory = new Memory();

    /// What the summaries hold of what was taken from `memory`; guarded by them.
    private Optional<byte[]> held = Optional.empty();

    private long touchedNanos = System.nanoTime();

    StoreLane(Path wal, WalArchive archive, Executor workers, Consumer<String> notes) {
        this.wal = wal;
        this.archive = archive;
        this.workers = workers;
        this.notes = notes;
        this.summaries = new SegmentSummaries(archive, 0);
        FetchLane.removeLeft(wal); // of the recovery that this server came from
    }

    synchronized void touch() {
        touchedNanos = System.nanoTime();
    }

    synchronized boolean isIdle() {
        return System.nanoTime() - touchedNanos > IDLE.toNanos();
    }

    /// Stores a segment and begins with those that follow.
    Stored push(WalPush push, WalSegment segment, Path file, Path dataDirectory) {
        Storing own;
        boolean early;
        if (!isBegun(segment)) {
            demandStillThere(); // or it would be sealed with keys of another one
        }
        synchronized (this) {
            tasks.keySet().removeIf(other -> !follows(segment, other));
            early = tasks.containsKey(segment);
            own = begin(push, segment, file, dataDirectory);
            WalSegment next = segment.next();
            for (int i = 0; i < AHEAD && isReady(next); i++, next = next.next()) {
                Storing _ = begin(push, next, wal.resolve(next.fileName()), dataDirectory);
            }
        }
        try {
            Optional<Stored> stored = Optional.of(await(own)).filter(_ -> !early).map(Done::stored);
            return stored.orElseGet(() -> confirm(push, segment, file, dataDirectory, await(own)));
        } catch (MainstayException failed) {
            if (!early) {
                throw failed;
            }
            return afresh(push, file, dataDirectory); // what failed too early may go well in time
        } finally {
            end(segment, own);
        }
    }

    /// A lane in which nothing is under way holds no segment in memory.
    private void end(WalSegment segment, Storing own) {
        synchronized (this) {
            tasks.remove(segment, own);
            if (!tasks.isEmpty()) {
                return;
            }
        }
        synchronized (summaries) {
            summaries.forgetContent();
            held = Optional.empty();
            memory.clear();
        }
    }

    /// What was stored before it was asked for: it must be this very file, and be there, in the
    /// repository that was opened.
    private Stored confirm(
            WalPush push, WalSegment segment, Path file, Path dataDirectory, Done done) {
        try (FetchAhead<Boolean> repository =
                FetchAhead.small(
                        push.source().repository().ground().beside(),
                        List.of(this),
                        StoreLane::demandStillThere)) {
            boolean there = done.mark.equals(FileMark.of(file)) && archive.has(segment);
            if (repository.next() && there) {
                return done.stored;
            }
        } catch (IOException unreadable) {
            // says the ordinary way
        }
        return afresh(push, file, dataDirectory);
    }

    private Stored afresh(WalPush push, Path file, Path dataDirectory) {
        demandStillThere();
        return push.push(file, dataDirectory);
    }

    private boolean demandStillThere() {
        archive.source().repository().demandStillThere();
        return true;
    }

    private synchronized boolean isBegun(WalSegment segment) {
        return tasks.containsKey(segment);
    }

    private static boolean follows(WalSegment first, WalSegment other) {
        long distance = other.number() - first.number();
        return other.timeline().equals(first.timeline()) && distance >= 0 && distance <= AHEAD;
    }

    private boolean isReady(WalSegment segment) {
        return Files.exists(wal.resolve("archive_status").resolve(segment.fileName() + ".ready"))
                && Files.exists(wal.resolve(segment.fileName()));
    }

    private Storing begin(WalPush push, WalSegment segment, Path file, Path dataDirectory) {
        Storing known = tasks.get(segment);
        if (known != null) {
            return known;
        }
        Optional<Storing> before =
                segment.number() == 0
                        ? Optional.empty()
                        : Optional.ofNullable(
                                tasks.get(
                                        new WalSegment(
                                                segment.timeline(),
                                                segment.number() - 1,
                                                segment.sizeBytes())));
        CountDownLatch summarised = new CountDownLatch(1);
        Storing task =
                new Storing(() -> store(push, file, dataDirectory, before, summarised), summarised);
        tasks.put(segment, task);
        try {
            workers.execute(task);
        } catch (RejectedExecutionException closing) {
            task.cancel(false);
        }
        return task;
    }

    private Done store(
            WalPush push,
            Path file,
            Path dataDirectory,
            Optional<Storing> before,
            CountDownLatch summarised)
            throws IOException {
        FileMark mark = FileMark.of(file);
        WalPush.Checked checked = push.check(file, dataDirectory, memory::take);
        if (!checked.target().archive().system().equals(archive.system())) {
            throw WalPush.invalid(file.getFileName().toString(), "belongs to another cluster");
        }
        WalSegment segment = checked.target().segment();
        Stored stored = archive.put(segment, checked.content());
        if (!mark.equals(FileMark.of(file))) {
            throw WalPush.invalid(file.getFileName().toString(), "was changed while it was read");
        }
        before.ifPresent(Storing::awaitSummarised); // it began before, so it does not wait for this
        summarise(segment, checked.content(), summarised);
        return new Done(stored, mark);
    }

    /// Summaries are made in order, and put beside each other.
    private void summarise(WalSegment segment, byte[] content, CountDownLatch summarised) {
        List<Runnable> puts = new ArrayList<>();
        synchronized (summaries) {
            Optional<byte[]> before = held;
            try {
                summaries
                        .storedThough(segment, content, puts::add)
                        .ifPresent(damaged -> complain(segment, damaged));
            } finally {
                held = Optional.of(content).filter(summaries::holds);
                before.filter(bytes -> !summaries.holds(bytes)).ifPresent(memory::giveBack);
            }
        }
        summarised.countDown();
        puts.forEach(
                put ->
                        SegmentSummaries.though(put)
                                .ifPresent(damaged -> complain(segment, damaged)));
    }

    private void complain(WalSegment segment, MainstayException damaged) {
        notes.accept(
                "WARNING: the WAL before "
                        + segment
                        + " was not summarised: "
                        + damaged.getMessage());
    }

    private Done await(Storing task) {
        try {
            return task.get();
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof MainstayException known) {
                throw known;
            }
            notes.accept("WARNING: storing failed: " + failed.getCause());
            throw new MainstayException(
                    ErrorCode.WAL_FILE_INVALID, "cannot store: " + failed.getCause(), failed);
        } catch (CancellationException | InterruptedException ending) {
            if (ending instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            throw new MainstayException(ErrorCode.INTERRUPTED, "the agent is ending", ending);
        }
    }
}
