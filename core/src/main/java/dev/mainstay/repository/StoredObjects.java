package dev.mainstay.repository;

import dev.mainstay.base.SystemId;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.StoredObject;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What a repository's store lists, by what it is.
public final class StoredObjects {
    private static final Set<String> OF_CLUSTERS = Set.of("wal", "parts", "summaries");

    private final Map<String, Amount> kinds = new TreeMap<>();
    private final Map<String, Amount> clusters = new HashMap<>();
    private final Map<PackId, Long> packs = new HashMap<>();

    private StoredObjects() {}

    /// Lists all of it.
    public static StoredObjects list(Repository repository) {
        StoredObjects objects = new StoredObjects();
        Listing.forEach(repository.store(), "", objects::add);
        return objects;
    }

    private void add(StoredObject object) {
        List<String> words = List.of(object.name().split("/", -1));
        String kind = words.getFirst();
        Amount one = new Amount(1, object.sizeBytes());
        if (kind.equals("packs") && words.size() > 1) {
            kind = "packs/" + words.get(1);
            Names.packOf(object.name()).ifPresent(pack -> packs.put(pack, object.sizeBytes()));
        } else if (OF_CLUSTERS.contains(kind) && words.size() > 1) {
            clusters.merge(words.get(1), one, Amount::plus);
        }
        kinds.merge(kind, one, Amount::plus);
    }

    /// By the first word of the names, and packs by their class: `packs/base`.
    public Map<String, Amount> kinds() {
        return Map.copyOf(kinds);
    }

    public Amount total() {
        return kinds.values().stream().reduce(Amount.NONE, Amount::plus);
    }

    /// A cluster's WAL, whole segments, parts and summaries.
    public Amount wal(SystemId system) {
        return clusters.getOrDefault(system.toString(), Amount.NONE);
    }

    /// Sizes of packs in bytes.
    public Map<PackId, Long> packs() {
        return packs;
    }
}
