package dev.mainstay.repository;

import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The frames that one backup refers to, by pack: its manifest, its maps, its content, and what its
/// index piece offers to later ones.
final class BackupNeeds {
    /// Frames of one pack.
    record Needed(PackClass packClass, BitSet frames) {}

    private final Map<PackId, Needed> packs = new HashMap<>();

    private BackupNeeds() {}

    /// @throws MainstayException what cannot be read of it: then nobody can tell
    static BackupNeeds read(ProtectedSource source, CommittedBackup backup) {
        BackupNeeds needs = new BackupNeeds();
        List<BackupWalk.Unread> unread = new ArrayList<>();
        try (BackupWalk walk =
                new BackupWalk(
                        source, expected -> needs.add(expected.ref()), _ -> false, unread::add)) {
            walk.walk(backup, 0);
        }
        if (!unread.isEmpty()) {
            throw unread.getFirst().why();
        }
        String piece = Names.index(source.id()) + backup.id();
        if (source.vault().store.size(piece).isPresent()) {
            ChunkIndex.entries(source.vault(), piece, chunk -> needs.add(chunk.frame()));
        }
        return needs;
    }

    private void add(FrameRef ref) {
        packs.computeIfAbsent(ref.pack(), _ -> new Needed(ref.packClass(), new BitSet()))
                .frames
                .set(ref.number());
    }

    Map<PackId, Needed> packs() {
        return packs;
    }
}
