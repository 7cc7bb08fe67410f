package dev.mainstay.engine.proof;

import java.util.Map;
import java.util.TreeMap;

/// What happened in a simulation: how often, and a digest of every call in its order.
final class SimulationTrace {
    private final Map<String, Long> counts = new TreeMap<>();
    private long digest = 1;

    void call(String what, String name) {
        count("calls");
        digest = digest * 31 + (what + name).hashCode();
    }

    void fault() {
        count("faults");
    }

    void count(String what) {
        count(what, 1);
    }

    void count(String what, long times) {
        counts.merge(what, times, Long::sum);
    }

    long of(String what) {
        return counts.getOrDefault(what, 0L);
    }

    long digest() {
        return digest;
    }

    @Override
    public String toString() {
        return counts.toString();
    }
}
