package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.RetentionLock;
import dev.mainstay.storage.StoredObject;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;

/// Looks at the lock of every object that kept backups need, and extends those that are due. The
/// store is asked for each lock: nothing that somebody may have written is believed instead.
///
/// A lock is due when what is put now would be locked for longer. As locks end with generations,
/// that is once in a generation, and doing it again changes nothing. For one use.
public final class LockSurvey {
    private static final int THREADS = 8;
    private static final int KEPT = 1000;

    /// An object whose lock is not what it should be.
    ///
    /// @param until when it runs out; empty if there is none
    public record Lacking(String object, Optional<Instant> until) {}

    /// What was found, and done.
    ///
    /// @param needed objects that kept backups need
    /// @param due those whose lock is due to be extended, or was
    /// @param lacking those without a lock, or with one that runs out before the generation
    ///   demands, and that were not extended now; the first ones
    /// @param failed those whose lock could not be extended, and why; the first ones
    public record Report(
            Amount needed,
            Amount due,
            long lackingCount,
            List<Lacking> lacking,
            long failedCount,
            List<Defect> failed) {
        public Report {
            lacking = List.copyOf(lacking);
            failed = List.copyOf(failed);
        }
    }

    private final Repository repository;
    private final ObjectLocks locks;
    private final KeptObjects kept;
    private final Instant demanded;
    private final LongConsumer bytesDone;
    private final List<Lacking> lacking = new ArrayList<>();
    private final List<Defect> failed = new ArrayList<>();
    private long lackingCount;
    private long failedCount;
    private long neededObjects;
    private long neededBytes;
    private long dueObjects;
    private long dueBytes;

    /// @param locks of the repository's store
    /// @param demanded what runs out before is lacking
    /// @param bytesDone is told of the size of each object that was looked at, by any thread
    public LockSurvey(
            Repository repository,
            ObjectLocks locks,
            KeptObjects kept,
            Instant demanded,
            LongConsumer bytesDone) {
        this.repository = repository;
        this.locks = locks;
        this.kept = kept;
        this.demanded = demanded;
        this.bytesDone = bytesDone;
    }

    /// Looks and changes nothing.
    public Report look() {
        return run(false);
    }

    /// Extends what is due.
    public Report extend() {
        return run(true);
    }

    private Report run(boolean extend) {
        Semaphore slots = new Semaphore(THREADS * 2);
        AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            Listing.forEach(
                    repository.store(),
                    "",
                    object -> {
                        if (failure.get() != null || !kept.needs(object.name())) {
                            return;
                        }
                        acquire(slots);
                        threads.execute(
                                () -> {
                                    try {
                                        visit(object, extend);
                                        bytesDone.accept(object.sizeBytes());
                                    } catch (RuntimeException broken) {
                                        failure.compareAndSet(null, broken);
                                    } finally {
                                        slots.release();
                                    }
                                });
                    });
        }
        RuntimeException broken = failure.get();
        if (broken != null) {
            throw broken;
        }
        return report();
    }

    private static void acquire(Semaphore slots) {
        try {
            slots.acquire();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "stopped while looking at locks", stopped);
        }
    }

    private void visit(StoredObject object, boolean extend) {
        String name = object.name();
        Optional<RetentionLock> wanted = locks.rule().of(name);
        if (wanted.isEmpty()) {
            return;
        }
        try {
            Optional<RetentionLock> there = locks.of(name);
            Optional<Instant> until = there.map(RetentionLock::until);
            boolean due = until.isEmpty() || until.get().isBefore(wanted.get().until());
            boolean lacks = until.isEmpty() || until.get().isBefore(demanded);
            if (due && extend) {
                locks.extend(name, wanted.get());
            }
            note(object, due, lacks && !extend, until);
        } catch (MainstayException broken) {
            if (broken.code() != ErrorCode.STORE_REFUSED) {
                KeptObjects.demandDamage(broken);
            }
            fail(object, broken);
        }
    }

    private synchronized void note(
            StoredObject object, boolean due, boolean lacks, Optional<Instant> until) {
        neededObjects++;
        neededBytes += object.sizeBytes();
        if (due) {
            dueObjects++;
            dueBytes += object.sizeBytes();
        }
        if (lacks) {
            lackingCount++;
            if (lacking.size() < KEPT) {
                lacking.add(new Lacking(object.name(), until));
            }
        }
    }

    /// What was removed meanwhile needs no lock.
    private synchronized void fail(StoredObject object, MainstayException why) {
        if (why.code() == ErrorCode.STORE_OBJECT_MISSING) {
            return;
        }
        neededObjects++;
        neededBytes += object.sizeBytes();
        failedCount++;
        if (failed.size() < KEPT) {
            failed.add(
                    new Defect(
                            object.name(),
                            why.code(),
                            String.valueOf(why.getMessage()),
                            java.util.Set.of()));
        }
    }

    private synchronized Report report() {
        return new Report(
                new Amount(neededObjects, neededBytes),
                new Amount(dueObjects, dueBytes),
                lackingCount,
                lacking,
                failedCount,
                failed);
    }
}
