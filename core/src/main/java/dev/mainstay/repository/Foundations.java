package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.crypto.WrappedKey;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Puts right what a repository needs to be opened at all, before it is: `format` and the wrapped
/// root keys.
///
/// A wrapped key that is gone may have been taken away on purpose, so it comes back only where no
/// other one of its epoch is left.
public final class Foundations {
    private final ObjectStore store;
    private final Vault plain;
    private final List<ObjectRepair.Repaired> repaired = new ArrayList<>();

    /// Whether nothing was in the folder of an epoch's wrapped keys: then all of them come back.
    private final Map<String, Boolean> bare = new HashMap<>();

    private Foundations(ObjectStore store, Ground ground) {
        this.store = store;
        this.plain = new Vault(store, ground, Keyring.NONE);
    }

    /// @param store of the repository
    /// @return what was put right
    /// @throws MainstayException REPOSITORY_FOREIGN if a copy is one of another repository, or
    ///   cannot be told to be one of this; REPOSITORY_MISSING if nothing is here
    public static List<ObjectRepair.Repaired> repair(
            ObjectStore store, List<Donor> donors, Ground ground) {
        Foundations work = new Foundations(store, ground);
        Map<Donor, byte[]> formats = new LinkedHashMap<>();
        donors.forEach(donor -> work.format(donor.store()).ifPresent(it -> formats.put(donor, it)));
        work.format(formats);
        for (Donor donor : donors) {
            if (formats.containsKey(donor) || work.isOurs(donor.store())) {
                work.rootKeys(donor);
            }
        }
        return work.repaired;
    }

    private Optional<byte[]> format(ObjectStore from) {
        return read(from, Names.FORMAT).filter(it -> opens(Names.FORMAT, ObjectType.FORMAT, it));
    }

    private boolean opens(String name, ObjectType type, byte[] bytes) {
        try {
            Json body = plain.openJson(name, type, bytes);
            if (type == ObjectType.ROOT_KEY) {
                WrappedKey.demandWellFormed(body);
                return WrappedKey.recipientId(body).equals(Names.recipientOf(name));
            }
            return !body.string("repository").isEmpty() && !body.string("encryption").isEmpty();
        } catch (MainstayException | IllegalArgumentException damaged) {
            return false;
        }
    }

    private static Optional<byte[]> read(ObjectStore from, String name) {
        return from.size(name).map(size -> from.get(name, 0, Math.toIntExact(size)));
    }

    private void format(Map<Donor, byte[]> formats) {
        Optional<byte[]> here = format(store);
        for (Map.Entry<Donor, byte[]> each : formats.entrySet()) {
            boolean same =
                    here.isPresent()
                            ? Arrays.equals(here.get(), each.getValue())
                            : sharesAnything(each.getKey().store());
            if (!same) {
                throw new MainstayException(
                        ErrorCode.REPOSITORY_FOREIGN,
                        each.getKey().name() + " is no copy of what is in " + store.facts().url(),
                        "correct its url; nothing was changed",
                        null);
            }
        }
        if (here.isEmpty() && !formats.isEmpty()) {
            Map.Entry<Donor, byte[]> first = formats.entrySet().iterator().next();
            write(Names.FORMAT, first.getValue(), first.getKey());
        }
    }

    /// A copy whose own `format` is damaged may have the only wrapped key that is whole.
    private boolean isOurs(ObjectStore copy) {
        return !copy.list("", "", 1).objects().isEmpty() && sharesAnything(copy);
    }

    /// Without a `format` an object tells whether it is the same repository: salts are random, so
    /// no two repositories hold the same one.
    private boolean sharesAnything(ObjectStore copy) {
        if (store.list("", "", 1).objects().isEmpty()) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_MISSING,
                    store.facts().url() + " is empty",
                    "is the right disk mounted? if the repository is lost, put the copy's place"
                            + " under 'repository'",
                    null);
        }
        boolean[] found = new boolean[1];
        for (String prefix : List.of("keys/", Names.PACKS)) {
            Listing.whileAfter(
                    store,
                    prefix,
                    "",
                    object -> {
                        found[0] = isSame(copy, object);
                        return !found[0];
                    });
            if (found[0]) {
                return true;
            }
        }
        return false;
    }

    private boolean isSame(ObjectStore copy, StoredObject object) {
        String name = object.name();
        return copy.size(name).equals(Optional.of(object.sizeBytes()))
                && Arrays.equals(
                        read(store, name).orElse(new byte[0]),
                        read(copy, name).orElse(new byte[1]));
    }

    private void rootKeys(Donor donor) {
        for (StoredObject object : Listing.all(donor.store(), Names.ROOT_KEYS)) {
            String name = object.name();
            Optional<byte[]> here = read(store, name);
            boolean comes =
                    here.isPresent()
                            ? !opens(name, ObjectType.ROOT_KEY, here.get())
                            : isWithoutAny(name);
            if (comes) {
                read(donor.store(), name)
                        .filter(bytes -> opens(name, ObjectType.ROOT_KEY, bytes))
                        .ifPresent(bytes -> write(name, bytes, donor));
            }
        }
    }

    /// Whether no wrapped key is here of an epoch that began.
    private boolean isWithoutAny(String rootKey) {
        int epoch = Names.epochOf(rootKey).orElse(0);
        String folder = rootKey.substring(0, rootKey.lastIndexOf('/') + 1);
        boolean none =
                bare.computeIfAbsent(folder, it -> store.list(it, "", 1).objects().isEmpty());
        return none && (epoch == 1 || store.size(Names.epoch(epoch)).isPresent());
    }

    private void write(String name, byte[] bytes, Donor donor) {
        if (store.size(name).isPresent()) {
            store.replace(name, ByteBuffer.wrap(bytes));
        } else {
            PutOutcome _ = store.put(name, ByteBuffer.wrap(bytes));
        }
        repaired.add(new ObjectRepair.Repaired(name, "copied from " + donor.name()));
    }
}
