package dev.mainstay.storage;

import java.nio.ByteBuffer;
import java.util.Optional;

/// Passes every call on: what a test's store is made of that does one thing otherwise.
public class ForwardingStore implements ObjectStore {
    /// Where the calls go.
    public final ObjectStore inner;

    public ForwardingStore(ObjectStore inner) {
        this.inner = inner;
    }

    @Override
    public StoreFacts facts() {
        return inner.facts();
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        return inner.put(name, content);
    }

    @Override
    public void replace(String name, ByteBuffer... content) {
        inner.replace(name, content);
    }

    @Override
    public byte[] get(String name, long offset, int length) {
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
    public void close() {
        inner.close();
    }
}
