package dev.mainstay.server.operators;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/// Figures of backups, by the names that dashboards know.
///
/// @param totalSize bytes
record BackupStats(
        int totalBackups,
        @Nullable Instant lastBackupTime,
        @Nullable String lastBackupStatus,
        long totalSize,
        @Nullable Instant oldestBackup,
        long failedBackupsLast24h) {
    static BackupStats of(BackupFigures.Figures figures) {
        return new BackupStats(
                figures.total(),
                figures.newest().flatMap(BackupFigures.Item::completedAt).orElse(null),
                figures.newest().map(BackupFigures.Item::status).orElse(null),
                figures.stored(),
                figures.oldest().flatMap(BackupFigures.Item::completedAt).orElse(null),
                figures.failedLastDay());
    }
}
