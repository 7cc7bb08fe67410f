package dev.mainstay.testkit;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.StoredObject;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/// A store that fails as real ones do, by seed: the same calls in the same order fail in the same
/// way. Calls are made one at a time.
///
/// A crash comes with [#crashAt], and [#reopen] brings the store back as the host finds it after
/// that: of the puts that never returned some are gone, and all that the store lied about.
public final class FaultyStore implements ObjectStore {
    /// How many of the latest puts a stale listing may lack.
    private static final int RECENT = 8;

    private final ObjectStore inner;
    private final Faults faults;
    private final Random random;
    private final Deque<String> recent = new ArrayDeque<>();
    private final Set<String> unreturned = new TreeSet<>();
    private final Set<String> lied = new TreeSet<>();
    private long calls;
    private long crashAt = Long.MAX_VALUE;
    private boolean crashed;
    private long putBytes;

    private FaultyStore(ObjectStore inner, Faults faults, long seed) {
        this.inner = inner;
        this.faults = faults;
        this.random = new Random(seed);
    }

    public static FaultyStore of(ObjectStore inner, Faults faults, long seed) {
        return new FaultyStore(inner, faults, seed);
    }

    /// Lets the `call`th call from now on (1 is the next one) and all after it throw
    /// [SimulatedCrash]. If it is a put or a delete, the seed decides whether it happened.
    public synchronized void crashAt(long call) {
        if (call < 1) {
            throw new IllegalArgumentException("call " + call);
        }
        crashAt = calls + call;
    }

    /// Calls made so far, to know where crashes make sense.
    public synchronized long calls() {
        return calls;
    }

    /// Comes back after a crash of the host, or causes one and comes back: each put that did not
    /// return normally is lost by the toss of a coin, each put that was lied about is lost. Names
    /// that are lost.
    public synchronized Set<String> reopen() {
        Set<String> lost = new TreeSet<>(lied);
        for (String name : unreturned) {
            if (random.nextBoolean()) {
                lost.add(name);
            }
        }
        lost.forEach(this::lose);
        lied.clear();
        unreturned.clear();
        crashed = false;
        crashAt = Long.MAX_VALUE;
        return lost;
    }

    /// Damage on purpose: the object is gone.
    public synchronized void lose(String name) {
        DeleteOutcome _ = inner.delete(name);
    }

    /// Damage on purpose: only the first bytes of the object are left.
    public synchronized void truncate(String name, int sizeBytes) {
        replace(name, inner.get(name, 0, sizeBytes));
    }

    /// Damage on purpose: one bit of the stored object is wrong.
    public synchronized void flipBit(String name, int offset) {
        byte[] bytes = inner.get(name, 0, inner.size(name).orElse(0L).intValue());
        bytes[offset] = (byte) (bytes[offset] ^ 1 << random.nextInt(8));
        replace(name, bytes);
    }

    private void replace(String name, byte[] bytes) {
        if (inner.delete(name) != DeleteOutcome.DELETED
                || inner.put(name, ByteBuffer.wrap(bytes)) != PutOutcome.CREATED) {
            throw new IllegalStateException("'" + name + "' could not be damaged");
        }
    }

    @Override
    public StoreFacts facts() {
        return inner.facts();
    }

    @Override
    public synchronized PutOutcome put(String name, ByteBuffer... content) {
        long length = ObjectStore.length(content);
        boolean crash = begin("put " + name);
        if (crash) {
            if (random.nextBoolean() && inner.put(name, content) == PutOutcome.CREATED) {
                unreturned.add(name);
            }
            throw crash("put " + name);
        }
        if (happens(faults.tornPut()) && length > 0) {
            if (inner.put(name, start(content, random.nextInt((int) length)))
                    == PutOutcome.CREATED) {
                throw unavailable("put " + name + " tore");
            }
        }
        if (putBytes > faults.capacityBytes() - length) {
            throw new MainstayException(ErrorCode.STORE_FULL, "cannot put '" + name + "'");
        }
        PutOutcome outcome = inner.put(name, content);
        if (outcome == PutOutcome.CREATED) {
            putBytes += length;
            remember(name);
        }
        return answer(name, outcome);
    }

