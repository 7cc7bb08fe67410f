package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A backup that was begun and not finished, and has put down what it stored: another one can go on
/// from there ([BackupOptions#resumed]).
///
/// @param details what the engine put down last
/// @param givenUp whether it says so itself under its slot; else it may be running
/// @param objects names of what it put down
public record BegunBackup(BackupId id, Json details, boolean givenUp, List<String> objects) {
    public BegunBackup {
        objects = List.copyOf(objects);
    }

    /// Those of a source, newest first.
    static List<BegunBackup> of(ProtectedSource source) {
        Vault vault = source.vault();
        String prefix = Names.progress(source.id());
        Map<String, List<String>> byBackup = new TreeMap<>();
        for (StoredObject object : Listing.all(vault.store, prefix)) {
            String[] words = object.name().substring(prefix.length()).split("/", -1);
            byBackup.computeIfAbsent(words[0], _ -> new ArrayList<>()).add(object.name());
        }
        List<BegunBackup> begun = new ArrayList<>();
        byBackup.forEach((id, objects) -> read(source, id, objects).ifPresent(begun::add));
        return begun.reversed();
    }

    private static Optional<BegunBackup> read(
            ProtectedSource source, String id, List<String> objects) {
        BackupId backup;
        try {
            backup = BackupId.parse(id);
        } catch (IllegalArgumentException foreign) {
            return Optional.empty();
        }
        try {
            Vault vault = source.vault();
            String slot = Names.slot(source.id(), backup);
            boolean givenUp = vault.store.size(slot).isPresent();
            if (givenUp && !keeps(vault.openJson(slot, ObjectType.SLOT, vault.get(slot)))) {
                return Optional.empty();
            }
            String last = objects.getLast();
            Json body = vault.openJson(last, ObjectType.PROGRESS, vault.get(last));
            return Optional.of(new BegunBackup(backup, body.object("details"), givenUp, objects));
        } catch (MainstayException unreadable) {
            if (isPassing(unreadable)) {
                throw unreadable;
            }
            return Optional.empty(); // only work is lost
        }
    }

    /// Whether asking again may help.
    static boolean isPassing(MainstayException failed) {
        return failed.code() == ErrorCode.STORE_UNAVAILABLE
                || failed.code() == ErrorCode.INTERRUPTED;
    }

    /// Whether a slot says that its backup does not exist and never will.
    static boolean isAbort(Json slot) {
        return slot.string("type").equals("abort");
    }

    static boolean keeps(Json slot) {
        return isAbort(slot) && slot.has("kept") && slot.bool("kept");
    }

    /// Says under a backup's slot that it does not exist and never will.
    ///
    /// @param kept whether what it stored stays for another backup that goes on from there
    /// @return whether that is this call's doing; if not, someone else has decided
    static boolean giveUp(ProtectedSource source, BackupId id, boolean kept) {
        Vault vault = source.vault();
        String name = Names.slot(source.id(), id);
        Json body =
                Json.object()
                        .put("type", "abort")
                        .put("object", name)
                        .put("source", source.id().hex())
                        .put("sequence", 0)
                        .put("written", vault.ground.clock().instant().toString())
                        .put("heads", List.<Json>of())
                        .put("kept", kept);
        byte[] slot = vault.sealJson(ObjectType.SLOT, body);
        return vault.put(name, slot) != PutOutcome.EXISTED
                || java.util.Arrays.equals(slot, vault.get(name));
    }

    /// Makes sure that this backup will never be finished by whoever began it, and that what it
    /// stored stays.
    ///
    /// @return whether another one can go on from there
    public boolean takeOver(ProtectedSource source) {
        if (givenUp) {
            return true;
        }
        if (giveUp(source, id, true)) {
            source.vault().store.delete(Names.intent(source.id(), id));
            return true;
        }
        String slot = Names.slot(source.id(), id);
        Vault vault = source.vault();
        return keeps(vault.openJson(slot, ObjectType.SLOT, vault.get(slot)));
    }

    /// Removes what is of no use once another backup has gone on from there.
    void forget(Vault vault) {
        objects.forEach(vault.store::delete);
    }
}
