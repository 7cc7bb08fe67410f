package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.crypto.CredentialKeys;
import dev.mainstay.repository.crypto.KeyService;
import dev.mainstay.repository.crypto.RootKeyPlace;
import dev.mainstay.repository.crypto.WrappedKey;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.PutOutcome;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A new root key, for those recipients that are to go on, and under it a new key for each source
/// (docs/format.md section 5). What was sealed before stays as it is and stays readable.
///
/// Writers need not be stopped: they go on with the keys they have, and take the new ones within
/// minutes. Killed anywhere, it leaves an epoch that nobody uses, or sources that still use the one
/// before; running it again begins another. For one use.
public final class KeyRotation {
    /// How a recipient gets the new root key.
    public enum Way {
        /// Its secret is at hand.
        SECRET,
        /// Wrapped with its public key, or by its service; its secret need not be there.
        SEALED,
        /// An older program added it, or it is not genuine: its secret is needed.
        NONE
    }

    /// What would be done with a recipient.
    public record Step(Recipient recipient, Way way) {}

    /// What was done.
    ///
    /// @param epoch the new one
    /// @param sources that have a key of it
    public record Result(
            int epoch,
            List<Recipient> kept,
            List<Recipient> dropped,
            List<String> sources,
            Map<String, String> failed) {}

    private final Repository repository;
    private final RootKeys rootKeys;
    private final RepositoryKeys keys;
    private final Vault plain;
    private final List<CredentialKeys> secrets = new ArrayList<>();

    /// @param others credentials of further recipients
    KeyRotation(Repository repository, RepositoryKeys keys, List<Credential> others) {
        this.repository = repository;
        this.rootKeys = repository.rootKeys();
        this.keys = keys;
        this.plain = repository.plainVault();
        secrets.add(rootKeys.credential());
        others.forEach(other -> secrets.add(new CredentialKeys(other)));
    }

    /// Recipients that have the newest root key, and how each gets the next one.
    ///
    /// @throws MainstayException KEY_SUPERSEDED
    public List<Step> plan() {
        List<Step> steps = new ArrayList<>();
        for (Recipient recipient : keys.recipientsOfNewest()) {
            steps.add(new Step(recipient, way(recipient, rootKeys.newestEpoch())));
        }
        return steps;
    }

    private Way way(Recipient recipient, int epoch) {
        Json body = RootKeys.read(plain, Names.rootKey(epoch, recipient.id()));
        if (secret(body, epoch).isPresent()) {
            return Way.SECRET;
        }
        boolean sealed = body.has("public") || service(body).isPresent();
        return recipient.proven() && sealed ? Way.SEALED : Way.NONE;
    }

