package dev.mainstay.storage.wrap;

import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/// Counts requests, and bytes that went through. Placed inside the retrying store it counts every
/// try, outside of it what callers asked for.
public final class MeteredStore implements ObjectStore {
    private final ObjectStore inner;
    private final LongAdder puts = new LongAdder();
    private final LongAdder putBytes = new LongAdder();
    private final LongAdder gets = new LongAdder();
    private final LongAdder getBytes = new LongAdder();
    private final LongAdder sizes = new LongAdder();
    private final LongAdder lists = new LongAdder();
    private final LongAdder deletes = new LongAdder();
    private final LongAdder failures = new LongAdder();

    /// What was counted so far.
    ///
    /// @param puts requests, whatever came of them; likewise the other operations
    /// @param putBytes bytes of objects that were created
    /// @param getBytes bytes that were read
    /// @param failures requests that ended in an exception
    public record Counts(
            long puts,
            long putBytes,
            long gets,
            long getBytes,
            long sizes,
            long lists,
            long deletes,
            long failures) {
        /// What was counted since an earlier snapshot.
        public Counts minus(Counts earlier) {
            return new Counts(
                    puts - earlier.puts,
                    putBytes - earlier.putBytes,
                    gets - earlier.gets,
                    getBytes - earlier.getBytes,
                    sizes - earlier.sizes,
                    lists - earlier.lists,
                    deletes - earlier.deletes,
                    failures - earlier.failures);
        }
    }

    private MeteredStore(ObjectStore inner) {
        this.inner = inner;
    }

    public static MeteredStore of(ObjectStore inner) {
        return new MeteredStore(inner);
    }

    public Counts counts() {
        return new Counts(
                puts.sum(),
                putBytes.sum(),
                gets.sum(),
                getBytes.sum(),
                sizes.sum(),
                lists.sum(),
                deletes.sum(),
                failures.sum());
    }

    private <T> T counted(LongAdder requests, Supplier<T> call) {
        requests.increment();
        boolean answered = false;
        try {
            T answer = call.get();
            answered = true;
            return answer;
        } finally {
            if (!answered) {
                failures.increment();
            }
        }
    }

    @Override
    public StoreFacts facts() {
        return inner.facts();
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        PutOutcome outcome = counted(puts, () -> inner.put(name, content));
        if (outcome == PutOutcome.CREATED) {
            putBytes.add(ObjectStore.length(content));
        }
        return outcome;
    }

    @Override
    public void replace(String name, ByteBuffer... content) {
        boolean _ =
                counted(
                        puts,
                        () -> {
                            inner.replace(name, content);
                            return true;
                        });
        putBytes.add(ObjectStore.length(content));
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        byte[] bytes = counted(gets, () -> inner.get(name, offset, length));
        getBytes.add(bytes.length);
        return bytes;
    }

    @Override
    public Optional<byte[]> whole(String name) {
        Optional<byte[]> object = counted(gets, () -> inner.whole(name));
        object.ifPresent(bytes -> getBytes.add(bytes.length));
        return object;
    }

    @Override
    public Optional<Long> size(String name) {
        return counted(sizes, () -> inner.size(name));
    }

    @Override
    public ListPage list(String prefix, String after, int limit) {
        return counted(lists, () -> inner.list(prefix, after, limit));
    }

    @Override
    public DeleteOutcome delete(String name) {
        return counted(deletes, () -> inner.delete(name));
    }

    /// Their requests are not counted.
    @Override
    public Optional<ObjectLocks> locks() {
        return inner.locks();
    }

    @Override
    public void close() {
        inner.close();
    }
}
