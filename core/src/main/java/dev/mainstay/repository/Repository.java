package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.crypto.WrappedKey;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.KeyScope;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/// A repository: everything that is kept, in one object store, in format 1 (docs/format.md).
///
/// Nothing in it is ever overwritten. A repository may be open in any number of processes on any
/// number of hosts at once. What is newest is found by listing. Thread-safe.
public final class Repository implements AutoCloseable {
    private final ObjectStore store;
    private final Ground ground;
    private final String id;
    private final boolean encrypted;
    private final Map<Integer, byte[]> rootKeys;
    private final int newestEpoch;
    private final Map<SourceId, ProtectedSource> open = new HashMap<>();

    private Repository(
            ObjectStore store, Ground ground, Json format, Map<Integer, byte[]> rootKeys) {
        this.store = store;
        this.ground = ground;
        this.id = format.string("repository");
        this.encrypted = !format.string("encryption").equals("none");
        this.rootKeys = rootKeys;
        this.newestEpoch = rootKeys.keySet().stream().max(Integer::compare).orElse(0);
    }

    /// Makes a repository in an empty store.
    ///
    /// @param credential the first recipient; empty to write everything unsealed
    /// @throws MainstayException REPOSITORY_EXISTS if there is one, REPOSITORY_FOREIGN if the store
    ///   holds something else
    public static Repository create(
            ObjectStore store, Optional<Credential> credential, Ground ground) {
        demandNone(store);
        Json format =
                Json.object()
                        .put("repository", HexFormat.of().formatHex(ground.randomBytes(16)))
                        .put("encryption", credential.isPresent() ? "aes-256-gcm" : "none")
                        .put("created", ground.clock().instant().toString());
        Map<Integer, byte[]> rootKeys = new LinkedHashMap<>();
        Vault plain = plainVault(store, ground);
        if (credential.isPresent()) {
            byte[] root = ground.randomBytes(32);
            rootKeys.put(1, root);
            Json wrapped =
                    WrappedKey.wrap(
                            root,
                            credential.get(),
                            binding(format.string("repository"), 1),
                            ground.random());
            wrapped.put("repository", format.string("repository"));
            String recipient =
                    WrappedKey.recipientId(HexFormat.of().parseHex(wrapped.string("salt")));
            plain.put(Names.rootKey(1, recipient), plain.sealJson(ObjectType.ROOT_KEY, wrapped));
        }
        if (plain.put(Names.FORMAT, plain.sealJson(ObjectType.FORMAT, format))
                == PutOutcome.EXISTED) {
            throw exists(store);
        }
        return new Repository(store, ground, format, rootKeys);
    }

    /// Demands a store in which a repository can be made.
    ///
    /// @throws MainstayException REPOSITORY_EXISTS, REPOSITORY_FOREIGN
    public static void demandNone(ObjectStore store) {
        if (store.size(Names.FORMAT).isPresent()) {
            throw exists(store);
        }
        store.list("", "", 1).objects().stream()
                .findFirst()
                .filter(other -> !other.name().startsWith(Names.ROOT_KEYS))
                .ifPresent(
                        other -> {
                            throw new MainstayException(
                                    ErrorCode.REPOSITORY_FOREIGN,
                                    store.facts().url()
                                            + " is not empty and holds no repository (first: "
                                            + other.name()
                                            + ")");
                        });
    }

    private static MainstayException exists(ObjectStore store) {
        return new MainstayException(
                ErrorCode.REPOSITORY_EXISTS, "there is a repository in " + store.facts().url());
    }

    private static String binding(String repository, int epoch) {
        return "mainstay/1 root " + repository + " " + epoch;
    }

    private static Vault plainVault(ObjectStore store, Ground ground) {
        return new Vault(store, ground, KeyScope.none(), Optional.empty(), _ -> Optional.empty());
    }

    /// Opens a repository.
    ///
    /// @throws MainstayException REPOSITORY_MISSING, REPOSITORY_FOREIGN, REPOSITORY_NEWER,
    ///   KEY_MISSING, KEY_WRONG, KEY_OBJECT_DAMAGED, or KEY_UNEXPECTED where a key is given and the
    ///   repository says it has none
    public static Repository open(
            ObjectStore store, Optional<Credential> credential, Ground ground) {
        if (store.size(Names.FORMAT).isEmpty()) {
            boolean empty = store.list("", "", 1).objects().isEmpty();
            throw new MainstayException(
                    empty ? ErrorCode.REPOSITORY_MISSING : ErrorCode.REPOSITORY_FOREIGN,
                    store.facts().url()
                            + (empty ? " holds no repository" : " holds something else"));
        }
        Vault plain = plainVault(store, ground);
        Json format = plain.openJson(Names.FORMAT, ObjectType.FORMAT, plain.get(Names.FORMAT));
        boolean open = format.string("encryption").equals("none");
        if (open && credential.isPresent()) {
            throw unexpected(store);
        }
        Map<Integer, byte[]> rootKeys =
                open ? Map.of() : unlock(plain, format.string("repository"), credential);
        return new Repository(store, ground, format, rootKeys);
    }

