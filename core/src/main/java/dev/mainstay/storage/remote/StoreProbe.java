package dev.mainstay.storage.remote;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.random.RandomGenerator;

/// Finds out, before a repository is made in it, whether a store does what repositories rely on: of
/// several racing puts of one name exactly one wins, a later one changes nothing, and a listing
/// shows what was put, in the order of names. Documentation and version numbers say little: servers
/// are known that ignore the condition, that heed it only without versioning, or that test it
/// before they lock.
///
/// It puts a few objects `probe/RANDOM`, which no version of the format knows, and deletes them.
/// Where deleting is refused they stay, and `verify` reports them as what they are.
public final class StoreProbe {
    private static final String FOLDER = "probe/";
    private static final int ROUNDS = 3;
    private static final int RACERS = 4;

    private final ObjectStore store;

    private StoreProbe(ObjectStore store) {
        this.store = store;
    }

    /// @param store one that tries again what failed
    /// @param random names the objects that are put
    /// @throws MainstayException STORE_INCAPABLE
    public static void demand(ObjectStore store, RandomGenerator random) {
        StoreProbe probe = new StoreProbe(store);
        byte[] id = new byte[12];
        for (int round = 0; round < ROUNDS; round++) {
            random.nextBytes(id);
            probe.round(FOLDER + HexFormat.of().formatHex(id));
        }
        random.nextBytes(id);
        probe.demandOrder(FOLDER + HexFormat.of().formatHex(id));
    }

    private void round(String name) {
        try {
            race(name);
            demandListed(name);
        } finally {
            store.delete(name);
        }
    }

    private void race(String name) {
        List<PutOutcome> outcomes = outcomes(name);
        long winners = outcomes.stream().filter(each -> each == PutOutcome.CREATED).count();
        if (winners != 1) {
            throw incapable(
                    winners
                            + " of "
                            + RACERS
                            + " puts of one name at the same time succeeded, and one should: it"
                            + " ignores the condition of puts (If-None-Match: *)");
        }
        byte[] kept = content(outcomes.indexOf(PutOutcome.CREATED));
        if (store.put(name, ByteBuffer.wrap(content(RACERS))) != PutOutcome.EXISTED) {
            throw incapable(
                    "a second put of a name succeeded: it ignores the condition of puts"
                            + " (If-None-Match: *)");
        }
        if (!ByteBuffer.wrap(kept).equals(ByteBuffer.wrap(store.get(name, 0, kept.length)))) {
            throw incapable("it keeps another object than the one whose put succeeded");
        }
    }

    /// All of one length, and different: who won must be told apart.
    private static byte[] content(int racer) {
        return ("Mainstay asks what this store can do; racer " + racer + "\n").getBytes(US_ASCII);
    }

    private List<PutOutcome> outcomes(String name) {
        CyclicBarrier start = new CyclicBarrier(RACERS);
        try (ExecutorService racers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<PutOutcome>> running = new ArrayList<>();
            for (int racer = 0; racer < RACERS; racer++) {
                ByteBuffer content = ByteBuffer.wrap(content(racer));
                running.add(
                        racers.submit(
                                () -> {
                                    start.await();
                                    return store.put(name, content);
                                }));
            }
            List<PutOutcome> outcomes = new ArrayList<>();
            for (Future<PutOutcome> each : running) {
                outcomes.add(each.get());
            }
            return outcomes;
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof MainstayException known) {
                throw known;
            }
            throw new IllegalStateException(failed);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "interrupted while a store was probed", stopped);
        }
    }

    private void demandListed(String name) {
        boolean listed =
                store.list(name, "", 2).objects().stream()
                        .anyMatch(object -> object.name().equals(name));
        if (!listed) {
            throw incapable("a listing does not show an object that was just put");
        }
    }

    /// Stores that keep real folders (Azure with a hierarchical namespace) list what is in one
    /// before whatever begins with its name.
    private void demandOrder(String name) {
        List<String> ordered = List.of(name + "-x", name + "/x", name + "x");
        try {
            for (String each : ordered.reversed()) {
                store.put(each, ByteBuffer.wrap(content(0)));
            }
            List<String> listed =
                    store.list(name, "", 2 * ordered.size()).objects().stream()
                            .map(StoredObject::name)
                            .toList();
            if (!listed.equals(ordered)) {
                throw incapable(
                        "it lists not just objects, in the order of their names: "
                                + listed
                                + " instead of "
                                + ordered);
            }
        } finally {
            ordered.forEach(store::delete);
        }
    }

    private MainstayException incapable(String what) {
        return new MainstayException(
                ErrorCode.STORE_INCAPABLE,
                "the store " + store.facts().url() + " is unfit for a repository: " + what);
    }
}
