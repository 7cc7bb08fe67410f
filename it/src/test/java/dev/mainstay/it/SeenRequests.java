package dev.mainstay.it;

import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/// Remembers what a store is asked, word by word.
final class SeenRequests implements ObjectStore {
    private final ObjectStore inner;
    private final List<String> requests = new CopyOnWriteArrayList<>();

    SeenRequests(ObjectStore inner) {
        this.inner = inner;
    }

    /// What was asked since the last time, in the order in which it was asked.
    List<String> take() {
        List<String> taken = List.copyOf(requests);
        requests.clear();
        return taken;
    }

    @Override
    public StoreFacts facts() {
        return inner.facts();
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        requests.add("put " + name);
        return inner.put(name, content);
    }

    @Override
    public void replace(String name, ByteBuffer... content) {
        requests.add("replace " + name);
        inner.replace(name, content);
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        requests.add("get " + name + " " + offset + "+" + length);
        return inner.get(name, offset, length);
    }

    @Override
    public Optional<byte[]> whole(String name) {
        requests.add("whole " + name);
        return inner.whole(name);
    }

    @Override
    public Optional<Long> size(String name) {
        requests.add("size " + name);
        return inner.size(name);
    }

    @Override
    public ListPage list(String prefix, String after, int limit) {
        requests.add("list " + prefix + " after " + after);
        return inner.list(prefix, after, limit);
    }

    @Override
    public DeleteOutcome delete(String name) {
        requests.add("delete " + name);
        return inner.delete(name);
    }

    @Override
    public void close() {
        inner.close();
    }
}
