package dev.mainstay.repository;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A set of WAL segments of any number of sources, clusters and timelines.
public final class WalStretches {
    /// Digits of a segment's name.
    private static final int NAME = 24;

    /// @param sizeBytes of a segment
    private record Line(SourceId source, SystemId system, TimelineId timeline, int sizeBytes)
            implements Comparable<Line> {
        private static final Comparator<Line> ORDER =
                Comparator.comparing((Line line) -> line.source.hex())
                        .thenComparing(line -> line.system.toString())
                        .thenComparing(Line::timeline)
                        .thenComparingInt(Line::sizeBytes);

        @Override
        public int compareTo(Line other) {
            return ORDER.compare(this, other);
        }

        WalSegment segment(int number) {
            return new WalSegment(timeline, number, sizeBytes);
        }
    }

    private final Map<Line, BitSet> numbers;

    private WalStretches(Map<Line, BitSet> numbers) {
        this.numbers = numbers;
    }

    public static WalStretches none() {
        return new WalStretches(new TreeMap<>());
    }

    public static WalStretches of(Iterable<WalStretch> stretches) {
        WalStretches set = none();
        stretches.forEach(set::add);
        return set;
    }

    public void add(WalStretch stretch) {
        WalSegment first = stretch.first();
        line(stretch.source(), stretch.system(), first)
                .set(index(first.number()), index(stretch.last().number() + 1));
    }

    public void add(SourceId source, SystemId system, WalSegment segment) {
        line(source, system, segment).set(index(segment.number()));
    }

    private BitSet line(SourceId source, SystemId system, WalSegment segment) {
        return numbers.computeIfAbsent(
                new Line(source, system, segment.timeline(), segment.sizeBytes()),
                _ -> new BitSet());
    }

    private static int index(long number) {
        return Math.toIntExact(number);
    }

    public boolean isEmpty() {
        return numbers.values().stream().allMatch(BitSet::isEmpty);
    }

    /// How many segments.
    public long count() {
        return numbers.values().stream().mapToLong(BitSet::cardinality).sum();
    }

    /// Whether any byte of a segment of a cluster is in it, of whichever size its segments are.
    public boolean touches(SystemId system, WalSegment segment) {
        return touches(
                system, Optional.of(segment.timeline()), segment.start(), segment.end().plus(-1));
    }

    /// Whether any byte of a cluster's log is in it, of whichever timeline.
    ///
    /// @param to the last byte
    public boolean touches(SystemId system, Lsn from, Lsn to) {
        return touches(system, Optional.empty(), from, to);
    }

    /// Whether any byte of a timeline of a cluster's log behind this one is in it.
    boolean reach(SystemId system, TimelineId timeline, Lsn after) {
        return touches(system, Optional.of(timeline), after, Lsn.of(-1));
    }

    /// Whether the file of this name is a segment in it, or named after one.
    boolean namesFile(SystemId system, String file) {
        String name = file.substring(0, Math.min(file.length(), NAME));
        return WalSegment.isName(name)
                && numbers.keySet().stream()
                        .filter(line -> line.system.equals(system))
                        .anyMatch(line -> namesFile(line, name));
    }

    private boolean namesFile(Line line, String name) {
        try {
            WalSegment segment = WalSegment.parse(name, line.sizeBytes);
            return touches(line.system, segment);
        } catch (IllegalArgumentException ofAnotherSize) {
            return false;
        }
    }

    private boolean touches(SystemId system, Optional<TimelineId> timeline, Lsn from, Lsn to) {
        return numbers.entrySet().stream()
                .filter(each -> each.getKey().system.equals(system))
                .filter(each -> timeline.isEmpty() || timeline.get().equals(each.getKey().timeline))
                .anyMatch(
                        each -> {
                            int size = each.getKey().sizeBytes;
                            long first = Long.divideUnsigned(from.value(), size);
                            long last = Long.divideUnsigned(to.value(), size);
                            int next =
                                    first > Integer.MAX_VALUE
                                            ? -1
                                            : each.getValue().nextSetBit((int) first);
                            return next >= 0 && next <= last;
                        });
    }

    /// What is in both.
    public WalStretches and(WalStretches other) {
        return combined(other, BitSet::and);
    }

    /// What is in this and not in the other.
    public WalStretches without(WalStretches other) {
        return combined(other, BitSet::andNot);
    }

    private interface Combination {
        void apply(BitSet mine, BitSet others);
    }

    private WalStretches combined(WalStretches other, Combination how) {
        Map<Line, BitSet> result = new TreeMap<>();
        numbers.forEach(
                (line, mine) -> {
                    BitSet bits = (BitSet) mine.clone();
                    how.apply(bits, other.numbers.getOrDefault(line, new BitSet()));
                    if (!bits.isEmpty()) {
                        result.put(line, bits);
                    }
                });
        return new WalStretches(result);
    }

    void addAll(WalStretches other) {
        other.numbers.forEach(
                (line, bits) -> numbers.computeIfAbsent(line, _ -> new BitSet()).or(bits));
    }

    /// As few as can be, in order.
    public List<WalStretch> stretches() {
        List<WalStretch> stretches = new ArrayList<>();
        numbers.forEach(
                (line, bits) -> {
                    for (int from = bits.nextSetBit(0); from >= 0; ) {
                        int end = bits.nextClearBit(from);
                        stretches.add(
                                new WalStretch(
                                        line.source,
                                        line.system,
                                        line.segment(from),
                                        line.segment(end - 1)));
                        from = bits.nextSetBit(end);
                    }
                });
        return stretches;
    }

    /// By source.
    Map<SourceId, List<WalStretch>> bySource() {
        Map<SourceId, List<WalStretch>> sources = new HashMap<>();
        stretches()
                .forEach(
                        each ->
                                sources.computeIfAbsent(each.source(), _ -> new ArrayList<>())
                                        .add(each));
        return sources;
    }
}
