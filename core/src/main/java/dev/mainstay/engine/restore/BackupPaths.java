package dev.mainstay.engine.restore;

import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;

import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.format.ManifestEntry;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Predicate;

/// Which files, directories and links a backup has below the data directory, in eight bytes each,
/// so that a backup of millions of files fits in little memory. Hashes have a seed of their own
/// each time: no name can be made up that is taken for another. Two names by accident: 1 in 2^64
/// each.
final class BackupPaths {
    /// What may stand at a path.
    enum Kind {
        FILE,
        DIRECTORY,
        TABLESPACE_LINK
    }

    private final Hasher64 hasher;
    private long[] hashes = new long[1024];
    private int count;

    /// @param seed random
    BackupPaths(long seed) {
        this.hasher = Hashing.xxh3_64(seed);
    }

    /// @param except what counts as absent
    static BackupPaths of(
            BackupReader reader, Places places, long seed, Predicate<ManifestEntry> except) {
        BackupPaths paths = new BackupPaths(seed);
        reader.entries(
                entry -> {
                    if (!except.test(entry)) {
                        paths.add(entry, places);
                    }
                });
        paths.add(Kind.DIRECTORY, "pg_tblspc");
        paths.sort();
        return paths;
    }

    private void add(ManifestEntry entry, Places places) {
        if (entry.path().startsWith("/")) {
            if (places.of(entry.path()).startsWith(places.directory())) {
                addWithParents(Places.nameInside(entry.path()));
            }
            return;
        }
        switch (entry.content()) {
            case ManifestEntry.Content.Directory _ -> add(Kind.DIRECTORY, entry.path());
            case ManifestEntry.Content.Link _ ->
                    add(
                            Places.tablespaceOid(entry.path()).isPresent()
                                    ? Kind.TABLESPACE_LINK
                                    : Kind.DIRECTORY,
                            entry.path());
            case ManifestEntry.Content.Paged _, ManifestEntry.Content.Chunked _ ->
                    add(Kind.FILE, entry.path());
        }
    }

    private void addWithParents(String path) {
        add(Kind.FILE, path);
        for (int slash = path.lastIndexOf('/');
                slash > 0;
                slash = path.lastIndexOf('/', slash - 1)) {
            add(Kind.DIRECTORY, path.substring(0, slash));
        }
    }

    void add(Kind kind, String path) {
        if (count == hashes.length) {
            hashes = Arrays.copyOf(hashes, count * 2);
        }
        hashes[count++] = hash(kind, path);
    }

    void sort() {
        Arrays.sort(hashes, 0, count);
    }

    boolean has(Kind kind, String path) {
        return Arrays.binarySearch(hashes, 0, count, hash(kind, path)) >= 0;
    }

    private long hash(Kind kind, String path) {
        byte[] bytes = (kind.name() + "/" + path).getBytes(StandardCharsets.UTF_8);
        return hasher.hashBytesToLong(bytes);
    }
}
