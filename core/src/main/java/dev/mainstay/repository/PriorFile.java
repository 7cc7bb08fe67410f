package dev.mainstay.repository;

import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.SegmentMap;

/// What the earlier backup knows of a relation segment file. Its fingerprints are eight bytes a
/// page, so they are read only for files of which anything may have changed.
///
/// @param fingerprints one for each page of the map; empty where they were not read
record PriorFile(ManifestEntry entry, SegmentMap map, long[] fingerprints) {
    private static final long[] UNREAD = new long[0];

    static PriorFile withoutFingerprints(ManifestEntry entry, SegmentMap map) {
        return new PriorFile(entry, map, UNREAD);
    }

    int pages() {
        return map.pageCount();
    }

    PriorFile with(long[] fingerprints) {
        return new PriorFile(entry, map, fingerprints);
    }
}
