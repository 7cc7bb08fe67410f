package dev.mainstay.engine.retention;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.SystemId;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.PackUsage;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.StoredObjects;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.PackId;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/// What a repository's space is used for. Sizes are those of objects as they are stored.
///
/// @param total everything that the store lists
/// @param kinds by the first word of the objects' names, packs by class
/// @param unneeded packs that no backup needs: what `prune` may free
/// @param weeklyBytes by which it grew each week of late; empty where backups of less than a day
///   tell
public record RepositoryUsage(
        Amount total,
        Map<String, Amount> kinds,
        List<OfSource> sources,
        List<OfBackup> backups,
        Amount unneeded,
        Optional<Long> weeklyBytes) {
    /// What tells of the growth.
    private static final Duration LATE = Duration.ofDays(28);

    private static final Duration LEAST = Duration.ofDays(1);

    /// @param logicalBytes of all its backups, as restores would write them
    /// @param packs that its backups need
    /// @param wal of its clusters, summaries and parts included
    /// @param compression how many bytes of pages one stored byte holds; empty without pages
    public record OfSource(
            String name,
            int backups,
            long logicalBytes,
            Amount packs,
            Amount wal,
            OptionalDouble compression) {
        /// How many times each stored byte serves a backup: what deduplication makes of it, beside
        /// compression.
        public OptionalDouble sharing() {
            return compression.isEmpty() || packs.bytes() == 0
                    ? OptionalDouble.empty()
                    : OptionalDouble.of(logicalBytes / (packs.bytes() * compression.getAsDouble()));
        }
    }

    /// @param storedBytes that it put
    /// @param alone packs that it alone needs: what `prune` may free once it is gone
    public record OfBackup(
            String source,
            BackupId id,
            String type,
            Instant end,
            long logicalBytes,
            long storedBytes,
            Amount alone) {}

    public RepositoryUsage {
        kinds = Map.copyOf(kinds);
        sources = List.copyOf(sources);
        backups = List.copyOf(backups);
    }

    /// Reads every backup's manifest, and the maps that they share once.
    ///
    /// @param now for the growth of late
    /// @throws dev.mainstay.base.MainstayException if something that a backup needs cannot be read
    public static RepositoryUsage read(Repository repository, Instant now) {
        List<OfSource> sources = new ArrayList<>();
        List<OfBackup> all = new ArrayList<>();
        List<PackUsage> usages = new ArrayList<>();
        List<ProtectedSource> known = repository.sources();
        List<List<CommittedBackup>> committed =
                known.stream().map(ProtectedSource::backups).toList();
        // After the records: packs of every backup in them are listed.
        StoredObjects objects = StoredObjects.list(repository);
        long growth = 0;
        boolean told = false;
        for (int i = 0; i < known.size(); i++) {
            ProtectedSource source = known.get(i);
            List<CommittedBackup> backups = committed.get(i);
            PackUsage usage = PackUsage.read(source, backups);
            usages.add(usage);
            Map<BackupId, Amount> alone = usage.alone(objects.packs());
            Amount wal = wal(objects, backups);
            for (CommittedBackup backup : backups) {
                all.add(
                        new OfBackup(
                                source.name(),
                                backup.id(),
                                backup.type(),
                                backup.end(),
                                backup.statistics().number("bytes"),
                                backup.statistics().number("bytes-stored"),
                                alone.getOrDefault(backup.id(), Amount.NONE)));
            }
            sources.add(
                    new OfSource(
                            source.name(),
                            backups.size(),
                            sum(backups, "bytes"),
                            usage.needed(objects.packs()),
                            wal,
                            compression(backups)));
            Optional<Long> weekly = weekly(backups, wal, now);
            told |= weekly.isPresent();
            growth += weekly.orElse(0L);
        }
        return new RepositoryUsage(
                objects.total(),
                objects.kinds(),
                sources,
                all,
                unneeded(objects.packs(), usages),
                told ? Optional.of(growth) : Optional.empty());
    }

    private static Amount unneeded(Map<PackId, Long> packs, List<PackUsage> usages) {
        return packs.entrySet().stream()
                .filter(pack -> usages.stream().noneMatch(usage -> usage.needs(pack.getKey())))
                .map(pack -> new Amount(1, pack.getValue()))
                .reduce(Amount.NONE, Amount::plus);
    }

    private static Amount wal(StoredObjects objects, List<CommittedBackup> backups) {
        Set<SystemId> systems = new HashSet<>();
        backups.forEach(
                backup ->
                        BackupDetails.find(backup)
                                .ifPresent(details -> systems.add(details.systemId())));
        return systems.stream().map(objects::wal).reduce(Amount.NONE, Amount::plus);
    }

    private static long sum(List<CommittedBackup> backups, String statistic) {
        return backups.stream().mapToLong(each -> each.statistics().number(statistic)).sum();
    }

    private static OptionalDouble compression(List<CommittedBackup> backups) {
        double pages = 0;
        double stored = 0;
        for (CommittedBackup backup : backups) {
            Json counts = backup.statistics();
            int block =
                    BackupDetails.find(backup)
                            .map(details -> details.layout().blockSize())
                            .orElse(0);
            pages += (double) counts.number("pages-stored") * block;
            stored += counts.number("page-bytes-stored");
        }
        return pages == 0 || stored == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of(pages / stored);
    }

    /// What backups of late stored after the first of them, and their part of the WAL by time.
    private static Optional<Long> weekly(List<CommittedBackup> backups, Amount wal, Instant now) {
        List<CommittedBackup> late =
                backups.stream().filter(each -> each.end().isAfter(now.minus(LATE))).toList();
        if (late.size() < 2) {
            return Optional.empty();
        }
        Duration span = Duration.between(late.getFirst().end(), late.getLast().end());
        if (span.compareTo(LEAST) < 0) {
            return Optional.empty();
        }
        double weeks = (double) span.toSeconds() / Duration.ofDays(7).toSeconds();
        double stored = sum(late.subList(1, late.size()), "bytes-stored");
        return Optional.of((long) (stored / weeks + walWeekly(backups, wal)));
    }

    /// The WAL that is stored, over the time from the oldest backup to the newest.
    private static double walWeekly(List<CommittedBackup> backups, Amount wal) {
        Duration span = Duration.between(backups.getFirst().begin(), backups.getLast().end());
        return wal.bytes() / ((double) span.toSeconds() / Duration.ofDays(7).toSeconds());
    }

    /// How long it takes to be full at the present growth; empty if that is not known, or it does
    /// not grow.
    ///
    /// @param quotaBytes that it may hold
    public Optional<Duration> untilFull(long quotaBytes) {
        double left = Math.max(0L, quotaBytes - total.bytes());
        return weeklyBytes
                .filter(weekly -> weekly > 0)
                .map(weekly -> left / weekly * Duration.ofDays(7).toSeconds())
                .map(seconds -> Duration.ofSeconds(seconds.longValue()));
    }
}