    private static MainstayException unexpected(ObjectStore store) {
        return new MainstayException(
                ErrorCode.KEY_UNEXPECTED,
                "a key is configured, but "
                        + store.facts().url()
                        + " says that it is not encrypted");
    }

    private static Map<Integer, byte[]> unlock(
            Vault plain, String repository, Optional<Credential> credential) {
        Credential known =
                credential.orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.KEY_MISSING,
                                        "the repository is encrypted and no key is configured"));
        Map<Integer, byte[]> rootKeys = new LinkedHashMap<>();
        List<StoredObject> wrapped = Listing.all(plain.store, Names.ROOT_KEYS);
        Optional<MainstayException> damaged = Optional.empty();
        for (StoredObject object : wrapped) {
            try {
                int epoch = epochOf(object.name());
                if (!rootKeys.containsKey(epoch)) {
                    unwrap(plain, object.name(), repository, epoch, known)
                            .ifPresent(key -> rootKeys.put(epoch, key));
                }
            } catch (MainstayException broken) {
                if (broken.code() == ErrorCode.STORE_UNAVAILABLE) {
                    throw broken;
                }
                damaged = Optional.of(broken); // another recipient's object may still serve
            }
        }
        if (rootKeys.isEmpty() && damaged.isPresent()) {
            MainstayException broken = damaged.get();
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED,
                    "no wrapped root key can be opened: " + broken.getMessage(),
                    broken);
        }
        if (rootKeys.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.KEY_WRONG,
                    known
                            + " does not open the repository "
                            + plain.store.facts().url()
                            + " (wrapped root keys tried: "
                            + wrapped.size()
                            + ")");
        }
        return rootKeys;
    }

    private static Optional<byte[]> unwrap(
            Vault plain, String name, String repository, int epoch, Credential credential) {
        Json body = plain.openJson(name, ObjectType.ROOT_KEY, plain.get(name));
        return body.string("repository").equals(repository)
                ? WrappedKey.unwrap(body, credential, binding(repository, epoch))
                : Optional.empty();
    }

    private static int epochOf(String name) {
        try {
            return Integer.parseInt(name.split("/", -1)[2], 16);
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException wrong) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " has no epoch", wrong);
        }
    }

    public String id() {
        return id;
    }

    /// Demands that the store still holds the repository that was opened, for those who keep it
    /// open long: what is sealed with the keys of one that was replaced in its place can never be
    /// read.
    ///
    /// @throws MainstayException REPOSITORY_FOREIGN, or REPOSITORY_MISSING
    public void demandStillThere() {
        Vault plain = plainVault(store, ground);
        if (store.size(Names.FORMAT).isEmpty()) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_MISSING,
                    store.facts().url() + " holds the repository " + id + " no more");
        }
        Json format = plain.openJson(Names.FORMAT, ObjectType.FORMAT, plain.get(Names.FORMAT));
        if (!format.string("repository").equals(id)) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_FOREIGN,
                    store.facts().url() + " holds another repository than before");
        }
    }

    public boolean encrypted() {
        return encrypted;
    }

    public ObjectStore store() {
        return store;
    }

    public Ground ground() {
        return ground;
    }

    Vault plainVault() {
        return plainVault(store, ground);
    }

    Vault rootVault() {
        if (!encrypted) {
            return plainVault(store, ground);
        }
        return new Vault(
                store,
                ground,
                KeyScope.root(newestEpoch),
                Optional.ofNullable(rootKeys.get(newestEpoch)),
                scope -> Optional.ofNullable(rootKeys.get(scope.epoch())));
    }

    /// Every source that was ever added, in the order of ids.
    public List<ProtectedSource> sources() {
        return sources(
                (_, broken) -> {
                    throw broken;
                });
    }

    /// Those sources whose keys can be read, in the order of ids.
    ///
    /// @param damaged is told of every key object that cannot be read, and of why
    public List<ProtectedSource> sources(BiConsumer<String, MainstayException> damaged) {
        Map<SourceId, Map<Integer, Json>> found = new LinkedHashMap<>();
        Vault vault = rootVault();
        Listing.forEach(
                store,
                Names.SOURCE_KEYS,
                object -> {
                    try {
                        SourceId source = sourceOf(object.name());
                        Json body = sourceKey(vault, source, object.name());
                        found.computeIfAbsent(source, _ -> new LinkedHashMap<>())
                                .put((int) body.number("epoch"), body);
                    } catch (MainstayException broken) {
                        damaged.accept(object.name(), broken);
                    }
                });
        List<ProtectedSource> sources = new ArrayList<>();
        synchronized (open) {
            found.forEach(
                    (source, epochs) ->
                            sources.add(
                                    open.computeIfAbsent(source, _ -> openSource(source, epochs))));
        }
        return sources;
    }

    private static Json sourceKey(Vault vault, SourceId source, String name) {
        Json body = vault.openJson(name, ObjectType.SOURCE_KEY, vault.get(name));
        if (!body.string("source").equals(source.hex())) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " belongs to another source");
        }
        return body;
    }

    private static SourceId sourceOf(String name) {
        try {
            return SourceId.parse(name.split("/", -1)[2]);
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED, "object " + name + " names no source", wrong);
        }
    }

    private ProtectedSource openSource(SourceId source, Map<Integer, Json> epochs) {
        Map<Integer, byte[]> keys = new HashMap<>();
        epochs.forEach(
                (epoch, body) -> keys.put(epoch, HexFormat.of().parseHex(body.string("key"))));
        int newest = keys.keySet().stream().max(Integer::compare).orElseThrow();
        Json body = java.util.Objects.requireNonNull(epochs.get(newest));
        return new ProtectedSource(this, source, body.string("name"), keys, newest);
    }

    /// The source of this name, if it was ever added. Damaged keys of other sources do not matter.
    ///
    /// @throws MainstayException what is wrong with a key object, if it is or may be this source's
    public Optional<ProtectedSource> source(String name) {
        Map<String, MainstayException> damaged = new LinkedHashMap<>();
        Optional<ProtectedSource> found =
                sources(damaged::put).stream()
                        .filter(source -> source.name().equals(name))
                        .findFirst();
        damaged.forEach(
                (object, why) -> {
                    if (why.code() == ErrorCode.STORE_UNAVAILABLE
                            || found.isEmpty()
                            || mayBelongTo(object, found.get())) {
                        throw why;
                    }
                });
        return found;
    }

    /// Whether a key object is a source's own, or that of one that comes before it: of two with the
    /// same name the smaller id counts, and the other one never has anything.
    private boolean mayBelongTo(String object, ProtectedSource source) {
        String own = Names.SOURCE_KEYS + source.id() + "/";
        return object.startsWith(own)
                || object.compareTo(own) < 0
                        && store.list(Names.slots(source.id()), "", 1).objects().isEmpty();
    }

    /// The source of this name; added with a key of its own if it is new. Of several that add the
    /// same name at once, all get the same source with the same key.
    public ProtectedSource sourceOrAdd(String name) {
        Optional<ProtectedSource> known = source(name);
        for (int attempt = 0; known.isEmpty(); attempt++) {
            SourceId source = newId(name, attempt);
            Json body =
                    Json.object()
                            .put("source", source.hex())
                            .put("epoch", 1)
                            .put("name", name)
                            .put("key", HexFormat.of().formatHex(ground.randomBytes(32)))
                            .put("created", ground.clock().instant().toString());
            Vault vault = rootVault();
            // Whose put comes first decides about the key; afterwards that one is found.
            vault.put(Names.sourceKey(source, 1), vault.sealJson(ObjectType.SOURCE_KEY, body));
            known = source(name); // still absent if the id is that of a source of another name now
        }
        return known.get();
    }

    /// The same in every process, and nothing that tells the name to who has no key.
    private SourceId newId(String name, int attempt) {
        byte[] secret =
                rootKeys.keySet().stream()
                        .min(Integer::compare)
                        .map(rootKeys::get)
                        .orElseGet(() -> new byte[32]);
        return SourceId.of(
                ObjectSeal.hkdf(
                        secret,
                        name.getBytes(StandardCharsets.UTF_8),
                        "mainstay/1 source " + attempt,
                        16));
    }

    @Override
    public void close() {
        store.close();
    }
}
