package dev.mainstay.repository;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.storage.ObjectStore;

import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Which objects of the log a copy is to have that does not hold everything: history files, and
/// what belongs to a segment that is wanted.
final class CopiedWal {
    private static final int NAME = 24;

    private final Map<SystemId, CopySubset.Log> logs;

    private CopiedWal(Map<SystemId, CopySubset.Log> logs) {
        this.logs = logs;
    }

    /// What two sources call theirs is copied as a whole.
    static CopiedWal of(List<CopySubset.Chosen> chosen) {
        Map<SystemId, CopySubset.Log> logs = new HashMap<>();
        Set<SystemId> shared = new HashSet<>();
        for (CopySubset.Chosen each : chosen) {
            each.wal()
                    .forEach(
                            (system, log) -> {
                                if (logs.put(system, log) != null) {
                                    shared.add(system);
                                }
                            });
        }
        logs.keySet().removeAll(shared);
        return new CopiedWal(logs);
    }

    /// @param name of an object below `wal/`, `parts/` or `summaries/`
    boolean wants(String name) {
        String[] words = name.split("/", -1);
        Optional<CopySubset.Log> log = words.length < 4 ? Optional.empty() : log(words[1]);
        return log.isEmpty()
                || segment(words[3], log.get().segmentBytes())
                        .map(log.get().wanted()::test)
                        .orElse(true);
    }

    private Optional<CopySubset.Log> log(String system) {
        try {
            return Optional.ofNullable(logs.get(SystemId.parse(system)));
        } catch (IllegalArgumentException foreign) {
            return Optional.empty();
        }
    }

    /// The segment that a file is, or that it is named after.
    private static Optional<WalSegment> segment(String file, int segmentBytes) {
        String name = file.substring(0, Math.min(file.length(), NAME));
        try {
            return WalSegment.isName(name)
                    ? Optional.of(WalSegment.parse(name, segmentBytes))
                    : Optional.empty();
        } catch (IllegalArgumentException ofAnotherSize) {
            return Optional.empty();
        }
    }

    /// Segments of the repository that the copy does not have and will not be given.
    WalStretches passed(ProtectedSource source, CopySubset.Chosen chosen, ObjectStore to) {
        WalStretches passed = WalStretches.none();
        chosen.wal()
                .forEach(
                        (system, log) -> {
                            if (!logs.containsKey(system)) {
                                return;
                            }
                            String prefix = Names.wal(system);
                            ListingCursor there = new ListingCursor(to, prefix);
                            Listing.forEach(
                                    source.repository().store(),
                                    prefix,
                                    object -> {
                                        String file =
                                                object.name()
                                                        .substring(
                                                                object.name().lastIndexOf('/') + 1);
                                        segment(file, log.segmentBytes())
                                                .filter(log.passed())
                                                .filter(_ -> there.at(object.name()) == null)
                                                .ifPresent(
                                                        each ->
                                                                passed.add(
                                                                        source.id(), system, each));
                                    });
                        });
        return passed;
    }

    static boolean touches(WalStretches claimed, CopySubset.Span span) {
        long size = span.segmentBytes();
        return claimed.touches(
                span.system(), Lsn.of(span.first() * size), Lsn.of((span.last() + 1) * size - 1));
    }

    /// Whole segments that a store has, of whichever timeline.
    static final class Stored {
        private final ObjectStore store;
        private final Map<SystemId, BitSet> numbers = new HashMap<>();

        Stored(ObjectStore store) {
            this.store = store;
        }

        boolean has(CopySubset.Span span) {
            BitSet there =
                    numbers.computeIfAbsent(
                            span.system(), system -> read(system, span.segmentBytes()));
            return there.nextClearBit(Math.toIntExact(span.first())) > span.last();
        }

        private BitSet read(SystemId system, int segmentBytes) {
            BitSet there = new BitSet();
            Listing.forEach(
                    store,
                    Names.wal(system),
                    object -> {
                        String file = object.name().substring(object.name().lastIndexOf('/') + 1);
                        if (file.length() == NAME) {
                            segment(file, segmentBytes)
                                    .ifPresent(each -> there.set(Math.toIntExact(each.number())));
                        }
                    });
            return there;
        }
    }
}
