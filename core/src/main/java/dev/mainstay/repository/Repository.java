package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.crypto.CredentialKeys;
import dev.mainstay.repository.crypto.RootKeyPlace;
import dev.mainstay.repository.crypto.WrappedKey;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;

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
    private final RootKeys rootKeys;
    private final Map<SourceId, ProtectedSource> open = new HashMap<>();

    private Repository(ObjectStore store, Ground ground, Json format, RootKeys rootKeys) {
        this.store = store;
        this.ground = ground;
        this.id = format.string("repository");
        this.encrypted = !format.string("encryption").equals("none");
        this.rootKeys = rootKeys;
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
        Vault plain = plainVault(store, ground);
        RootKeys rootKeys = firstKey(plain, format.string("repository"), credential);
        if (plain.put(Names.FORMAT, plain.sealJson(ObjectType.FORMAT, format))
                == PutOutcome.EXISTED) {
            throw exists(store);
        }
        return new Repository(store, ground, format, rootKeys);
    }

    private static RootKeys firstKey(
            Vault plain, String repository, Optional<Credential> credential) {
        if (credential.isEmpty()) {
            return RootKeys.none(plain, repository);
        }
        CredentialKeys keys = new CredentialKeys(credential.get());
        Ground ground = plain.ground;
        Json wrapped =
                WrappedKey.wrap(
                        WrappedKey.recipient(
                                keys, Optional.empty(), ground.clock().instant(), ground.random()),
                        keys,
                        ground.randomBytes(32),
                        new RootKeyPlace(repository, 1),
                        ground.random());
        plain.put(
                Names.rootKey(1, WrappedKey.recipientId(wrapped)),
                plain.sealJson(ObjectType.ROOT_KEY, wrapped));
        return RootKeys.unlock(plain, repository, keys);
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

    private static Vault plainVault(ObjectStore store, Ground ground) {
        return new Vault(store, ground, Keyring.NONE);
    }

    /// Opens a repository.
    ///
    /// @throws MainstayException REPOSITORY_MISSING, REPOSITORY_FOREIGN, REPOSITORY_NEWER,
    ///   KEY_MISSING, KEY_WRONG, KEY_OBJECT_DAMAGED, or KEY_UNEXPECTED where a key is given and the
    ///   repository says it has none
    public static Repository open(
            ObjectStore store, Optional<Credential> credential, Ground ground) {
        Optional<byte[]> object = store.whole(Names.FORMAT);
        if (object.isEmpty()) {
            boolean empty = store.list("", "", 1).objects().isEmpty();
            throw new MainstayException(
                    empty ? ErrorCode.REPOSITORY_MISSING : ErrorCode.REPOSITORY_FOREIGN,
                    store.facts().url()
                            + (empty ? " holds no repository" : " holds something else"));
        }
        Vault plain = plainVault(store, ground);
        Json format = plain.openJson(Names.FORMAT, ObjectType.FORMAT, object.get());
        boolean open = format.string("encryption").equals("none");
        if (open && credential.isPresent()) {
            throw unexpected(store);
        }
        String repository = format.string("repository");
        RootKeys rootKeys =
                open
                        ? RootKeys.none(plain, repository)
                        : RootKeys.unlock(plain, repository, keys(credential));
        return new Repository(store, ground, format, rootKeys);
    }

    /// This repository in another store, which holds a copy of it. The store stays whose it is.
    Repository at(ObjectStore copy) {
        Vault plain = plainVault(copy, ground);
        Json format = plain.openJson(Names.FORMAT, ObjectType.FORMAT, plain.get(Names.FORMAT));
        RootKeys keys =
                encrypted
                        ? RootKeys.unlock(plain, id, rootKeys.credential())
                        : RootKeys.none(plain, id);
        return new Repository(copy, ground, format, keys);
    }

    private static CredentialKeys keys(Optional<Credential> credential) {
        return new CredentialKeys(
                credential.orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.KEY_MISSING,
                                        "the repository is encrypted and no key is configured")));
    }

    private static MainstayException unexpected(ObjectStore store) {
        return new MainstayException(
                ErrorCode.KEY_UNEXPECTED,
                "a key is configured, but "
                        + store.facts().url()
                        + " says that it is not encrypted");
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
        Optional<byte[]> object = plain.find(Names.FORMAT);
        if (object.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_MISSING,
                    store.facts().url() + " holds the repository " + id + " no more");
        }
        Json format = plain.openJson(Names.FORMAT, ObjectType.FORMAT, object.get());
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

    RootKeys rootKeys() {
        return rootKeys;
    }

    /// What opened it, for messages.
    String credential() {
        return rootKeys.credential().credential().toString();
    }

    Vault rootVault() {
        return new Vault(store, ground, rootKeys);
    }

    /// Recipients and epochs of the root key.
    ///
    /// @throws MainstayException KEY_UNEXPECTED if the repository is not encrypted
    public RepositoryKeys keys() {
        if (!encrypted) {
            throw new MainstayException(
                    ErrorCode.KEY_UNEXPECTED,
                    store.facts().url() + " is not encrypted, so it has no keys",
                    "a repository is encrypted from 'mainstay init' on, or never",
                    null);
        }
        return new RepositoryKeys(this);
    }

    /// Every source that was ever added, and not shredded, in the order of ids.
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
        return sources(SourceKeys.read(this, damaged));
    }

    List<ProtectedSource> sources(SourceKeys keys) {
        List<ProtectedSource> sources = new ArrayList<>();
        synchronized (open) {
            for (SourceKeys.Found found : keys.found()) {
                sources.add(
                        open.computeIfAbsent(found.id(), _ -> new ProtectedSource(this, found)));
            }
        }
        return sources;
    }

    /// Sources whose keys were destroyed on purpose, in the order of ids.
    public List<ShreddedSource> shredded() {
        return SourceKeys.read(this, (_, _) -> {}).shredded();
    }

    /// The source of this name, of which something is stored.
    ///
    /// @throws MainstayException SOURCE_UNKNOWN, and what [#source] says
    public ProtectedSource requireSource(String name) {
        return source(name)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.SOURCE_UNKNOWN,
                                        "the repository holds nothing of source '"
                                                + name
                                                + "' yet"));
    }

    /// The source of this name, if it was ever added. Damaged keys of other sources do not matter.
    ///
    /// @throws MainstayException SOURCE_SHREDDED, or what is wrong with a key object, if it is or
    ///   may be this source's
    public Optional<ProtectedSource> source(String name) {
        Map<String, MainstayException> damaged = new LinkedHashMap<>();
        SourceKeys keys = SourceKeys.read(this, damaged::put);
        Optional<ProtectedSource> found =
                sources(keys).stream().filter(source -> source.name().equals(name)).findFirst();
        if (found.isEmpty()) {
            keys.shredded().stream()
                    .filter(gone -> gone.name().equals(name))
                    .findFirst()
                    .ifPresent(
                            gone -> {
                                throw gone.refusal();
                            });
        }
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
        if (object.startsWith(Names.SHREDDED)) {
            return object.equals(Names.shredded(source.id()));
        }
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
            rootKeys.demandNewest();
            // Whose put comes first decides about the key; afterwards that one is found.
            vault.put(Names.sourceKey(source, 1), vault.sealJson(ObjectType.SOURCE_KEY, body));
            known = source(name); // still absent if the id is that of a source of another name now
        }
        return known.get();
    }

    /// The same in every process, and nothing that tells the name to who has no key.
    private SourceId newId(String name, int attempt) {
        byte[] secret = encrypted ? rootKeys.first() : new byte[32];
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
