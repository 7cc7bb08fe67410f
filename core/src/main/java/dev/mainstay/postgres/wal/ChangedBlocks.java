package dev.mainstay.postgres.wal;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// Which blocks a stretch of WAL changed, per relation fork. The free space map is left out,
/// because it is not derived from WAL; so must be the visibility map by whoever copies blocks,
/// although it is here. A database created or dropped in a tablespace has an entry with file number
/// 0 and limit 0: everything in that directory is new or gone.
public final class ChangedBlocks {
    /// A fork of a relation.
    public record Key(RelationFile file, Fork fork) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int byFile = file.compareTo(other.file);
            return byFile != 0 ? byFile : fork.compareTo(other.fork);
        }
    }

    private final NavigableMap<Key, BlockChanges> changes;

    ChangedBlocks(NavigableMap<Key, BlockChanges> changes) {
        this.changes = Collections.unmodifiableNavigableMap(changes);
    }

    /// In order of tablespace, database, file and fork.
    public NavigableMap<Key, BlockChanges> byFork() {
        return changes;
    }

    public Optional<BlockChanges> of(RelationFile file, Fork fork) {
        return Optional.ofNullable(changes.get(new Key(file, fork)));
    }

    /// Whether a database directory was created or dropped as a whole.
    public boolean isDirectoryReplaced(long tablespace, long database) {
        return changes.containsKey(new Key(new RelationFile(tablespace, database, 0), Fork.MAIN));
    }

    /// The changes of consecutive stretches, oldest first.
    public static ChangedBlocks merge(List<ChangedBlocks> stretches) {
        Merge merge = new Merge();
        stretches.forEach(merge::add);
        return merge.result();
    }

    /// Adds up consecutive stretches as they come.
    public static final class Merge {
        private final Builder builder = new Builder();

        /// @param next what follows everything that was added before
        public void add(ChangedBlocks next) {
            next.changes.forEach(
                    (key, change) -> {
                        if (change.rawLimit() >= 0) {
                            builder.limit(key.file(), key.fork(), change.rawLimit());
                        }
                        for (int block : change.sortedBlocks()) {
                            builder.add(key.file(), key.fork(), block);
                        }
                    });
        }

        public ChangedBlocks result() {
            return builder.build();
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ChangedBlocks that && changes.equals(that.changes);
    }

    @Override
    public int hashCode() {
        return changes.hashCode();
    }

    @Override
    public String toString() {
        return changes.toString();
    }

    /// Collects changes in the order of the log.
    static final class Builder {
        private static final RelationFile NOTHING = new RelationFile(0, 0, 0);

        private static final class Entry {
            long limit = -1;
            final BlockSet blocks = new BlockSet();
        }

        private final Map<Key, Entry> entries = new HashMap<>();
        private RelationFile lastFile = NOTHING;
        private Fork lastFork = Fork.FSM;
        private Entry last = new Entry();

        void addReferences(WalRecord record) {
            for (int i = 0; i < record.blockCount(); i++) {
                Fork fork = record.blockFork(i);
                if (fork == Fork.FSM) {
                    continue;
                }
                if (fork == lastFork && record.blockIsIn(i, lastFile)) {
                    last.blocks.add(record.rawBlock(i));
                } else {
                    add(record.blockFile(i), fork, record.rawBlock(i));
                }
            }
        }

        void add(RelationFile file, Fork fork, int block) {
            entry(file, fork).blocks.add(block);
        }

        /// From here on nothing of the fork before `limit` blocks was left.
        void limit(RelationFile file, Fork fork, long limit) {
            if (fork == Fork.FSM) {
                return;
            }
            Entry entry = entry(file, fork);
            entry.limit = entry.limit < 0 ? limit : Math.min(entry.limit, limit);
            entry.blocks.truncate(limit);
        }

        private Entry entry(RelationFile file, Fork fork) {
            if (fork != lastFork || !file.equals(lastFile)) {
                last = entries.computeIfAbsent(new Key(file, fork), _ -> new Entry());
                lastFile = file;
                lastFork = fork;
            }
            return last;
        }

        ChangedBlocks build() {
            NavigableMap<Key, BlockChanges> sorted = new TreeMap<>();
            entries.forEach(
                    (key, entry) ->
                            sorted.put(key, new BlockChanges(entry.limit, entry.blocks.sorted())));
            return new ChangedBlocks(sorted);
        }
    }
}
