package dev.mainstay.storage.wrap;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;

/// Holds reads and writes together down to so many bytes a second, by waiting before a request. The
/// rate holds on average over requests: one request is not cut into pieces.
public final class RateLimitedStore implements ObjectStore {
    private final ObjectStore inner;
    private final Pace pace;
    private final Timer timer;

    private RateLimitedStore(ObjectStore inner, Pace pace, Timer timer) {
        this.inner = inner;
        this.pace = pace;
        this.timer = timer;
    }

    public static RateLimitedStore of(ObjectStore inner, ByteSize perSecond) {
        return of(inner, perSecond, Timer.OF_THE_SYSTEM);
    }

    static RateLimitedStore of(ObjectStore inner, ByteSize perSecond, Timer timer) {
        return new RateLimitedStore(inner, new Pace(perSecond), timer);
    }

    private void await(long bytes) {
        long waitNanos = pace.bookNanos(bytes, timer.nanos());
        if (waitNanos == 0) {
            return;
        }
        try {
            timer.pause(Duration.ofNanos(waitNanos));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.STORE_UNAVAILABLE,
                    "interrupted while held back by the rate limit",
                    interrupted);
        }
    }

    @Override
    public StoreFacts facts() {
        return inner.facts();
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        await(ObjectStore.length(content));
        return inner.put(name, content);
    }

    @Override
    public void replace(String name, ByteBuffer... content) {
        await(ObjectStore.length(content));
        inner.replace(name, content);
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        await(Math.max(0, length));
        return inner.get(name, offset, length);
    }

    @Override
    public Optional<Long> size(String name) {
        return inner.size(name);
    }

    @Override
    public ListPage list(String prefix, String after, int limit) {
        return inner.list(prefix, after, limit);
    }

    @Override
    public DeleteOutcome delete(String name) {
        return inner.delete(name);
    }

    @Override
    public Optional<ObjectLocks> locks() {
        return inner.locks();
    }

    @Override
    public void close() {
        inner.close();
    }
}
