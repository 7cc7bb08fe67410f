package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Destroys the keys of one source, so that nobody can read what it stored. First it is put on
/// record, as `keys/shredded/SOURCE`: from then on the source counts as shredded, wherever this is
/// killed, and running it again deletes what is left.
final class Shredding {
    /// A rotation may add a key meanwhile.
    private static final int ROUNDS = 3;

    private final Repository repository;

    Shredding(Repository repository) {
        this.repository = repository;
    }

    /// @throws MainstayException SOURCE_UNKNOWN, SHRED_HELD, KEY_SHRED_UNFINISHED if the store
    ///   keeps a key
    ShreddedSource run(String name, String reason) {
        ShreddedSource gone = decided(name).orElseGet(() -> decide(name, reason));
        String prefix = Names.sourceKeys(gone.id());
        for (int round = 0; round < ROUNDS; round++) {
            List<StoredObject> keys = Listing.all(repository.store(), prefix);
            if (keys.isEmpty()) {
                return gone;
            }
            for (StoredObject key : keys) {
                if (repository.store().delete(key.name()) == DeleteOutcome.REFUSED) {
                    throw unfinished(key.name());
                }
            }
        }
        throw unfinished(prefix);
    }

    /// Whether this is a key of a source that was shredded in a store, and so must not come back.
    static boolean isDone(ObjectStore store, String name) {
        if (!name.startsWith(Names.SOURCE_KEYS)) {
            return false;
        }
        String source = name.substring(Names.SOURCE_KEYS.length(), name.lastIndexOf('/'));
        return store.size(Names.SHREDDED + source).isPresent();
    }

    private static MainstayException unfinished(String key) {
        return new MainstayException(
                ErrorCode.KEY_SHRED_UNFINISHED,
                "the store keeps " + key + ", so what it seals can still be read");
    }

    private Optional<ShreddedSource> decided(String name) {
        return SourceKeys.read(repository, (_, _) -> {}).shredded().stream()
                .filter(gone -> gone.name().equals(name))
                .findFirst();
    }

    private ShreddedSource decide(String name, String reason) {
        ProtectedSource source = source(name);
        Map<?, Hold> holds = source.records().holds();
        if (!holds.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.SHRED_HELD,
                    "backups of source '"
                            + name
                            + "' are held: "
                            + String.join(
                                    ", ", holds.keySet().stream().map(Object::toString).toList()));
        }
        Vault vault = repository.rootVault();
        ShreddedSource gone =
                new ShreddedSource(
                        source.id(), name, repository.ground().clock().instant(), reason);
        String tombstone = Names.shredded(source.id());
        vault.put(tombstone, vault.sealJson(ObjectType.SOURCE_KEY, gone.toJson()));
        return ShreddedSource.read(
                tombstone, vault.openJson(tombstone, ObjectType.SOURCE_KEY, vault.get(tombstone)));
    }

    private ProtectedSource source(String name) {
        Map<String, MainstayException> damaged = new HashMap<>();
        return repository.sources(damaged::put).stream()
                .filter(source -> source.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.SOURCE_UNKNOWN,
                                        "the repository holds nothing of source '"
                                                + name
                                                + "'"
                                                + (damaged.isEmpty()
                                                        ? ""
                                                        : ", but for what cannot be read: "
                                                                + String.join(
                                                                        ", ", damaged.keySet()))));
    }
}
