package dev.mainstay.server.metrics;

import dev.mainstay.base.Lsn;
import dev.mainstay.server.view.KnownBackup;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What the repository has of a source.
///
/// @param at when it was read
/// @param backups the oldest first
/// @param newestStart from where on the newest backup needs the log
/// @param windowBegin from when on every second can be recovered; empty if none can
/// @param wal empty before the first backup, and where a record does not tell the cluster
/// @param kept backups that retention keeps
/// @param removable backups that it no longer keeps, and that are there all the same
public record ArchiveFacts(
        Instant at,
        List<KnownBackup> backups,
        Optional<Lsn> newestStart,
        Optional<Instant> windowBegin,
        Optional<WalFacts> wal,
        int kept,
        int removable) {
    public ArchiveFacts {
        backups = List.copyOf(backups);
    }

    public Optional<KnownBackup> newest() {
        return backups.isEmpty() ? Optional.empty() : Optional.of(backups.getLast());
    }

    public Optional<KnownBackup> newest(String type) {
        return backups.reversed().stream().filter(each -> each.type().equals(type)).findFirst();
    }

    /// Until when everything can be recovered; the end of the newest backup without WAL.
    public Optional<Instant> covered() {
        return wal.map(WalFacts::covered).or(() -> newest().map(KnownBackup::end));
    }

    /// What would be lost if the cluster were lost now.
    public Optional<Duration> recoveryPoint(Instant now) {
        return covered()
                .map(until -> Duration.between(until, now))
                .map(age -> age.isNegative() ? Duration.ZERO : age);
    }
}