    @Override
    public synchronized void replace(String name, ByteBuffer... content) {
        if (begin("replace " + name)) {
            if (random.nextBoolean()) {
                inner.replace(name, content);
            }
            throw crash("replace " + name);
        }
        inner.replace(name, content);
        if (happens(faults.errorAfter())) {
            throw unavailable("replace " + name + " (it happened)");
        }
    }

    private static ByteBuffer start(ByteBuffer[] content, int length) {
        ByteBuffer start = ByteBuffer.allocate(length);
        for (ByteBuffer part : content) {
            ByteBuffer some = part.duplicate();
            some.limit(some.position() + Math.min(some.remaining(), start.remaining()));
            start.put(some);
        }
        return start.flip();
    }

    private PutOutcome answer(String name, PutOutcome outcome) {
        if (happens(faults.errorAfter())) {
            if (outcome == PutOutcome.CREATED) {
                unreturned.add(name);
            }
            throw unavailable("put " + name + " (it happened)");
        }
        // An answer, whichever it is, promises that the object survives.
        unreturned.remove(name);
        if (outcome == PutOutcome.CREATED && happens(faults.lostPut())) {
            lied.add(name);
        }
        return outcome;
    }

    private void remember(String name) {
        recent.addLast(name);
        if (recent.size() > RECENT) {
            recent.removeFirst();
        }
    }

    @Override
    public synchronized byte[] get(String name, long offset, int length) {
        enter("get " + name);
        byte[] bytes = inner.get(name, offset, length);
        if (bytes.length > 0 && happens(faults.bitFlip())) {
            int at = random.nextInt(bytes.length);
            bytes[at] = (byte) (bytes[at] ^ 1 << random.nextInt(8));
        }
        return bytes;
    }

    @Override
    public synchronized Optional<Long> size(String name) {
        enter("size " + name);
        return inner.size(name);
    }

    @Override
    public synchronized ListPage list(String prefix, String after, int limit) {
        enter("list " + prefix);
        ListPage page = inner.list(prefix, after, limit);
        if (!happens(faults.staleList())) {
            return page;
        }
        List<StoredObject> known =
                page.objects().stream().filter(object -> !recent.contains(object.name())).toList();
        if (known.isEmpty() && !page.last()) {
            return page; // an empty page in the middle would be a protocol error, not staleness
        }
        return new ListPage(known, page.last(), page.next());
    }

    @Override
    public synchronized DeleteOutcome delete(String name) {
        boolean crash = begin("delete " + name);
        if (crash) {
            if (random.nextBoolean()) {
                DeleteOutcome _ = inner.delete(name);
            }
            throw crash("delete " + name);
        }
        if (happens(faults.refusedDelete())) {
            return DeleteOutcome.REFUSED;
        }
        DeleteOutcome outcome = inner.delete(name);
        if (happens(faults.errorAfter())) {
            throw unavailable("delete " + name + " (it happened)");
        }
        return outcome;
    }

    @Override
    public void close() {
        inner.close();
    }

    private void enter(String what) {
        if (begin(what)) {
            throw crash(what);
        }
    }

    /// Counts the call. Whether it is the one at which the process dies.
    private boolean begin(String what) {
        if (crashed) {
            throw crash(what);
        }
        calls++;
        if (calls >= crashAt) {
            return true;
        }
        if (happens(faults.errorBefore())) {
            throw unavailable(what);
        }
        return false;
    }

    private SimulatedCrash crash(String what) {
        crashed = true;
        return new SimulatedCrash("crashed at call " + calls + ": " + what);
    }

    private boolean happens(double probability) {
        return probability > 0 && random.nextDouble() < probability;
    }

    private static MainstayException unavailable(String what) {
        return new MainstayException(ErrorCode.STORE_UNAVAILABLE, "simulated: " + what);
    }
}
