package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.repository.PackReferences.End;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// What backups leave behind beside packs: announcements, progress and index pieces. That of ended
/// ones is of no use to anybody, but for what a failed one stored, from which another one may go
/// on. Slots that give up stay for ever: what they forbid may be tried at any time.
final class Leftovers {
    private final PackReferences references;
    private final Predicate<BackupId> overdue;
    private final List<String> useless = new ArrayList<>();
    private final Set<PackId> kept = new HashSet<>();

    private Leftovers(PackReferences references, Predicate<BackupId> overdue) {
        this.references = references;
        this.overdue = overdue;
    }

    /// @param overdue which backups are so old that nobody goes on from them any more
    static Leftovers find(PackReferences references, Predicate<BackupId> overdue) {
        Leftovers leftovers = new Leftovers(references, overdue);
        references.sources().forEach(leftovers::find);
        return leftovers;
    }

    private void find(ProtectedSource source) {
        ObjectStore store = source.vault().store;
        List<String> goneOnFrom = new ArrayList<>();
        Listing.forEach(
                store,
                Names.progress(source.id()),
                object ->
                        backup(object)
                                .ifPresent(
                                        backup -> {
                                            if (isUseless(source, backup)) {
                                                useless.add(object.name());
                                            } else {
                                                goneOnFrom.add(object.name());
                                            }
                                        }));
        BegunPages.packs(source, goneOnFrom, kept::add);
        Listing.forEach(
                store,
                Names.index(source.id()),
                object ->
                        end(source, object)
                                .filter(end -> end != End.COMMITTED)
                                .ifPresent(_ -> useless.add(object.name())));
        Listing.forEach(
                store,
                Names.INTENTS + source.id() + "/",
                object -> end(source, object).ifPresent(_ -> useless.add(object.name())));
    }

    private boolean isUseless(ProtectedSource source, BackupId backup) {
        Optional<End> end = references.end(source.id(), backup);
        return end.isPresent() && (end.get() != End.ABORTED_KEPT || overdue.test(backup));
    }

    private Optional<End> end(ProtectedSource source, StoredObject object) {
        return backup(object).flatMap(backup -> references.end(source.id(), backup));
    }

    private static Optional<BackupId> backup(StoredObject object) {
        String[] words = object.name().split("/", -1);
        try {
            return Optional.of(BackupId.parse(words[2]));
        } catch (IllegalArgumentException | IndexOutOfBoundsException foreign) {
            return Optional.empty();
        }
    }

    /// Whether a backup that was not finished stored this, and another one may go on from there.
    boolean keeps(PackId pack) {
        return kept.contains(pack);
    }

    long count() {
        return useless.size();
    }

    /// As far as the store lets them go.
    void remove(ObjectStore store) {
        for (String name : useless) {
            DeleteOutcome _ = store.delete(name);
        }
    }
}