    /// Credentials that open it. A service is not asked for what it need not do.
    private Optional<CredentialKeys> secret(Json body, int epoch) {
        RootKeyPlace place = rootKeys.place(epoch);
        for (CredentialKeys each : secrets) {
            boolean remote = each.credential() instanceof Credential.Service;
            if (!remote && WrappedKey.unwrap(body, each, place).isPresent()) {
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    private Optional<CredentialKeys> service(Json body) {
        return secrets.stream()
                .filter(
                        each ->
                                each.credential() instanceof Credential.Service(KeyService service)
                                        && service.kind().equals(body.string("recipient"))
                                        && body.find("key").equals(Optional.of(service.key())))
                .findFirst();
    }

    /// Begins a new epoch for these recipients.
    ///
    /// @param steps of [#plan], without those that are to be left out
    /// @throws MainstayException KEY_LAST if the credential in use is not among them, or one cannot
    ///   be wrapped for; then nothing was changed
    public Result run(List<Step> steps) {
        demandUsable(steps);
        List<Recipient> dropped = new ArrayList<>(keys.recipientsOfNewest());
        dropped.removeIf(each -> steps.stream().anyMatch(step -> isOf(step, each)));
        int before = rootKeys.newestEpoch();
        int epoch = begin(steps);
        rootKeys.look();
        if (rootKeys.newestEpoch() < epoch) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED,
                    "epoch " + epoch + " of the root key began, and cannot be opened");
        }
        settle(before, epoch, steps, dropped);
        Map<String, String> failed = new TreeMap<>();
        List<String> sources = addSourceKeys(failed);
        failed.putAll(
                keys.record(
                        Json.object()
                                .put("change", "epoch-began")
                                .putStrings(
                                        "recipients",
                                        steps.stream().map(step -> step.recipient.id()).toList())
                                .putStrings(
                                        "dropped", dropped.stream().map(Recipient::id).toList())));
        return new Result(
                epoch, steps.stream().map(Step::recipient).toList(), dropped, sources, failed);
    }

    private static boolean isOf(Step step, Recipient recipient) {
        return step.recipient.id().equals(recipient.id());
    }

    /// Demands that a new root key can be wrapped for all of these, and that the credential in use
    /// is among them.
    ///
    /// @throws MainstayException KEY_LAST
    public void demandUsable(List<Step> steps) {
        for (Step step : steps) {
            if (step.way == Way.NONE) {
                throw new MainstayException(
                        ErrorCode.KEY_LAST,
                        "recipient " + step.recipient + " gets no new root key without its secret",
                        "give its key (--with-key-file and the like), or leave it out (--drop ID)",
                        null);
            }
        }
        if (steps.stream().noneMatch(step -> step.recipient.opens())) {
            throw new MainstayException(
                    ErrorCode.KEY_LAST,
                    repository.credential() + " would not open the new epoch",
                    "do not leave out the key of the configuration, or use another one",
                    null);
        }
    }

    /// The epoch's object comes last: with it the epoch begins, for all these recipients at once.
    /// Whoever is faster has the number.
    private int begin(List<Step> steps) {
        byte[] rootKey = plain.ground.randomBytes(32);
        int before = rootKeys.newestEpoch();
        for (int epoch = highest() + 1; ; epoch++) {
            List<String> put = new ArrayList<>();
            RootKeyPlace place = rootKeys.place(epoch);
            boolean free = true;
            for (Step step : steps) {
                Json wrapped = wrapped(step, before, rootKey, place);
                String name = Names.rootKey(epoch, step.recipient.id());
                free = free && put(name, plain.sealJson(ObjectType.ROOT_KEY, wrapped));
                if (free) {
                    put.add(name);
                }
            }
            if (free && put(Names.epoch(epoch), sealedEpoch(place, rootKey))) {
                return epoch;
            }
            put.forEach(plain.store::delete); // nobody uses them: their epoch is another's
        }
    }

    private boolean put(String name, byte[] bytes) {
        return plain.put(name, bytes) != PutOutcome.EXISTED;
    }

    private byte[] sealedEpoch(RootKeyPlace place, byte[] rootKey) {
        return repository
                .rootVault()
                .sealJson(
                        ObjectType.ROOT_KEY,
                        Json.object()
                                .put("epoch", place.epoch())
                                .put(
                                        "check",
                                        HexFormat.of().formatHex(RootKeys.check(rootKey, place)))
                                .put("created", plain.ground.clock().instant().toString()));
    }

    /// The highest number that anything has, also of what never began.
    private int highest() {
        int[] highest = {rootKeys.newestEpoch()};
        for (String prefix : List.of(Names.ROOT_KEYS, Names.EPOCHS)) {
            Listing.forEach(
                    plain.store,
                    prefix,
                    object ->
                            Names.epochOf(object.name())
                                    .ifPresent(epoch -> highest[0] = Math.max(highest[0], epoch)));
        }
        return highest[0];
    }

    private Json wrapped(Step step, int before, byte[] rootKey, RootKeyPlace place) {
        Json body = RootKeys.read(plain, Names.rootKey(before, step.recipient.id()));
        Optional<CredentialKeys> at = secret(body, before).or(() -> service(body));
        return at.map(
                        secret ->
                                WrappedKey.wrap(
                                        body, secret, rootKey, place, plain.ground.random()))
                .or(() -> WrappedKey.wrapUnseen(body, rootKey, place, plain.ground.random()))
                .orElseThrow();
    }

    /// Recipients that came or went while the epoch was begun.
    private void settle(int before, int epoch, List<Step> steps, List<Recipient> dropped) {
        List<Recipient> now = keys.recipients().recipients();
        for (Step step : steps) {
            if (now.stream().noneMatch(each -> isOf(step, each) && each.epochs().contains(1))) {
                DeleteOutcome _ = plain.store.delete(Names.rootKey(epoch, step.recipient.id()));
            }
        }
        for (Recipient each : now) {
            boolean fresh = each.epochs().contains(before) && !each.epochs().contains(epoch);
            if (fresh && dropped.stream().noneMatch(known -> known.id().equals(each.id()))) {
                Step late = new Step(each, way(each, before));
                if (late.way != Way.NONE) {
                    byte[] rootKey = rootKeys.key(epoch).orElseThrow();
                    Json wrapped = wrapped(late, before, rootKey, rootKeys.place(epoch));
                    put(
                            Names.rootKey(epoch, each.id()),
                            plain.sealJson(ObjectType.ROOT_KEY, wrapped));
                }
            }
        }
    }

    private List<String> addSourceKeys(Map<String, String> failed) {
        List<String> sources = new ArrayList<>();
        SourceKeys there =
                SourceKeys.read(
                        repository,
                        (object, why) -> failed.put(object, String.valueOf(why.getMessage())));
        for (SourceKeys.Found found : there.found()) {
            try {
                addSourceKey(found);
                sources.add(found.name());
            } catch (MainstayException refused) {
                failed.put(found.name(), String.valueOf(refused.getMessage()));
            }
        }
        return sources;
    }

    private void addSourceKey(SourceKeys.Found found) {
        int epoch = rootKeys.newestEpoch();
        Json body =
                Json.object()
                        .put("source", found.id().hex())
                        .put("epoch", epoch)
                        .put("name", found.name())
                        .put("key", HexFormat.of().formatHex(plain.ground.randomBytes(32)))
                        .put("created", plain.ground.clock().instant().toString());
        Vault vault = repository.rootVault();
        String name = Names.sourceKey(found.id(), epoch);
        vault.put(name, vault.sealJson(ObjectType.SOURCE_KEY, body));
        if (plain.store.size(Names.shredded(found.id())).isPresent()) { // meanwhile
            DeleteOutcome _ = plain.store.delete(name);
        }
    }
}
