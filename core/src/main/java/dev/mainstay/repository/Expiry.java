package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.repository.RecordChain.Event;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Removes backups: first on record, then their slots, then what belongs to each alone by its name
/// (docs/format.md sections 9 and 10). Whatever happens in between, a backup is either listed and
/// whole, or gone on record. Packs and WAL stay: they are a collector's business.
///
/// A hold that was put at the same time wins: the slot stays, and with it the backup is listed. Any
/// number of these may run at once, beside backups and restores.
public final class Expiry {
    /// What was done.
    ///
    /// @param removed gone for good
    /// @param held on the list of the expiry, and held at the same moment: they stay
    /// @param refused gone on record, but the store did not let their slots go; the next run tries
    ///   again
    public record Result(List<BackupId> removed, List<BackupId> held, List<BackupId> refused) {
        public Result {
            removed = List.copyOf(removed);
            held = List.copyOf(held);
            refused = List.copyOf(refused);
        }
    }

    private final ProtectedSource source;

    Expiry(ProtectedSource source) {
        this.source = source;
    }

    /// Removes these backups as far as they are listed and not held, and finishes what earlier runs
    /// could not.
    ///
    /// @param why for the record: each backup's reason
    /// @param policy for the record
    Result remove(RecordChain chain, Map<BackupId, String> why, String policy) {
        List<Json> removed = new ArrayList<>();
        Set<String> hashes = new HashSet<>();
        List<BackupId> listed = new ArrayList<>();
        for (CommittedBackup backup : chain.backups()) {
            String reason = why.get(backup.id());
            if (reason != null && !chain.holds().containsKey(backup.id())) {
                Event slot = chain.slot(backup.id()).orElseThrow();
                removed.add(
                        Json.object()
                                .put("object", slot.object())
                                .put("sha256", slot.sha256())
                                .put("backup", backup.id().text())
                                .put("reason", reason));
                hashes.add(slot.sha256());
                listed.add(backup.id());
            }
        }
        if (!removed.isEmpty()) {
            chain.append(
                    "expiry", Json.object().put("removed", removed).put("policy", policy), hashes);
        }
        return sweep(listed);
    }

    /// Deletes the slots of what is gone on record. Reads all records again: a hold that was put
    /// before this sees no expiry and counts; one that is put later sees the expiry and fails.
    private Result sweep(List<BackupId> listed) {
        RecordChain now = source.records();
        List<BackupId> removed = new ArrayList<>();
        List<BackupId> refused = new ArrayList<>();
        List<BackupId> held = listed.stream().filter(now.holds()::containsKey).toList();
        List<BackupId> leftovers = now.leftovers();
        for (BackupId backup : leftovers) {
            if (delete(backup)) {
                removed.add(backup);
            } else {
                refused.add(backup);
            }
        }
        for (BackupId backup : listed) { // another expiry was faster
            if (!held.contains(backup) && !leftovers.contains(backup)) {
                removed.add(backup);
            }
        }
        return new Result(removed, held, refused);
    }

    private boolean delete(BackupId backup) {
        ObjectStore store = source.vault().store;
        if (store.delete(Names.slot(source.id(), backup)) == DeleteOutcome.REFUSED) {
            return false;
        }
        forget(backup);
        return true;
    }

    /// Best effort: none of it means anything without the slot.
    private void forget(BackupId backup) {
        ObjectStore store = source.vault().store;
        DeleteOutcome _ = store.delete(Names.index(source.id()) + backup);
        Listing.all(store, Names.progress(source.id(), backup))
                .forEach(object -> store.delete(object.name()));
    }
}
