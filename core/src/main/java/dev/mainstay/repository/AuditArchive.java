package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.crypto.SigningKey;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// The audit trails of servers in a repository: signed heads with the entries that lead to them.
///
/// The state of servers has one trail; one that was lost, or set back to an earlier time, begins
/// another. A trail has a key pair: its public half is in the repository from the beginning, its
/// private half in the state, sealed with the repository's root key. So who has only one of them
/// signs nothing.
public final class AuditArchive {
    /// Entries of one object.
    public static final int MOST_ENTRIES = 5000;

    private final Repository repository;
    private final Vault vault;

    public AuditArchive(Repository repository) {
        this.repository = repository;
        this.vault = repository.rootVault();
    }

    /// An id that no trail has.
    public static String newTrail(Ground ground) {
        return HexFormat.of().formatHex(ground.randomBytes(16));
    }

    /// A new key pair of a trail.
    ///
    /// @return its private half, sealed, as text
    public String newKey(String trail) {
        Json body =
                Json.object()
                        .put("object", keyName(trail))
                        .put("key", HexFormat.of().formatHex(repository.ground().randomBytes(32)));
        return Base64.getEncoder().encodeToString(vault.sealJson(ObjectType.RECORD, body));
    }

    private static String keyName(String trail) {
        return "audit-key/" + trail;
    }

    /// @throws MainstayException if it was sealed for another repository or is damaged
    private SigningKey key(String trail, String sealed) {
        Json body;
        try {
            body =
                    vault.openJson(
                            keyName(trail), ObjectType.RECORD, Base64.getDecoder().decode(sealed));
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "the key of audit trail " + trail + " is no key",
                    wrong);
        }
        if (!body.string("object").equals(keyName(trail))) {
            throw new MainstayException(
                    ErrorCode.SEAL_BROKEN, "the key of audit trail " + trail + " is another one's");
        }
        return new SigningKey(HexFormat.of().parseHex(body.string("key")));
    }

    /// Demands that a sealed key can be used here.
    ///
    /// @throws MainstayException if it was sealed for another repository or is damaged
    public void demandKey(String trail, String sealed) {
        key(trail, sealed);
    }

    /// The ids of all trails.
    public List<String> trails() {
        List<String> trails = new ArrayList<>();
        String after = "";
        while (true) {
            List<StoredObject> next = repository.store().list(Names.AUDIT, after, 1).objects();
            if (next.isEmpty()) {
                return trails;
            }
            String name = next.getFirst().name();
            if (StoreSurvey.isName(name)) {
                trails.add(Names.trailOf(name));
                after = Names.AUDIT + Names.trailOf(name) + "/z"; // behind all its numbers
            } else {
                after = name;
            }
        }
    }

    /// Reads one.
    public AuditPublication read(String name) {
        return AuditPublication.read(vault, repository.id(), name, vault.get(name));
    }

    /// Names of a trail's publications, the oldest first.
    List<String> names(String trail) {
        return names(trail, "");
    }

    private List<String> names(String trail, String after) {
        List<String> names = new ArrayList<>();
        Listing.forEachAfter(
                repository.store(),
                Names.AUDIT + trail + "/",
                after,
                object -> {
                    if (StoreSurvey.isName(object.name())) {
                        names.add(object.name());
                    }
                });
        return names;
    }

    /// The newest of a trail.
    ///
    /// @param from a number that was published; 0 to look through all
    public Optional<AuditPublication> newest(String trail, long from) {
        String known = Names.audit(trail, from);
        List<String> names = names(trail, known);
        if (!names.isEmpty()) {
            return Optional.of(read(names.getLast()));
        }
        return repository.store().size(known).isPresent()
                ? Optional.of(read(known))
                : Optional.empty();
    }

    /// Puts down that there is a trail, and its public key. What is newest of the others is named,
    /// so that it cannot vanish unnoticed.
    ///
    /// @param sealedKey of [#newKey]
    public AuditPublication begin(String trail, String sealedKey) {
        List<AuditPublication.Earlier> newest = new ArrayList<>();
        for (String other : trails()) {
            if (!other.equals(trail)) {
                newest.add(seen(names(other).getLast()));
            }
        }
        SigningKey key = key(trail, sealedKey);
        return put(
                new AuditPublication.Draft(
                        trail,
                        List.of(),
                        repository.ground().clock().instant(),
                        Optional.of(key.publicKey()),
                        newest),
                key);
    }

    private AuditPublication.Earlier seen(String name) {
        return new AuditPublication.Earlier(name, Bytes.sha256Hex(vault.get(name)));
    }

    /// Puts a head with the entries that lead to it.
    ///
    /// @param before the newest publication
    /// @param entries those behind it, in order, and at most [#MOST_ENTRIES]
    public AuditPublication publish(
            AuditPublication before, String sealedKey, List<AuditEntry> entries) {
        return put(
                new AuditPublication.Draft(
                        before.trail(),
                        entries,
                        repository.ground().clock().instant(),
                        Optional.empty(),
                        List.of(before.asEarlier())),
                key(before.trail(), sealedKey));
    }

    /// Another server of the same state may have been as fast: what it put is as good.
    private AuditPublication put(AuditPublication.Draft draft, SigningKey key) {
        byte[] bytes = AuditPublication.write(vault, repository.id(), draft, key);
        AuditPublication ours =
                AuditPublication.read(vault, repository.id(), draft.object(), bytes);
        if (vault.put(draft.object(), bytes) == PutOutcome.CREATED) {
            return ours;
        }
        AuditPublication theirs = read(draft.object());
        if (!theirs.head().equals(ours.head()) || !theirs.isSignedBy(key.publicKey())) {
            throw new MainstayException(
                    ErrorCode.AUDIT_BROKEN,
                    draft.object()
                            + " of the repository holds other entries of the audit trail than"
                            + " this state");
        }
        return theirs;
    }

    /// Everything that was published, each trail's entries in order.
    public void entries(Consumer<AuditEntry> each) {
        for (String trail : trails()) {
            long last = 0;
            for (String name : names(trail)) {
                for (AuditEntry entry : read(name).entries()) {
                    if (entry.number() > last) {
                        each.accept(entry);
                        last = entry.number();
                    }
                }
            }
        }
    }
}
