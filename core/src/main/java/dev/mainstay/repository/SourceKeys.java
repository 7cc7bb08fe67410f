package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/// The keys of sources as they are stored: each sealed with a root key, and in place of those that
/// were destroyed, what says so.
final class SourceKeys {
    /// What `keys/shredded/` and `keys/source/` begin with: one listing tells both.
    private static final String PREFIX = "keys/s";

    /// A source's keys.
    ///
    /// @param name that of the highest epoch that opens
    /// @param keys by epoch
    /// @param closed epochs whose root key this repository's credential does not open
    /// @param rootEpochs that seal each key
    record Found(
            SourceId id,
            String name,
            Map<Integer, byte[]> keys,
            Set<Integer> closed,
            Map<Integer, Integer> rootEpochs) {}

    private final Repository repository;
    private final BiConsumer<String, MainstayException> damaged;
    private final Map<SourceId, TreeMap<Integer, Json>> bodies = new TreeMap<>();
    private final Map<SourceId, Map<Integer, Integer>> rootEpochs = new TreeMap<>();
    private final Map<SourceId, Set<Integer>> closed = new TreeMap<>();
    private final Map<SourceId, ShreddedSource> shredded = new TreeMap<>();
    private final List<String> doomed = new ArrayList<>();

    private SourceKeys(Repository repository, BiConsumer<String, MainstayException> damaged) {
        this.repository = repository;
        this.damaged = damaged;
    }

    /// @param damaged is told of every object that cannot be read, and of why
    /// @throws MainstayException if the store cannot be asked: that is no damage
    static SourceKeys read(Repository repository, BiConsumer<String, MainstayException> damaged) {
        SourceKeys keys = new SourceKeys(repository, damaged);
        Listing.forEach(repository.store(), PREFIX, object -> keys.read(object));
        return keys;
    }

    /// One source's.
    ///
    /// @throws MainstayException SOURCE_SHREDDED, or KEY_OBJECT_DAMAGED if a key is gone
    static Found of(Repository repository, SourceId id) {
        SourceKeys keys =
                new SourceKeys(
                        repository,
                        (_, why) -> {
                            throw why;
                        });
        String tombstone = Names.shredded(id);
        repository.store().size(tombstone).ifPresent(_ -> keys.shredded(tombstone, id));
        ShreddedSource gone = keys.shredded.get(id);
        if (gone != null) {
            throw gone.refusal();
        }
        Listing.forEach(repository.store(), Names.sourceKeys(id), object -> keys.read(object));
        return keys.found().stream()
                .findFirst()
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.KEY_OBJECT_DAMAGED,
                                        "the keys of source " + id + " vanished"));
    }

    private void read(StoredObject object) {
        String name = object.name();
        try {
            SourceId source = sourceOf(name);
            if (name.startsWith(Names.SHREDDED)) {
                if (repository.encrypted()) { // else there is nothing to destroy, and it is forged
                    shredded(name, source);
                }
            } else if (name.startsWith(Names.SOURCE_KEYS)) {
                if (shredded.containsKey(source)) { // they are listed first
                    doomed.add(name);
                } else {
                    key(name, source);
                }
            }
        } catch (MainstayException broken) {
            KeptObjects.demandDamage(broken);
            if (broken.code() != ErrorCode.STORE_OBJECT_MISSING
                    || repository.store().size(name).isPresent()) { // else shredded meanwhile
                damaged.accept(name, broken);
            }
        } catch (IllegalArgumentException malformed) {
            damaged.accept(
                    name,
                    new MainstayException(
                            ErrorCode.KEY_OBJECT_DAMAGED,
                            "object " + name + " is malformed",
                            malformed));
        }
    }

    private static SourceId sourceOf(String name) {
        try {
            return SourceId.parse(name.split("/", -1)[2]);
        } catch (IllegalArgumentException | IndexOutOfBoundsException wrong) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " names no source", wrong);
        }
    }

    private void shredded(String name, SourceId source) {
        Vault vault = repository.rootVault();
        byte[] bytes = vault.get(name);
        shredded.put(
                source,
                ShreddedSource.read(name, vault.openJson(name, ObjectType.SOURCE_KEY, bytes)));
    }

    private void key(String name, SourceId source) {
        Vault vault = repository.rootVault();
        byte[] bytes = vault.get(name);
        ObjectHeader header = ObjectHeader.read(name, ObjectType.SOURCE_KEY, bytes);
        if (isClosed(header)) {
            closed.computeIfAbsent(source, _ -> new TreeSet<>())
                    .add(Names.epochOf(name).orElse(Integer.MAX_VALUE));
            return;
        }
        Json body = vault.openJson(name, ObjectType.SOURCE_KEY, bytes);
        if (!body.string("source").equals(source.hex())
                || HexFormat.of().parseHex(body.string("key")).length != 32
                || body.string("name").isEmpty()) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " belongs to another source");
        }
        int epoch = (int) body.number("epoch");
        bodies.computeIfAbsent(source, _ -> new TreeMap<>()).put(epoch, body);
        rootEpochs.computeIfAbsent(source, _ -> new TreeMap<>()).put(epoch, header.scope().epoch());
    }

    /// Whether its root key is of an epoch that began and that is not ours; others are damage.
    private boolean isClosed(ObjectHeader header) {
        return header.sealed()
                && header.scope().source().isEmpty()
                && repository.rootKeys().key(header.scope().epoch()).isEmpty()
                && repository.rootKeys().closedEpochs().contains(header.scope().epoch());
    }

    /// Sources with a key that opens, in the order of ids.
    List<Found> found() {
        List<Found> found = new ArrayList<>();
        bodies.forEach(
                (source, epochs) -> {
                    Map<Integer, byte[]> keys = new LinkedHashMap<>();
                    epochs.forEach(
                            (epoch, body) ->
                                    keys.put(epoch, HexFormat.of().parseHex(body.string("key"))));
                    found.add(
                            new Found(
                                    source,
                                    epochs.lastEntry().getValue().string("name"),
                                    keys,
                                    closed.getOrDefault(source, Set.of()),
                                    rootEpochs.getOrDefault(source, Map.of())));
                });
        return found;
    }

    /// Sources that were shredded, in the order of ids.
    List<ShreddedSource> shredded() {
        return List.copyOf(shredded.values());
    }

    /// Keys of shredded sources that are there all the same: shredding was stopped, or the store
    /// refused.
    List<String> doomed() {
        return List.copyOf(doomed);
    }

    Optional<ShreddedSource> shredded(SourceId source) {
        return Optional.ofNullable(shredded.get(source));
    }
}
