package dev.mainstay.storage.wrap;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeException;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.RetryPolicy;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.LockRule;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.RetentionLock;
import dev.mainstay.storage.StoreFacts;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/// Tries again what failed with STORE_UNAVAILABLE, and nothing else. The one layer that does.
///
/// A put that failed may have happened. If a later try finds the name taken by exactly our bytes,
/// the answer is CREATED, because it may be ours. So two writers of the same bytes may both be told
/// CREATED when the store falters: where a single winner matters, contents must differ.
///
/// Likewise a delete that was tried again may answer ABSENT although it was ours.
public final class RetryingStore implements ObjectStore {
    private static final int CHUNK_BYTES = 1 << 20;

    private final ObjectStore inner;
    private final FailsafeExecutor<Object> executor;

    /// How long to insist.
    ///
    /// @param firstPause before the second try; each further pause is twice as long, give or take a
    ///   quarter
    /// @param longestPause where the doubling ends
    /// @param tries how often a call is made at most
    public record Patience(Duration firstPause, Duration longestPause, int tries) {
        /// About a minute in all.
        public static final Patience USUAL =
                new Patience(Duration.ofMillis(100), Duration.ofSeconds(15), 10);

        public Patience {
            if (tries < 1 || !firstPause.isPositive() || firstPause.compareTo(longestPause) >= 0) {
                throw new IllegalArgumentException(
                        "no patience: " + tries + ", " + firstPause + ", " + longestPause);
            }
        }
    }

    private RetryingStore(ObjectStore inner, Patience patience) {
        this.inner = inner;
        this.executor =
                Failsafe.with(
                        RetryPolicy.builder()
                                .handleIf(RetryingStore::isWorthARetry)
                                .withMaxAttempts(patience.tries())
                                .withBackoff(patience.firstPause(), patience.longestPause())
                                .withJitter(0.25)
                                .build());
    }

    public static RetryingStore of(ObjectStore inner, Patience patience) {
        return new RetryingStore(inner, patience);
    }

    private static boolean isWorthARetry(Throwable failure) {
        return failure instanceof MainstayException known
                && known.code() == ErrorCode.STORE_UNAVAILABLE
                && !Thread.currentThread().isInterrupted();
    }

    private <T> T insist(Supplier<T> call) {
        try {
            return executor.get(call::get);
        } catch (FailsafeException stopped) {
            if (stopped.getCause() instanceof InterruptedException) {
                Thread.currentThread().interrupt();
                throw new MainstayException(
                        ErrorCode.STORE_UNAVAILABLE,
                        "interrupted before '" + facts().url() + "' answered",
                        stopped);
            }
            throw stopped;
        }
    }

    @Override
    public StoreFacts facts() {
        return inner.facts();
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        Put put = new Put(name, content);
        return insist(put::attempt);
    }

    /// One put and its tries.
    private final class Put {
        private final String name;
        private final ByteBuffer[] content;
        private boolean mayHaveHappened;

        Put(String name, ByteBuffer... content) {
            this.name = name;
            this.content = content;
        }

        PutOutcome attempt() {
            PutOutcome outcome;
            try {
                outcome = inner.put(name, content);
            } catch (MainstayException failure) {
                mayHaveHappened = true;
                throw failure;
            }
            return outcome == PutOutcome.EXISTED && mayHaveHappened && isOurs()
                    ? PutOutcome.CREATED
                    : outcome;
        }

        private boolean isOurs() {
            try {
                return holdsOurBytes();
            } catch (MainstayException failure) {
                if (failure.code() != ErrorCode.STORE_OBJECT_MISSING) {
                    throw failure;
                }
                throw vanished(failure);
            }
        }

        private boolean holdsOurBytes() {
            Optional<Long> size = inner.size(name);
            if (size.isEmpty()) {
                throw vanished(null);
            }
            if (size.get() != ObjectStore.length(content)) {
                return false;
            }
            long offset = 0;
            for (ByteBuffer part : content) {
                for (ByteBuffer rest = part.duplicate(); rest.hasRemaining(); ) {
                    int length = Math.min(CHUNK_BYTES, rest.remaining());
                    ByteBuffer ours = rest.slice(rest.position(), length);
                    if (!ours.equals(ByteBuffer.wrap(inner.get(name, offset, length)))) {
                        return false;
                    }
                    rest.position(rest.position() + length);
                    offset += length;
                }
            }
            return true;
        }

        private MainstayException vanished(@Nullable Throwable cause) {
            return new MainstayException(
                    ErrorCode.STORE_UNAVAILABLE,
                    "object '" + name + "' was deleted while it was put",
                    cause);
        }
    }

    @Override
    public void replace(String name, ByteBuffer... content) {
        boolean _ =
                insist(
                        () -> {
                            inner.replace(name, content);
                            return true;
                        });
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        return insist(() -> inner.get(name, offset, length));
    }

    @Override
    public Optional<byte[]> whole(String name) {
        return insist(() -> inner.whole(name));
    }

    @Override
    public Optional<Long> size(String name) {
        return insist(() -> inner.size(name));
    }

    @Override
    public ListPage list(String prefix, String after, int limit) {
        return insist(() -> inner.list(prefix, after, limit));
    }

    @Override
    public DeleteOutcome delete(String name) {
        return insist(() -> inner.delete(name));
    }

    @Override
    public Optional<ObjectLocks> locks() {
        return inner.locks().map(RetriedLocks::new);
    }

    private final class RetriedLocks implements ObjectLocks {
        private final ObjectLocks locks;

        RetriedLocks(ObjectLocks locks) {
            this.locks = locks;
        }

        @Override
        public LockRule rule() {
            return locks.rule();
        }

        @Override
        public Optional<RetentionLock> of(String name) {
            return insist(() -> locks.of(name));
        }

        @Override
        public void extend(String name, RetentionLock lock) {
            boolean _ =
                    insist(
                            () -> {
                                locks.extend(name, lock);
                                return true;
                            });
        }
    }

    @Override
    public void close() {
        inner.close();
    }
}
