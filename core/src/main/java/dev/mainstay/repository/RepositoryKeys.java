package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.crypto.CredentialKeys;
import dev.mainstay.repository.crypto.RootKeyPlace;
import dev.mainstay.repository.crypto.WrappedKey;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.PutOutcome;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/// The ways into an encrypted repository (docs/keys.md): who they are, adding and removing one.
/// Each change is recorded in the chain of every source, after it was made.
public final class RepositoryKeys {
    private static final int MOST_LABEL = 100;

    private final Repository repository;
    private final RootKeys rootKeys;
    private final Vault plain;

    RepositoryKeys(Repository repository) {
        this.repository = repository;
        this.rootKeys = repository.rootKeys();
        this.plain = repository.plainVault();
    }

    /// What there is.
    ///
    /// @param damaged objects of recipients that cannot be read, and why
    public record Listed(List<Recipient> recipients, Map<String, MainstayException> damaged) {}

    /// What was changed.
    ///
    /// @param recipients that were added or removed
    /// @param unrecorded sources in whose chains it could not be recorded, and why
    public record Change(List<Recipient> recipients, Map<String, String> unrecorded) {}

    /// Every recipient of this repository, in the order of ids.
    public Listed recipients() {
        rootKeys.look();
        Map<String, TreeMap<Integer, Json>> bodies = new TreeMap<>();
        Map<String, MainstayException> damaged = new TreeMap<>();
        Listing.forEach(
                plain.store,
                Names.ROOT_KEYS,
                object -> {
                    try {
                        Json body = RootKeys.read(plain, object.name());
                        WrappedKey.demandWellFormed(body);
                        Optional<Integer> epoch = Names.epochOf(object.name());
                        if (epoch.isPresent() && isOurs(body, epoch.get())) {
                            bodies.computeIfAbsent(
                                            Names.recipientOf(object.name()), _ -> new TreeMap<>())
                                    .put(epoch.get(), body);
                        }
                    } catch (MainstayException broken) {
                        if (broken.code() == ErrorCode.STORE_UNAVAILABLE
                                || broken.code() == ErrorCode.INTERRUPTED) {
                            throw broken;
                        }
                        damaged.put(object.name(), broken);
                    }
                });
        List<Recipient> recipients = new ArrayList<>();
        bodies.forEach((id, epochs) -> recipients.add(recipient(id, epochs)));
        return new Listed(recipients, damaged);
    }

    /// What an epoch has that never began is nobody's.
    private boolean isOurs(Json body, int epoch) {
        return body.string("repository").equals(repository.id())
                && (rootKeys.epochs().contains(epoch) || rootKeys.closedEpochs().contains(epoch));
    }

    private Recipient recipient(String id, NavigableMap<Integer, Json> epochs) {
        Json body = epochs.lastEntry().getValue();
        return new Recipient(
                id,
                body.string("recipient"),
                body.find("key"),
                body.find("label"),
                created(body),
                new TreeSet<>(epochs.keySet()),
                rootKeys.own().contains(id),
                isProven(id, epochs),
                body.has("public"));
    }

    private static Optional<Instant> created(Json body) {
        try {
            return body.find("created").map(Instant::parse);
        } catch (DateTimeException malformed) {
            return Optional.empty();
        }
    }

    /// Proven for every epoch that can be judged.
    private boolean isProven(String id, Map<Integer, Json> epochs) {
        return epochs.entrySet().stream()
                .allMatch(
                        each ->
                                WrappedKey.recipientId(each.getValue()).equals(id)
                                        && rootKeys.key(each.getKey())
                                                .filter(
                                                        key ->
                                                                WrappedKey.isProven(
                                                                        each.getValue(), key))
                                                .isPresent());
    }

    /// Epochs of the root key that began, and whether the credential in use opens each.
    public Map<Integer, Boolean> epochs() {
        Map<Integer, Boolean> epochs = new TreeMap<>();
        rootKeys.closedEpochs().forEach(epoch -> epochs.put(epoch, false));
        rootKeys.epochs().forEach(epoch -> epochs.put(epoch, true));
        return epochs;
    }

    /// A source's keys.
    ///
    /// @param epochs of them, as far as they open
    /// @param rootEpoch that seals the newest one
    public record SourceEpochs(String name, SortedSet<Integer> epochs, int rootEpoch) {}

    /// Of every source, in the order of ids.
    public List<SourceEpochs> sources() {
        List<SourceEpochs> sources = new ArrayList<>();
        for (SourceKeys.Found found : SourceKeys.read(repository, (_, _) -> {}).found()) {
            TreeSet<Integer> epochs = new TreeSet<>(found.keys().keySet());
            int rootEpoch = found.rootEpochs().getOrDefault(epochs.last(), 0);
            sources.add(new SourceEpochs(found.name(), epochs, rootEpoch));
        }
        return sources;
    }

