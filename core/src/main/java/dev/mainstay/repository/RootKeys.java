package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.crypto.CredentialKeys;
import dev.mainstay.repository.crypto.RootKeyPlace;
import dev.mainstay.repository.crypto.WrappedKey;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.KeyScope;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.StoredObject;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// The root keys of a repository that one credential opens. Thread-safe.
///
/// An epoch after the first counts once it was begun by its `keys/epoch/` object, which is sealed
/// with the root key of the one before and vouches for its key: so nobody who can merely write to
/// the store can slip in a root key of his own.
final class RootKeys implements Keyring {
    private final Vault plain;
    private final String repository;
    private final Optional<CredentialKeys> keys;
    private final String without;
    private Map<Integer, byte[]> opened = Map.of();
    private Set<String> own = Set.of();
    private Set<Integer> closed = Set.of();

    private RootKeys(
            Vault plain, String repository, Optional<CredentialKeys> keys, String without) {
        this.plain = plain;
        this.repository = repository;
        this.keys = keys;
        this.without = without;
    }

    /// Of a repository without encryption.
    static RootKeys none(Vault plain, String repository) {
        return new RootKeys(plain, repository, Optional.empty(), "");
    }

    /// @throws MainstayException KEY_WRONG, KEY_OBJECT_DAMAGED or KEY_SERVICE if no epoch opens
    static RootKeys unlock(Vault plain, String repository, CredentialKeys keys) {
        return unlock(plain, repository, keys, "");
    }

    /// As if one recipient were not there.
    static RootKeys unlock(Vault plain, String repository, CredentialKeys keys, String without) {
        RootKeys unlocked = new RootKeys(plain, repository, Optional.of(keys), without);
        Opening opening = unlocked.look();
        if (unlocked.opened.isEmpty()) {
            throw opening.failure();
        }
        return unlocked;
    }

    RootKeyPlace place(int epoch) {
        return new RootKeyPlace(repository, epoch);
    }

    CredentialKeys credential() {
        return keys.orElseThrow();
    }

    /// Reads what is there now.
    synchronized Opening look() {
        Opening opening = new Opening();
        opening.run();
        opened = opening.accepted;
        own = opening.own;
        closed = opening.closed;
        return opening;
    }

    @Override
    public boolean seals() {
        return keys.isPresent();
    }

    @Override
    public KeyScope newest() {
        if (!seals()) {
            return KeyScope.none();
        }
        demandNewest();
        return KeyScope.root(newestEpoch());
    }

    /// Demands that no rotation left this credential out, for who wants to write.
    ///
    /// @throws MainstayException KEY_SUPERSEDED
    synchronized void demandNewest() {
        int newest = newestEpoch();
        closed.stream()
                .filter(epoch -> epoch > newest)
                .findFirst()
                .ifPresent(
                        epoch -> {
                            throw new MainstayException(
                                    ErrorCode.KEY_SUPERSEDED,
                                    credential().credential()
                                            + " does not open epoch "
                                            + epoch
                                            + " of the root key, so it writes nothing");
                        });
    }

    @Override
    public Optional<byte[]> key(KeyScope scope) {
        return scope.source().isPresent() ? Optional.empty() : key(scope.epoch());
    }

    /// The root key of an epoch; one that began since the last look is looked for.
    synchronized Optional<byte[]> key(int epoch) {
        if (seals() && epoch > 0 && !opened.containsKey(epoch) && !closed.contains(epoch)) {
            look();
        }
        return Optional.ofNullable(opened.get(epoch));
    }

    synchronized int newestEpoch() {
        return opened.keySet().stream().max(Integer::compare).orElse(0);
    }

    /// Epochs that this credential opens.
    synchronized Set<Integer> epochs() {
        return new TreeSet<>(opened.keySet());
    }

    /// Epochs that began and that this credential does not open.
    synchronized Set<Integer> closedEpochs() {
        return closed;
    }

    /// Ids of the recipients that this credential is.
    synchronized Set<String> own() {
        return own;
    }

