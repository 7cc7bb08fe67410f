package dev.mainstay.server.api;

import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.Changes;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Hold;
import dev.mainstay.repository.format.Json;

import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/// Everything about a backup, by the names that `mainstay backups show --output json` has.
@Schema(name = "Backup")
record BackupView(
        String source,
        String backup,
        String type,
        String method,
        String from,
        String status,
        @Nullable String held,
        Instant begin,
        Instant end,
        double durationSeconds,
        Cluster cluster,
        Amounts amounts,
        List<String> warnings,
        List<String> vanished,
        List<String> damaged,
        @Nullable String readWhat) {
    /// What it is of, and which WAL belongs to it.
    @Schema(name = "BackupCluster")
    record Cluster(
            String serverVersion,
            String systemId,
            long timeline,
            String startLsn,
            String stopLsn,
            String walFrom,
            String walTo,
            boolean checksums) {
        static Cluster of(BackupDetails details) {
            return new Cluster(
                    details.server().version(),
                    details.systemId().toString(),
                    Integer.toUnsignedLong(details.timeline().value()),
                    details.startLsn().toString(),
                    details.stopLsn().toString(),
                    details.startSegment().fileName(),
                    details.stopSegment().fileName(),
                    details.layout().checksums());
        }
    }

    @Schema(name = "BackupAmounts")
    record Amounts(
            long files,
            long sizeBytes,
            long readBytes,
            long storedBytes,
            @Nullable Long receivedBytes,
            long pagesChanged,
            long pagesStored,
            long pagesRefreshed,
            long refreshDebtPages) {
        static Amounts of(CommittedBackup backup) {
            Json counts = backup.statistics();
            return new Amounts(
                    counts.number("files"),
                    counts.number("bytes"),
                    counts.number("bytes-read"),
                    counts.number("bytes-stored"),
                    BackupDetails.received(backup.details()).isPresent()
                            ? BackupDetails.received(backup.details()).getAsLong()
                            : null,
                    counts.number("pages-changed"),
                    counts.number("pages-stored"),
                    counts.number("pages-refreshed"),
                    counts.number("refresh-debt-pages"));
        }
    }

    static BackupView of(FoundBackup found) {
        CommittedBackup backup = found.backup();
        BackupDetails details = BackupDetails.read(backup.details());
        return new BackupView(
                found.source().name(),
                backup.id().text(),
                backup.type(),
                BackupDetails.method(backup.details()),
                BackupDetails.from(backup.details()),
                details.judgement().status(),
                found.held().map(Hold::reason).orElse(null),
                backup.begin(),
                backup.end(),
                Duration.between(backup.begin(), backup.end()).toMillis() / 1000.0,
                Cluster.of(details),
                Amounts.of(backup),
                details.judgement().warnings(),
                details.judgement().vanished(),
                details.judgement().damagedPages().stream()
                        .map(page -> page.path() + " block " + page.block())
                        .toList(),
                Changes.read(backup.details()).map(Changes::text).orElse(null));
    }
}