    /// Names of sources whose newest key is of an epoch before the newest: a rotation was stopped,
    /// or they were added while it ran.
    public List<String> behind() {
        return sources().stream()
                .filter(source -> source.rootEpoch < rootKeys.newestEpoch())
                .map(SourceEpochs::name)
                .toList();
    }

    /// Adds a recipient, who can read everything: the root keys of all epochs are wrapped for it,
    /// and it is proved that they open.
    ///
    /// @throws MainstayException KEY_SUPERSEDED, KEY_RECIPIENT_EXISTS
    public Change add(Credential credential, Optional<String> label) {
        demandLabel(label);
        demandAll();
        CredentialKeys keys = new CredentialKeys(credential);
        demandNew(keys);
        Ground ground = plain.ground;
        Json recipient =
                WrappedKey.recipient(keys, label, ground.clock().instant(), ground.random());
        String id = WrappedKey.recipientId(recipient);
        Set<Integer> done = new HashSet<>();
        while (!done.containsAll(rootKeys.epochs())) { // one may begin meanwhile
            for (int epoch : rootKeys.epochs()) {
                if (done.add(epoch)) {
                    put(recipient, keys, epoch);
                }
            }
            rootKeys.look();
        }
        demandOpens(credential);
        Recipient added = find(id);
        return new Change(
                List.of(added),
                record(
                        Json.object()
                                .put("change", "recipient-added")
                                .put("recipient", id)
                                .put("kind", added.kind())
                                .put("label", label.orElse(""))));
    }

    private static void demandLabel(Optional<String> label) {
        label.filter(
                        text ->
                                text.isBlank()
                                        || text.length() > MOST_LABEL
                                        || text.chars().anyMatch(Character::isISOControl))
                .ifPresent(
                        _ -> {
                            throw new MainstayException(
                                    ErrorCode.USAGE_INVALID,
                                    "a label has 1 to "
                                            + MOST_LABEL
                                            + " letters and no control characters");
                        });
    }

    /// Demands that the credential in use is no lesser one: it must hand on everything.
    private void demandAll() {
        rootKeys.look();
        rootKeys.demandNewest();
        if (!rootKeys.closedEpochs().isEmpty()) {
            throw new MainstayException(
                    ErrorCode.KEY_SUPERSEDED,
                    repository.credential()
                            + " does not open epoch "
                            + rootKeys.closedEpochs().iterator().next()
                            + " of the root key, so it cannot hand it on",
                    "use a key that opens all epochs ('mainstay keys list')",
                    null);
        }
    }

    private void demandNew(CredentialKeys keys) {
        try {
            RootKeys there = RootKeys.unlock(plain, repository.id(), keys);
            if (there.epochs().equals(rootKeys.epochs())) {
                throw new MainstayException(
                        ErrorCode.KEY_RECIPIENT_EXISTS,
                        keys.credential()
                                + " opens the repository already, as recipient "
                                + String.join(", ", there.own()));
            }
        } catch (MainstayException closed) {
            if (closed.code() != ErrorCode.KEY_WRONG
                    && closed.code() != ErrorCode.KEY_OBJECT_DAMAGED) {
                throw closed;
            }
        }
    }

    /// Those that have the newest root key, for a rotation.
    List<Recipient> recipientsOfNewest() {
        demandAll();
        int newest = rootKeys.newestEpoch();
        return recipients().recipients().stream()
                .filter(each -> each.epochs().contains(newest))
                .toList();
    }

    /// A new root key.
    ///
    /// @param others credentials of recipients beside the one in use
    public KeyRotation rotation(List<Credential> others) {
        return new KeyRotation(repository, this, others);
    }

    private void put(Json recipient, CredentialKeys keys, int epoch) {
        byte[] rootKey = rootKeys.key(epoch).orElseThrow();
        RootKeyPlace place = rootKeys.place(epoch);
        Json body = WrappedKey.wrap(recipient, keys, rootKey, place, plain.ground.random());
        String name = Names.rootKey(epoch, WrappedKey.recipientId(body));
        if (plain.put(name, plain.sealJson(ObjectType.ROOT_KEY, body)) == PutOutcome.EXISTED) {
            throw new MainstayException(
                    ErrorCode.STORE_OBJECT_EXISTS, "object " + name + " exists already");
        }
    }

