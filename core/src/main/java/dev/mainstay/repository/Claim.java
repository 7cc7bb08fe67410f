package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Packs and WAL that collectors want to remove (docs/format.md section 10). Up to three objects,
/// each written once, so that any number of collectors that stop anywhere, for however long, do the
/// same:
///
/// - `gc/NAME` claims them. Backups announced later treat them as absent, as long as it is there.
/// - `gc/NAME-waits` names the backups that were announced when it was looked after that. Those
///   that are not named here, and had not ended by then, have seen the claim.
/// - `gc/NAME-sweep` is decided when they all have ended: what goes. What is not in it is never
///   removed through this claim, by nobody.
///
/// The claim itself goes only when everything in its sweep is gone.
final class Claim {
    private static final String WAITS = "-waits";
    private static final String SWEEP = "-sweep";

    /// What an object below `gc/` names.
    ///
    /// @param packs treated as absent by backups that are announced later
    /// @param olds those of them that stay: only of which frames have moved into one that may go
    record Named(Set<PackId> packs, Set<PackId> olds, WalStretches wal) {
        static Named read(String object, Json body) {
            Set<PackId> packs = new HashSet<>();
            body.strings("packs").forEach(hex -> packs.add(PackId.parse(hex)));
            WalStretches wal = WalStretches.none();
            if (body.has("wal")) {
                body.objects("wal").forEach(each -> wal.add(WalStretch.read(object, each)));
            }
            Set<PackId> olds = new HashSet<>();
            if (body.has("olds")) {
                body.strings("olds").forEach(hex -> olds.add(PackId.parse(hex)));
            }
            return new Named(Set.copyOf(packs), Set.copyOf(olds), wal);
        }
    }

    private final Vault vault;
    private final String name;
    private final Named named;

    private Claim(Vault vault, String name, Named named) {
        this.vault = vault;
        this.name = name;
        this.named = named;
    }

    /// @param vault of the root key: writers of every source read claims
    static Claim publish(Vault vault, List<PackId> packs, List<WalStretch> wal) {
        return publish(vault, packs, List.of(), wal);
    }

    /// @param packs that may go
    /// @param olds packs of which frames have moved into these: whoever treats them as absent must
    ///   not come to them on a detour
    static Claim publish(
            Vault vault, Collection<PackId> packs, Collection<PackId> olds, List<WalStretch> wal) {
        String name = Names.CANDIDATES + HexFormat.of().formatHex(vault.ground.randomBytes(8));
        List<PackId> all = new ArrayList<>(packs);
        all.addAll(olds);
        Json body = body(name, all, wal);
        if (!olds.isEmpty()) {
            body.putStrings("olds", olds.stream().map(PackId::hex).toList());
        }
        if (vault.put(name, vault.sealJson(ObjectType.CANDIDATES, body)) == PutOutcome.EXISTED) {
            throw new MainstayException(
                    ErrorCode.STORE_OBJECT_EXISTS, "object " + name + " exists already");
        }
        return new Claim(
                vault, name, new Named(Set.copyOf(all), Set.copyOf(olds), WalStretches.of(wal)));
    }

    /// Those that are there.
    static List<Claim> all(Vault vault) {
        List<Claim> claims = new ArrayList<>();
        for (StoredObject object : Listing.all(vault.store, Names.CANDIDATES)) {
            String name = object.name();
            if (!isRest(name)) {
                read(vault, name)
                        .ifPresent(
                                body -> claims.add(new Claim(vault, name, Named.read(name, body))));
            }
        }
        return claims;
    }

    private static boolean isRest(String name) {
        return name.endsWith(WAITS) || name.endsWith(SWEEP);
    }

    /// Removes what a collector left that was killed while it removed a claim.
    static void removeRests(Vault vault) {
        for (StoredObject object : Listing.all(vault.store, Names.CANDIDATES)) {
            String name = object.name();
            String claim = name.substring(0, Math.max(0, name.lastIndexOf('-')));
            if (isRest(name) && vault.store.size(claim).isEmpty()) {
                DeleteOutcome _ = vault.store.delete(name);
            }
        }
    }

    /// An object that is not there, or was not for a moment: a claim's rests may be put again by
    /// who does not know yet that it was carried out.
    private static Optional<Json> read(Vault vault, String name) {
        byte[] bytes;
        try {
            bytes = vault.get(name);
        } catch (MainstayException missing) {
            if (missing.code() == ErrorCode.STORE_OBJECT_MISSING) {
                return Optional.empty();
            }
            throw missing;
        }
        Json body = vault.openJson(name, ObjectType.CANDIDATES, bytes);
        if (!body.string("object").equals(name)) {
            throw new MainstayException(
                    ErrorCode.SEAL_BROKEN,
                    "object " + name + " was written as " + body.string("object"));
        }
        return Optional.of(body);
    }

    private static byte[] sealed(
            Vault vault, String name, Iterable<PackId> packs, List<WalStretch> wal) {
        return vault.sealJson(ObjectType.CANDIDATES, body(name, packs, wal));
    }

    private static Json body(String name, Iterable<PackId> packs, List<WalStretch> wal) {
        List<String> hex = new ArrayList<>();
        packs.forEach(pack -> hex.add(pack.hex()));
        Json body = Json.object().put("object", name).putStrings("packs", hex);
        return wal.isEmpty()
                ? body
                : body.put("wal", wal.stream().map(WalStretch::toJson).toList());
    }

    String name() {
        return name;
    }

    /// All that is named.
    Set<PackId> packs() {
        return named.packs;
    }

    /// What may go.
    Set<PackId> going() {
        Set<PackId> going = new HashSet<>(named.packs);
        going.removeAll(named.olds);
        return going;
    }

    WalStretches wal() {
        return named.wal;
    }

    /// The announcements it waits for, as far as anybody has looked.
    Optional<List<String>> seen() {
        return read(vault, name + WAITS).map(body -> body.strings("intents"));
    }

    /// The announcements of backups that must end first; looked up once, after the claim was put,
    /// by whoever comes first.
    ///
    /// @return empty if the claim was carried out meanwhile
    Optional<List<String>> waits() {
        Optional<Json> there = read(vault, name + WAITS);
        if (there.isEmpty()) {
            List<String> intents = AnnouncedBackup.intents(vault.store);
            Json body = body(name + WAITS, List.of(), List.of()).putStrings("intents", intents);
            vault.put(name + WAITS, vault.sealJson(ObjectType.CANDIDATES, body));
            there = read(vault, name + WAITS);
        }
        return isThere() ? there.map(body -> body.strings("intents")) : Optional.empty();
    }

    /// What was decided; empty if nothing is yet.
    Optional<Named> sweep() {
        return read(vault, name + SWEEP)
                .filter(_ -> isThere())
                .map(body -> Named.read(name + SWEEP, body));
    }

    /// Decides what goes, unless somebody has already.
    ///
    /// @param going unreferenced since all that this claim waits for had ended
    /// @param wal that was not needed then
    /// @return what is decided; empty if the claim was carried out meanwhile
    Optional<Named> decide(List<PackId> going, WalStretches wal) {
        vault.put(name + SWEEP, sealed(vault, name + SWEEP, going, wal.stretches()));
        return sweep();
    }

    private boolean isThere() {
        return vault.store.size(name).isPresent();
    }

    /// Removes the claim, after everything in its sweep is gone.
    void remove() {
        if (vault.store.delete(name) != DeleteOutcome.REFUSED) {
            DeleteOutcome _ = vault.store.delete(name + WAITS);
            DeleteOutcome _ = vault.store.delete(name + SWEEP);
        }
    }
}
