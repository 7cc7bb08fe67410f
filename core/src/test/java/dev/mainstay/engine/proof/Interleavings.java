package dev.mainstay.engine.proof;

import dev.mainstay.storage.ObjectStore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Plays processes in every order of their calls that has no more changes of turn than a given
/// order of turns. Of orders that differ only by calls that do not see each other, one is played:
/// so each process must depend on nothing but what it reads in the store.
final class Interleavings {
    /// What happened when the turns had these numbers of calls.
    ///
    /// @param ends how many calls were made when a turn was over
    private record Played(List<Steps.Call> calls, List<Integer> ends) {}

    private final Supplier<ObjectStore> stores;
    private final List<Consumer<ObjectStore>> processes;
    private final int page;
    private final List<Integer> turns;

    /// Turns that end before their process does.
    private final List<Integer> free = new ArrayList<>();

    private final BiConsumer<ObjectStore, List<Steps.Call>> judge;
    private final Map<List<Integer>, Played> known = new HashMap<>();
    private int played;
    private int orders;

    /// @param stores the same for each time
    /// @param page as many names a listing tells at once
    /// @param turns numbers of processes; in its last turn each one goes on to its end
    Interleavings(
            Supplier<ObjectStore> stores,
            int page,
            List<Consumer<ObjectStore>> processes,
            List<Integer> turns,
            BiConsumer<ObjectStore, List<Steps.Call>> judge) {
        this.stores = stores;
        this.page = page;
        this.processes = processes;
        this.turns = turns;
        this.judge = judge;
        for (int turn = 0; turn < turns.size(); turn++) {
            if (turns.lastIndexOf(turns.get(turn)) > turn) {
                free.add(turn);
            }
        }
    }

    /// How many orders were played.
    int played() {
        return played;
    }

    /// How many there are.
    int orders() {
        return orders;
    }

    void playAll() {
        play(new ArrayList<>(java.util.Collections.nCopies(free.size(), 0)), 0);
    }

    private void play(List<Integer> counts, int at) {
        if (at == free.size()) {
            orders++;
            played(counts);
            return;
        }
        while (true) {
            for (int i = at + 1; i < counts.size(); i++) {
                counts.set(i, 0);
            }
            play(counts, at + 1);
            if (next(played(zeroAfter(counts, at)), at).isEmpty()) {
                return; // its process has ended by then
            }
            counts.set(at, counts.get(at) + 1);
        }
    }

    private static List<Integer> zeroAfter(List<Integer> counts, int at) {
        List<Integer> zero = new ArrayList<>(counts);
        for (int i = at + 1; i < zero.size(); i++) {
            zero.set(i, 0);
        }
        return zero;
    }

    /// The place of the first call after a turn of the process that had it.
    private Optional<Integer> next(Played played, int at) {
        int turn = free.get(at);
        for (int i = played.ends.get(turn); i < played.calls.size(); i++) {
            if (played.calls.get(i).process() == turns.get(turn)) {
                return Optional.of(i);
            }
        }
        return Optional.empty();
    }

    private Played played(List<Integer> counts) {
        Played there = known.get(counts);
        if (there == null) {
            there = same(counts).orElseGet(() -> play(counts));
            known.put(List.copyOf(counts), there);
        }
        return there;
    }

    /// What happened with a turn that was shorter by one call, if it would be the same.
    private Optional<Played> same(List<Integer> counts) {
        for (int at = 0; at < free.size(); at++) {
            if (counts.get(at) > 0) {
                List<Integer> fewer = new ArrayList<>(counts);
                fewer.set(at, counts.get(at) - 1);
                Played before = known.get(fewer);
                if (before != null) {
                    Optional<Played> same = moved(before, at);
                    if (same.isPresent()) {
                        return same;
                    }
                }
            }
        }
        return Optional.empty();
    }

    private Optional<Played> moved(Played before, int at) {
        int turn = free.get(at);
        if (free.stream()
                .anyMatch(later -> later > turn && turns.get(later).equals(turns.get(turn)))) {
            return Optional.empty(); // what it does then would be other calls
        }
        int end = before.ends.get(turn);
        Optional<Integer> next = next(before, at);
        if (next.isEmpty()) {
            return Optional.of(before);
        }
        Steps.Call call = before.calls.get(next.get());
        for (int i = end; i < next.get(); i++) {
            if (before.calls.get(i).conflictsWith(call)) {
                return Optional.empty();
            }
        }
        List<Steps.Call> calls = new ArrayList<>(before.calls);
        calls.remove((int) next.get());
        calls.add(end, call);
        List<Integer> ends = new ArrayList<>(before.ends);
        for (int i = turn; i < ends.size() && ends.get(i) <= next.get(); i++) {
            ends.set(i, ends.get(i) + 1);
        }
        return Optional.of(new Played(calls, ends));
    }

    private Played play(List<Integer> counts) {
        played++;
        ObjectStore store = stores.get();
        try (Steps steps = new Steps(store)) {
            List<Steps.Player> all = new ArrayList<>();
            processes.forEach(deed -> all.add(steps.add(page, deed)));
            List<Integer> ends = new ArrayList<>();
            for (int turn = 0; turn < turns.size(); turn++) {
                int at = free.indexOf(turn);
                all.get(turns.get(turn)).steps(at < 0 ? Integer.MAX_VALUE : counts.get(at));
                ends.add(steps.made().size());
            }
            judge.accept(store, steps.made());
            return new Played(steps.made(), ends);
        } catch (AssertionError | RuntimeException failed) {
            throw new AssertionError(
                    "turns " + turns + " of " + counts + ": " + failed.getMessage(), failed);
        }
    }
}
