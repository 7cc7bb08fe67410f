package dev.mainstay.repository;

import dev.mainstay.base.BackupId;

import java.util.BitSet;
import java.util.Set;

/// A file of which backups do not have everything any more.
///
/// @param blocks the pages that are gone, of a relation file; empty where it is no such file, or
///   nobody can tell which
/// @param backups that hold the file so
public record LostFile(String source, String path, BitSet blocks, Set<BackupId> backups) {
    public LostFile {
        blocks = (BitSet) blocks.clone();
        backups = Set.copyOf(backups);
    }

    /// `0-15, 32`; empty where no pages are known.
    public String pages() {
        return ranges(blocks);
    }

    static String ranges(BitSet blocks) {
        StringBuilder text = new StringBuilder();
        for (int from = blocks.nextSetBit(0); from >= 0; ) {
            int to = blocks.nextClearBit(from) - 1;
            text.append(text.isEmpty() ? "" : ", ").append(from);
            if (to > from) {
                text.append('-').append(to);
            }
            from = blocks.nextSetBit(to + 1);
        }
        return text.toString();
    }
}