    /// The key of the first epoch, from which ids of sources are derived.
    ///
    /// @throws MainstayException KEY_OBJECT_DAMAGED
    byte[] first() {
        return key(1).orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.KEY_OBJECT_DAMAGED,
                                        "the root key of the first epoch cannot be opened"));
    }

    /// What a new epoch's object says of its key.
    static byte[] check(byte[] rootKey, RootKeyPlace place) {
        byte[] salt = place.repository().getBytes(StandardCharsets.US_ASCII);
        return ObjectSeal.hkdf(rootKey, salt, "mainstay/1 root check " + place.epoch(), 32);
    }

    /// An attempt to open every epoch.
    final class Opening {
        private final Map<Integer, byte[]> candidates = new TreeMap<>();
        private final Map<Integer, byte[]> accepted = new TreeMap<>();
        private final Set<String> own = new HashSet<>();
        private final Set<Integer> closed = new TreeSet<>();
        private final List<MainstayException> broken = new ArrayList<>();
        private int tried;

        private void run() {
            List<StoredObject> objects = new ArrayList<>();
            Listing.forEach(
                    plain.store,
                    Names.ROOT_KEYS,
                    object -> {
                        if (!Names.recipientOf(object.name()).equals(without)) {
                            objects.add(object);
                        }
                    });
            for (StoredObject object : objects) {
                attempt(object.name());
            }
            Set<Integer> epochs = new TreeSet<>();
            objects.forEach(object -> Names.epochOf(object.name()).ifPresent(epochs::add));
            epochs.forEach(this::accept);
        }

        private void attempt(String name) {
            tried++;
            try {
                int epoch = Names.epochOf(name).orElseThrow(() -> noEpoch(name));
                byte[] before = opened.get(epoch);
                if (before != null && own(name)) {
                    candidates.put(epoch, before);
                    own.add(Names.recipientOf(name));
                } else if (!candidates.containsKey(epoch)) {
                    unwrap(name, epoch)
                            .ifPresent(
                                    key -> {
                                        candidates.put(epoch, key);
                                        own.add(Names.recipientOf(name));
                                    });
                }
            } catch (MainstayException wrong) {
                if (wrong.code() == ErrorCode.STORE_UNAVAILABLE
                        || wrong.code() == ErrorCode.INTERRUPTED) {
                    throw wrong;
                }
                broken.add(wrong); // another recipient's object may still serve
            }
        }

        private boolean own(String name) {
            return RootKeys.this.own.contains(Names.recipientOf(name));
        }

        private Optional<byte[]> unwrap(String name, int epoch) {
            Json body = read(plain, name);
            boolean forged = epoch == 1 && WrappedKey.isSealed(body); // nobody vouches for it
            return body.string("repository").equals(repository) && !forged
                    ? WrappedKey.unwrap(body, credential(), place(epoch))
                    : Optional.empty();
        }

        /// A first root key counts if the recipient's own secret opens it. Any later one has to be
        /// the one that the epoch before vouches for.
        private void accept(int epoch) {
            byte[] key = candidates.get(epoch);
            if (epoch == 1) {
                if (key == null) {
                    closed.add(1);
                } else {
                    accepted.put(1, key);
                }
                return;
            }
            try {
                Optional<Json> begun = begun(epoch);
                if (begun.isEmpty()) {
                    return; // a rotation that was not finished, or not yet
                }
                byte[] check = HexFormat.of().parseHex(begun.get().string("check"));
                if (key != null && MessageDigest.isEqual(check, check(key, place(epoch)))) {
                    accepted.put(epoch, key);
                } else {
                    closed.add(epoch);
                }
            } catch (IllegalArgumentException malformed) {
                broken.add(
                        new MainstayException(
                                ErrorCode.KEY_OBJECT_DAMAGED,
                                "object " + Names.epoch(epoch) + " is malformed",
                                malformed));
            } catch (MainstayException wrong) {
                if (wrong.code() == ErrorCode.STORE_UNAVAILABLE
                        || wrong.code() == ErrorCode.INTERRUPTED) {
                    throw wrong;
                }
                broken.add(wrong);
            }
        }

        private Optional<Json> begun(int epoch) {
            String name = Names.epoch(epoch);
            Vault vault = new Vault(plain.store, plain.ground, new Accepted());
            Optional<byte[]> object = vault.find(name);
            if (object.isEmpty()) {
                return Optional.empty();
            }
            byte[] bytes = object.get();
            int before = ObjectHeader.read(name, ObjectType.ROOT_KEY, bytes).scope().epoch();
            if (closed.contains(before)) {
                return Optional.of(Json.object().put("check", "")); // after one that is closed
            }
            Json body = vault.openJson(name, ObjectType.ROOT_KEY, bytes);
            if (body.number("epoch") != epoch) {
                throw new MainstayException(
                        ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " is another epoch's");
            }
            return Optional.of(body);
        }

        /// Those that are proved so far.
        private final class Accepted implements Keyring {
            @Override
            public boolean seals() {
                return true;
            }

            @Override
            public KeyScope newest() {
                throw new IllegalStateException("only reads");
            }

            @Override
            public Optional<byte[]> key(KeyScope scope) {
                return scope.source().isPresent()
                        ? Optional.empty()
                        : Optional.ofNullable(accepted.get(scope.epoch()));
            }
        }

        /// Damage that may hide a recipient's object.
        List<MainstayException> broken() {
            return List.copyOf(broken);
        }

        private MainstayException failure() {
            for (MainstayException each : broken) {
                if (each.code() == ErrorCode.KEY_SERVICE) {
                    return each;
                }
            }
            if (!broken.isEmpty()) {
                MainstayException last = broken.getLast();
                return new MainstayException(
                        ErrorCode.KEY_OBJECT_DAMAGED,
                        "no wrapped root key can be opened: " + last.getMessage(),
                        last);
            }
            return new MainstayException(
                    ErrorCode.KEY_WRONG,
                    credential().credential()
                            + " does not open the repository "
                            + plain.store.facts().url()
                            + " (wrapped root keys tried: "
                            + tried
                            + ")");
        }
    }

    private static MainstayException noEpoch(String name) {
        return new MainstayException(
                ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " has no epoch");
    }

    /// A wrapped root key, as it is stored.
    static Json read(Vault plain, String name) {
        return plain.openJson(name, ObjectType.ROOT_KEY, plain.get(name));
    }
}
