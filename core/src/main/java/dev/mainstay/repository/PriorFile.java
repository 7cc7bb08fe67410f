package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.SegmentMap;

import java.util.Optional;

/// What an earlier backup, or one that was begun, knows of a relation segment file. Its
/// fingerprints are eight bytes a page, so they are read only for files of which anything may have
/// changed.
///
/// @param backup which one
/// @param entry of its manifest; empty if it has none, since it was never finished
/// @param fingerprints one for each page of the map; empty where they were not read
record PriorFile(
        BackupId backup,
        String path,
        Optional<ManifestEntry> entry,
        SegmentMap map,
        long[] fingerprints) {
    private static final long[] UNREAD = new long[0];

    static PriorFile withoutFingerprints(BackupId backup, ManifestEntry entry, SegmentMap map) {
        return new PriorFile(backup, entry.path(), Optional.of(entry), map, UNREAD);
    }

    int pages() {
        return map.pageCount();
    }

    PriorFile with(long[] fingerprints) {
        return new PriorFile(backup, path, entry, map, fingerprints);
    }
}