    /// Demands that a credential opens everything that the one in use opens.
    ///
    /// @throws MainstayException KEY_WRONG
    public void demandOpens(Credential credential) {
        RootKeys there = RootKeys.unlock(plain, repository.id(), new CredentialKeys(credential));
        if (!there.epochs().containsAll(rootKeys.epochs())) {
            throw new MainstayException(
                    ErrorCode.KEY_WRONG, credential + " does not open every epoch");
        }
    }

    /// @throws MainstayException KEY_RECIPIENT_UNKNOWN
    public Recipient find(String id) {
        return recipients().recipients().stream()
                .filter(each -> each.id().equals(id))
                .findFirst()
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.KEY_RECIPIENT_UNKNOWN,
                                        "there is no recipient " + id));
    }

    /// Removes a recipient from all epochs. It keeps what it has copied or unwrapped; for that
    /// there is a new epoch.
    ///
    /// @param other proves that a way in remains, where the one in use is the one to be removed
    /// @throws MainstayException KEY_RECIPIENT_UNKNOWN, KEY_SUPERSEDED, KEY_LAST if nothing proves
    ///   that a way in remains, STORE_REFUSED
    public Change remove(String id, Optional<Credential> other) {
        demandAll();
        List<String> objects = objectsOf(id);
        Listed listed = recipients();
        Optional<Recipient> known =
                listed.recipients().stream().filter(each -> each.id().equals(id)).findFirst();
        demandWayIn(id, other);
        for (String object : objects) {
            if (plain.store.delete(object) == DeleteOutcome.REFUSED) {
                throw new MainstayException(
                        ErrorCode.STORE_REFUSED,
                        "the store keeps " + object + ", so this way in stays open");
            }
        }
        rootKeys.look();
        return new Change(
                known.stream().toList(),
                record(
                        Json.object()
                                .put("change", "recipient-removed")
                                .put("recipient", id)
                                .put("kind", known.map(Recipient::kind).orElse(""))
                                .put("label", known.flatMap(Recipient::label).orElse(""))));
    }

    private List<String> objectsOf(String id) {
        List<String> objects = new ArrayList<>();
        Listing.forEach(
                plain.store,
                Names.ROOT_KEYS,
                object -> {
                    if (Names.recipientOf(object.name()).equals(id)) {
                        objects.add(object.name());
                    }
                });
        if (objects.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.KEY_RECIPIENT_UNKNOWN, "there is no recipient " + id);
        }
        return objects;
    }

    private void demandWayIn(String id, Optional<Credential> other) {
        CredentialKeys keys = other.map(CredentialKeys::new).orElseGet(rootKeys::credential);
        try {
            RootKeys left = RootKeys.unlock(plain, repository.id(), keys, id);
            if (left.epochs().equals(rootKeys.epochs())) {
                return;
            }
        } catch (MainstayException closed) {
            if (closed.code() != ErrorCode.KEY_WRONG
                    && closed.code() != ErrorCode.KEY_OBJECT_DAMAGED) {
                throw closed;
            }
        }
        throw new MainstayException(
                ErrorCode.KEY_LAST,
                "without recipient "
                        + id
                        + " it is not proved that the repository opens: "
                        + keys.credential()
                        + " does not open all of it otherwise",
                "give another key that does (--with-key-file and the like), or add one first",
                null);
    }

    /// A source that was shredded.
    ///
    /// @param unrecorded other sources in whose chains it could not be recorded, and why
    public record Shredded(ShreddedSource source, Map<String, String> unrecorded) {}

    /// Destroys all keys of a source, so that nobody can ever read what it stored here. What is
    /// stored elsewhere, in copies or as old versions, stays. If this was begun before, it is
    /// finished.
    ///
    /// @throws MainstayException SOURCE_UNKNOWN, KEY_SUPERSEDED, SHRED_HELD if a backup is held,
    ///   KEY_SHRED_UNFINISHED if the store keeps a key
    public Shredded shred(String source, String reason) {
        demandAll();
        ShreddedSource gone = new Shredding(repository).run(source, reason);
        return new Shredded(
                gone,
                record(
                        Json.object()
                                .put("change", "source-shredded")
                                .put("source", gone.id().hex())
                                .put("name", gone.name())
                                .put("reason", gone.reason())));
    }

    /// Records a change in the chain of each source.
    ///
    /// @return names of sources that could not be told, and why
    Map<String, String> record(Json change) {
        change.put("epoch", rootKeys.newestEpoch());
        Map<String, String> unrecorded = new TreeMap<>();
        for (ProtectedSource source :
                repository.sources(
                        (object, why) ->
                                unrecorded.put(object, String.valueOf(why.getMessage())))) {
            try {
                source.records().append("key-change", change);
            } catch (MainstayException failed) {
                unrecorded.put(source.name(), String.valueOf(failed.getMessage()));
            }
        }
        return unrecorded;
    }
}
