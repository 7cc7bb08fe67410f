package dev.mainstay.repository;

import dev.mainstay.base.BackupId;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Collects what is lost of files, backup by backup; the first so many are kept.
final class LostFiles {
    private static final int KEPT = 10_000;

    private record Key(String path, BitSet blocks) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int order = path.compareTo(other.path);
            return order != 0 ? order : blocks.toString().compareTo(other.blocks.toString());
        }
    }

    private final String source;
    private final Map<Key, Set<BackupId>> files = new TreeMap<>();

    LostFiles(String source) {
        this.source = source;
    }

    void add(BackupId backup, String path, BitSet blocks) {
        Key key = new Key(path, blocks);
        if (files.size() < KEPT || files.containsKey(key)) {
            files.computeIfAbsent(key, _ -> new HashSet<>()).add(backup);
        }
    }

    List<LostFile> list() {
        List<LostFile> list = new ArrayList<>();
        files.forEach(
                (key, backups) -> list.add(new LostFile(source, key.path, key.blocks, backups)));
        return list;
    }
}
