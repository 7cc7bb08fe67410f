package dev.mainstay.engine.proof;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;

/// A store as one process sees it: each call is a step on a [Stage], may fail before or after it
/// had its effect, may be refused, or may be the one at which the process is killed.
final class SimulatedProcess implements ObjectStore {
    private static final double FAILS = 0.0015;
    private static final double REFUSES = 0.01;

    private final ObjectStore inner;
    private final Stage stage;
    private final Random random;
    private final SimulationTrace trace;
    private final int killAt;
    private int calls;

    /// @param killAt the call at which it is killed; 0 for never
    SimulatedProcess(
            ObjectStore inner, Stage stage, Random random, SimulationTrace trace, int killAt) {
        this.inner = inner;
        this.stage = stage;
        this.random = random;
        this.trace = trace;
        this.killAt = killAt;
    }

    private <T> T call(String what, String name, Supplier<T> effect) {
        if (killAt > 0 && calls >= killAt) {
            throw new HookedStore.Killed(); // what it does while it dies
        }
        stage.ask();
        calls++;
        trace.call(what, name);
        boolean dies = calls == killAt;
        boolean fails = !dies && random.nextDouble() < FAILS;
        boolean happens = !(dies || fails) || random.nextBoolean();
        T outcome = happens ? effect.get() : null;
        if (dies) {
            throw new HookedStore.Killed();
        }
        if (fails || outcome == null) {
            trace.fault();
            throw new MainstayException(
                    ErrorCode.STORE_UNAVAILABLE, "'" + name + "' could not be reached");
        }
        return outcome;
    }

    @Override
    public StoreFacts facts() {
        return inner.facts();
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        return call("put", name, () -> inner.put(name, content));
    }

    @Override
    public void replace(String name, ByteBuffer... content) {
        boolean _ =
                call(
                        "replace",
                        name,
                        () -> {
                            inner.replace(name, content);
                            return true;
                        });
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        return call("get", name, () -> inner.get(name, offset, length));
    }

    @Override
    public Optional<Long> size(String name) {
        return call("size", name, () -> inner.size(name));
    }

    @Override
    public ListPage list(String prefix, String after, int limit) {
        // Small pages, so that others come in between.
        int some = Math.min(limit, 1 + random.nextInt(200));
        return call("list", prefix, () -> inner.list(prefix, after, some));
    }

    @Override
    public DeleteOutcome delete(String name) {
        boolean refused = random.nextDouble() < REFUSES;
        return call("delete", name, () -> refused ? DeleteOutcome.REFUSED : inner.delete(name));
    }

    @Override
    public void close() {}
}
