package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.RepositoryCopy.DamagedObject;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.wrap.Throttle;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Copies objects from one store into another, several at a time, each checked on its way against
/// the hash that it is named after or ends with (docs/format.md sections 3 and 7). For one thread
/// that asks.
final class ObjectCopies implements AutoCloseable {
    private static final int PIECE = 8 << 20;

    /// What all threads together keep in memory of objects, in MiB; a larger object goes alone.
    private static final int MEMORY_MIB = 128;

    private static final int HASH = 32;

    private final ObjectStore from;
    private final ObjectStore to;
    private final Throttle throttle;
    private final Consumer<Long> told;
    private final ExecutorService workers;
    private final Semaphore tasks;
    private final Semaphore memory = new Semaphore(MEMORY_MIB);
    private final int threads;
    private final boolean atOnce;

    // Guarded by this.
    private final Map<String, Amount> copied = new TreeMap<>();
    private final List<DamagedObject> damaged = new ArrayList<>();
    private @Nullable MainstayException failure;
    private boolean vanished;

    /// @param threads 0 for none of its own
    ObjectCopies(
            ObjectStore from, ObjectStore to, Throttle throttle, int threads, Consumer<Long> told) {
        this.from = from;
        this.to = to;
        this.throttle = throttle;
        this.told = told;
        this.atOnce = threads == 0;
        this.threads = Math.max(1, threads);
        this.tasks = new Semaphore(this.threads);
        this.workers =
                Executors.newFixedThreadPool(
                        this.threads, Thread.ofPlatform().name("copy-", 0).factory());
    }

    synchronized Map<String, Amount> copied() {
        return new TreeMap<>(copied);
    }

    synchronized List<DamagedObject> damaged() {
        return List.copyOf(damaged);
    }

    /// Copies an object while this goes on.
    ///
    /// @throws MainstayException what failed of those before, or INTERRUPTED
    void copy(StoredObject object) {
        demandNoFailure();
        int mib = memory(object);
        try {
            tasks.acquire();
            memory.acquire(mib);
        } catch (InterruptedException stopped) {
            throw interrupted(stopped);
        }
        Executor beside = atOnce ? Runnable::run : workers;
        beside.execute(
                () -> {
                    try {
                        copyNow(object);
                    } catch (MainstayException failed) {
                        fail(failed);
                    } catch (RuntimeException | Error failed) {
                        fail(
                                new MainstayException(
                                        ErrorCode.INTERNAL,
                                        "copying " + object.name() + " failed: " + failed,
                                        failed));
                    } finally {
                        memory.release(mib);
                        tasks.release();
                    }
                });
    }

    private static int memory(StoredObject object) {
        return (int) Math.min(MEMORY_MIB, (object.sizeBytes() >> 20) + 1);
    }

    private synchronized void fail(MainstayException failed) {
        if (failure == null) {
            failure = failed;
        }
    }

    private synchronized void demandNoFailure() {
        if (failure != null) {
            throw failure;
        }
    }

    private static MainstayException interrupted(InterruptedException stopped) {
        Thread.currentThread().interrupt();
        return new MainstayException(ErrorCode.INTERRUPTED, "stopped", stopped);
    }

    /// Waits for all that was asked for.
    ///
    /// @return whether everything was still there since this was asked last
    /// @throws MainstayException what failed, or INTERRUPTED
    boolean await() {
        try {
            tasks.acquire(threads);
            tasks.release(threads);
        } catch (InterruptedException stopped) {
            throw interrupted(stopped);
        }
        demandNoFailure();
        synchronized (this) {
            boolean all = !vanished;
            vanished = false;
            return all;
        }
    }

    /// Copies an object before this returns. One that is damaged is remembered, as is that one was
    /// removed meanwhile.
    void copyNow(StoredObject object) {
        String name = object.name();
        List<ByteBuffer> content;
        try {
            content = read(object);
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.STORE_OBJECT_MISSING) {
                vanished(name);
                return;
            }
            if (failed.code() != ErrorCode.OBJECT_DAMAGED
                    && failed.code() != ErrorCode.STORE_READ_SHORT) {
                throw failed;
            }
            synchronized (this) {
                damaged.removeIf(earlier -> earlier.name().equals(name));
                damaged.add(new DamagedObject(name, failed));
            }
            return;
        }
        ByteBuffer[] buffers = content.toArray(ByteBuffer[]::new);
        if (to.put(name, buffers) == PutOutcome.EXISTED && !isThere(name, content)) {
            throw conflict(to, name);
        }
        synchronized (this) {
            copied.merge(
                    name.split("/", -1)[0], Amount.NONE.plus(object.sizeBytes()), Amount::plus);
        }
    }

    /// Parts go when their segment is whole, WAL when a record says that it is freed; of anything
    /// else it means that backups were removed.
    private synchronized void vanished(String name) {
        if (!name.startsWith(Names.PARTS)
                && !name.startsWith(Names.WAL)
                && !name.startsWith(Names.SUMMARIES)) {
            vanished = true;
        }
    }

    private List<ByteBuffer> read(StoredObject object) {
        MessageDigest sha = Bytes.sha256();
        List<ByteBuffer> pieces = new ArrayList<>();
        long size = object.sizeBytes();
        boolean pack = object.name().startsWith(Names.PACKS);
        long hashed = pack ? size : size - HASH;
        for (long at = 0; at < size; ) {
            int length = (int) Math.min(PIECE, size - at);
            throttle.await(length);
            byte[] piece = from.get(object.name(), at, length);
            sha.update(piece, 0, Math.clamp(hashed - at, 0, length));
            pieces.add(ByteBuffer.wrap(piece));
            told.accept((long) length);
            at += length;
        }
        byte[] wanted = pack ? named(object.name()) : last(pieces);
        if (hashed < 0 || !Arrays.equals(sha.digest(), wanted)) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "object " + object.name() + " of " + from.facts().url() + " is damaged");
        }
        return pieces;
    }

    private static byte[] named(String pack) {
        try {
            return HexFormat.of().parseHex(pack.substring(pack.lastIndexOf('/') + 1));
        } catch (IllegalArgumentException noHash) {
            return new byte[0];
        }
    }

    /// The last bytes of all, which may lie in two pieces.
    private static byte[] last(List<ByteBuffer> pieces) {
        byte[] last = new byte[HASH];
        int missing = HASH;
        for (int i = pieces.size() - 1; i >= 0 && missing > 0; i--) {
            ByteBuffer piece = pieces.get(i);
            int some = Math.min(missing, piece.capacity());
            piece.get(piece.capacity() - some, last, missing - some, some);
            missing -= some;
        }
        return last;
    }

    /// Whether an object is these bytes.
    private boolean isThere(String name, List<ByteBuffer> content) {
        long size = ObjectStore.length(content.toArray(ByteBuffer[]::new));
        if (to.size(name).orElse(-1L) != size) {
            return false;
        }
        long at = 0;
        for (ByteBuffer piece : content) {
            byte[] there = to.get(name, at, piece.remaining());
            if (ByteBuffer.wrap(there).mismatch(piece) >= 0) {
                return false;
            }
            at += there.length;
        }
        return true;
    }

    static MainstayException conflict(ObjectStore store, String name) {
        return new MainstayException(
                ErrorCode.COPY_CONFLICT,
                store.facts().url() + " holds another object " + name + " than what it copies");
    }

    @Override
    public void close() {
        workers.shutdownNow();
        boolean interrupted = Thread.interrupted();
        try {
            while (!workers.awaitTermination(1, TimeUnit.MINUTES)) {
                // a thread is in a store; it sees that it was interrupted when that returns
            }
        } catch (InterruptedException again) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
