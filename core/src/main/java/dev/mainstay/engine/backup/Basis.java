package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;

import java.util.List;
import java.util.Optional;

/// What a backup builds on, and how it is written; the same for all ways files may come.
final class Basis {
    /// Part of a cluster's pages that one incremental may refresh, and the least it always may.
    private static final int REFRESH_SHARE = 10;

    private static final long REFRESH_LEAST_PAGES = 8192;

    private Basis() {}

    /// The backup that an incremental builds on.
    ///
    /// @param before all backups of the source up to it, oldest first
    record Parent(CommittedBackup backup, List<CommittedBackup> before) {}

    /// The newest backup that an incremental can build on: of the same cluster, with the same page
    /// size and checksum setting.
    static Optional<Parent> parent(
            ProtectedSource source,
            ClusterBackup.Request.Type type,
            Origin origin,
            Progress progress) {
        if (type == ClusterBackup.Request.Type.FULL) {
            return Optional.empty();
        }
        RecordChain chain = source.records();
        chain.damaged().forEach(each -> progress.note("WARNING: " + each));
        Optional<CommittedBackup> newest =
                chain.backups().reversed().stream()
                        .filter(
                                backup ->
                                        BackupDetails.find(backup)
                                                .filter(details -> isLike(details, origin))
                                                .isPresent())
                        .findFirst();
        if (newest.isEmpty() && type == ClusterBackup.Request.Type.INCREMENTAL) {
            throw new MainstayException(
                    ErrorCode.BACKUP_UNKNOWN,
                    "source " + source.name() + " has no backup an incremental could build on",
                    "take a full backup first: mainstay backup " + source.name() + " --type full",
                    null);
        }
        return newest.map(backup -> new Parent(backup, upTo(backup, chain.backups())));
    }

    private static List<CommittedBackup> upTo(CommittedBackup last, List<CommittedBackup> backups) {
        return backups.stream().filter(each -> each.sequence() <= last.sequence()).toList();
    }

    private static boolean isLike(BackupDetails earlier, Origin origin) {
        return earlier.systemId().equals(origin.systemId())
                && earlier.layout().blockSize() == origin.layout().blockSize()
                && earlier.layout().checksums() == origin.layout().checksums();
    }

    static BackupOptions options(
            RepositorySettings repository, Optional<Parent> parent, Origin origin) {
        BackupOptions options =
                parent.map(Parent::backup)
                        .map(
                                earlier ->
                                        BackupOptions.incremental(
                                                earlier,
                                                repository.zstdLevel(),
                                                refreshBudget(earlier, origin)))
                        .orElseGet(() -> BackupOptions.full(repository.zstdLevel()));
        return new BackupOptions(
                options.type(),
                options.parent(),
                options.compressionLevel(),
                repository.packSize(),
                options.shape(),
                options.refreshBudgetPages());
    }

    private static long refreshBudget(CommittedBackup earlier, Origin origin) {
        long pages = earlier.statistics().number("bytes") / origin.layout().blockSize();
        return Math.max(REFRESH_LEAST_PAGES, pages / REFRESH_SHARE);
    }
}
