package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.PackBuilder;
import dev.mainstay.storage.ObjectStore;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/// Finishes and puts full packs while the next ones fill. At most `atOnce` are on their way, so
/// memory stays bounded; the first failure ends the backup.
final class PackUploads {
    private final ObjectStore store;
    private final Executor beside;
    private final int atOnce;
    private final Semaphore slots;
    private final Semaphore aside = new Semaphore(1);
    private final PackBuilder.Blocks blocks = new PackBuilder.Blocks();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicLong named = new AtomicLong();
    private final AtomicLong stored = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final List<String> created = new ArrayList<>();

    PackUploads(ObjectStore store, Executor beside, int atOnce) {
        this.store = store;
        this.beside = beside;
        this.atOnce = atOnce;
        this.slots = new Semaphore(atOnce);
    }

    PackBuilder.Blocks blocks() {
        return blocks;
    }

    /// How many packs have names by now.
    long named() {
        return named.get();
    }

    /// How many packs are durable by now.
    long stored() {
        return stored.get();
    }

    /// Takes over a pack of which every place is given out.
    void put(PackBuilder builder, PendingFrame.PendingPack pack) {
        acquire(1);
        check();
        beside.execute(
                () -> {
                    try (FrameCoder coder = new FrameCoder(Vault.SMALL_LEVEL)) {
                        PackBuilder.Finished finished = builder.finish(coder);
                        pack.named(finished.id());
                        named.incrementAndGet();
                        put(finished, Names.pack(pack.packClass, finished.id()));
                        pack.stored();
                        stored.incrementAndGet();
                    } catch (InterruptedException | RuntimeException | Error failed) {
                        failure.compareAndSet(null, failed);
                        pack.lost(failed);
                    } finally {
                        slots.release();
                    }
                });
    }

    /// Whether nothing is put aside at the moment.
    boolean isFreeAside() {
        return aside.availablePermits() > 0;
    }

    /// Puts something else beside them, one at a time; nobody waits for it before the end.
    void putAside(Runnable put) {
        aside.acquireUninterruptibly();
        beside.execute(
                () -> {
                    try {
                        put.run();
                    } catch (RuntimeException | Error failed) {
                        failure.compareAndSet(null, failed);
                    } finally {
                        aside.release();
                    }
                });
    }

    private void put(PackBuilder.Finished pack, String name) {
        store.put(name, pack.content());
        bytes.addAndGet(pack.length());
        synchronized (created) {
            created.add(name);
        }
        blocks.giveBack(pack);
    }

    private void acquire(int permits) {
        try {
            slots.acquire(permits);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "the backup was interrupted", interrupted);
        }
    }

    private void check() {
        Throwable failed = failure.get();
        if (failed != null) {
            slots.release();
            throw rethrown(failed);
        }
    }

    /// The failure of another thread, to be thrown in this one.
    static RuntimeException rethrown(Throwable failed) {
        if (failed instanceof Error error) {
            throw error;
        }
        return failed instanceof MainstayException known
                ? new MainstayException(
                        known.code(), String.valueOf(known.getMessage()), known.hint(), known)
                : new IllegalStateException("a pack could not be put", failed);
    }

    /// Returns once everything is durable.
    void await() {
        settleAside();
        acquire(atOnce);
        slots.release(atOnce - 1);
        check();
        slots.release();
    }

    /// Waits for what is on its way without judging it.
    void settle() {
        slots.acquireUninterruptibly(atOnce);
        slots.release(atOnce);
        settleAside();
    }

    private void settleAside() {
        aside.acquireUninterruptibly();
        aside.release();
    }

    long bytes() {
        return bytes.get();
    }

    List<String> created() {
        synchronized (created) {
            return List.copyOf(created);
        }
    }
}
