package dev.mainstay.engine.proof;

import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Supplier;

/// Does something before a certain call, or dies at one: what a process sees that sleeps while
/// others are at work, and what one leaves behind that is killed.
final class HookedStore implements ObjectStore {
    /// The process is gone.
    static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    private final ObjectStore inner;
    private Runnable hook = () -> {};
    private Runnable gate = () -> {};
    private @Nullable Thread owner;
    private int hookAt = -1;
    private int killAt = -1;
    private boolean happens;
    private String refused = "";
    private int calls;

    HookedStore(ObjectStore inner) {
        this.inner = inner;
    }

    /// A store with the same objects.
    static ObjectStore copy(ObjectStore from) {
        ObjectStore to = MemoryStore.create();
        for (StoredObject object : from.list("", "", 100_000).objects()) {
            int length = Math.toIntExact(object.sizeBytes());
            to.put(object.name(), ByteBuffer.wrap(from.get(object.name(), 0, length)));
        }
        return to;
    }

    /// Runs something once, in the midst of what is going on here.
    synchronized void at(int call, Runnable what) {
        this.hookAt = calls + call;
        this.hook = what;
    }

    /// Asks before every call of this thread.
    void gate(Runnable ask) {
        this.gate = ask;
        this.owner = Thread.currentThread();
    }

    /// Deletes nothing whose name starts so, as with a lock.
    void refuse(String prefix) {
        this.refused = prefix;
    }

    /// @param happens whether the call is made, and only its answer lost
    synchronized void dieAt(int call, boolean happens) {
        this.killAt = calls + call;
        this.happens = happens;
    }

    /// Whether as many calls were made as it takes to do what was asked for.
    synchronized boolean wasHooked() {
        return hookAt >= 0 && calls >= hookAt;
    }

    synchronized int calls() {
        return calls;
    }

    private boolean last() {
        if (Thread.currentThread().equals(owner)) {
            gate.run();
        }
        Runnable now = () -> {};
        int call;
        synchronized (this) {
            call = ++calls;
            if (call == hookAt) {
                now = hook;
            }
        }
        now.run();
        if (killAt >= 0 && call > killAt) {
            throw new Killed();
        }
        return call == killAt;
    }

    private <T> T call(Supplier<T> what) {
        boolean dies = last();
        if (dies && !happens) {
            throw new Killed();
        }
        T outcome = what.get();
        if (dies) {
            throw new Killed();
        }
        return outcome;
    }

    @Override
    public StoreFacts facts() {
        return inner.facts();
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        return call(() -> inner.put(name, content));
    }

    @Override
    public void replace(String name, ByteBuffer... content) {
        boolean _ =
                call(
                        () -> {
                            inner.replace(name, content);
                            return true;
                        });
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        return call(() -> inner.get(name, offset, length));
    }

    @Override
    public Optional<Long> size(String name) {
        return call(() -> inner.size(name));
    }

    @Override
    public ListPage list(String prefix, String after, int limit) {
        return call(() -> inner.list(prefix, after, limit));
    }

    @Override
    public DeleteOutcome delete(String name) {
        boolean locked = !refused.isEmpty() && name.startsWith(refused);
        return call(() -> locked ? DeleteOutcome.REFUSED : inner.delete(name));
    }

    @Override
    public void close() {}
}
