package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.storage.ObjectStore;

import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Waits until backups have ended that may not have seen a claim, and gives up those that began
/// longer ago than somebody has patience for: these cannot be finished any more then. For one run
/// of [Prune].
final class Fence {
    private final ObjectStore store;
    private final Ground ground;
    private final Duration patience;
    private final Set<AnnouncedBackup> running = new LinkedHashSet<>();
    private final Set<AnnouncedBackup> givenUp = new LinkedHashSet<>();

    Fence(Repository repository, Duration patience) {
        this.store = repository.store();
        this.ground = repository.ground();
        this.patience = patience;
    }

    /// Backups that somebody has to wait for, as far as was asked.
    List<AnnouncedBackup> running() {
        return List.copyOf(running);
    }

    /// Those that were given up, or would be.
    List<AnnouncedBackup> givenUp() {
        return List.copyOf(givenUp);
    }

    boolean isOverdue(BackupId backup) {
        return AnnouncedBackup.begin(backup)
                .filter(begin -> begin.plus(patience).isBefore(ground.clock().instant()))
                .isPresent();
    }

    /// Backups that are running now, as far as anybody can tell.
    List<AnnouncedBackup> busy(PackReferences references) {
        return open(references).stream().filter(each -> !isOverdue(each.backup())).toList();
    }

    private List<AnnouncedBackup> open(PackReferences references) {
        return AnnouncedBackup.open(AnnouncedBackup.intents(store), references, store);
    }

    /// Something waits for all that are running.
    void waitFor(List<AnnouncedBackup> busy) {
        running.addAll(busy);
    }

    /// Whether all these backups have ended, or would be given up; changes nothing.
    boolean wouldEnd(List<String> intents, PackReferences references) {
        List<AnnouncedBackup> open = AnnouncedBackup.open(intents, references, store);
        open.forEach(each -> (isOverdue(each.backup()) ? givenUp : running).add(each));
        return open.stream().allMatch(each -> isOverdue(each.backup()));
    }

    /// Whether all these backups have ended; those that are overdue are ended here.
    boolean haveEnded(List<String> intents, PackReferences references) {
        boolean all = true;
        for (AnnouncedBackup each : AnnouncedBackup.open(intents, references, store)) {
            if (isOverdue(each.backup()) && references.source(each.sourceId()).isPresent()) {
                giveUp(each, references);
            } else {
                running.add(each);
                all = false;
            }
        }
        return all;
    }

    /// Backups that were killed, by all that can be told; where nothing is claimed nobody waits for
    /// them. Changes nothing.
    void wouldGiveUpOverdue(PackReferences references) {
        overdue(references).forEach(givenUp::add);
    }

    void giveUpOverdue(PackReferences references) {
        overdue(references).forEach(each -> giveUp(each, references));
    }

    private List<AnnouncedBackup> overdue(PackReferences references) {
        return open(references).stream().filter(each -> isOverdue(each.backup())).toList();
    }

    private void giveUp(AnnouncedBackup each, PackReferences references) {
        Optional<ProtectedSource> source = references.source(each.sourceId());
        if (source.isPresent()
                && !isRemoved(source.get(), each.backup())
                && BegunBackup.giveUp(source.get(), each.backup(), false)) {
            givenUp.add(each);
        }
    }

    /// Whether it was committed and removed since the records were read. Its slot was missed before
    /// this, and went after the record that says so.
    private static boolean isRemoved(ProtectedSource source, BackupId backup) {
        return source.records().removedObjects().contains(Names.slot(source.id(), backup));
    }
}
