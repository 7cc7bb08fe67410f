package dev.mainstay.engine.archive;

import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.CopySubset;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.ObjectStore;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// How far a copy trails its repository in time: what a restore from the copy alone would lack.
public final class CopyLag {
    /// How many segments before the first one that is missing are asked when they end.
    private static final int LOOK_BACK = 3;

    private final ObjectStore copy;
    private final Instant now;

    private CopyLag(ObjectStore copy, Instant now) {
        this.copy = copy;
        this.now = now;
    }

    /// The age of the oldest commit that the copy cannot bring back, over all sources of which
    /// there are backups; a little more where the segment that holds it has no summary yet. Zero if
    /// it can bring back all that is stored.
    ///
    /// Of a copy that is to hold some of the backups only what it is to hold counts: the age of the
    /// oldest backup that is missing, and of commits where it holds WAL that leads further.
    ///
    /// @param subset what the copy is to hold; empty if everything
    /// @return empty if a source has no backup in the copy, or no commit tells the time
    public static Optional<Duration> of(
            Repository repository, ObjectStore copy, Optional<CopySubset> subset, Instant now) {
        CopyLag lag = new CopyLag(copy, now);
        Duration longest = Duration.ZERO;
        for (ProtectedSource source : repository.sources()) {
            RecordChain chain = source.records();
            List<CommittedBackup> backups = chain.backups();
            if (!backups.isEmpty()) {
                Optional<Duration> behind =
                        subset.isPresent()
                                ? lag.of(source, chain, subset.get())
                                : lag.of(source, backups);
                if (behind.isEmpty()) {
                    return Optional.empty();
                }
                longest = behind.get().compareTo(longest) > 0 ? behind.get() : longest;
            }
        }
        return Optional.of(longest);
    }

    private Optional<Duration> of(ProtectedSource source, RecordChain chain, CopySubset subset) {
        CopySubset.Chosen chosen = subset.choose(source, chain);
        List<CommittedBackup> wanted = chain.backups().stream().filter(chosen::wants).toList();
        Optional<Duration> log =
                chosen.window()
                        ? of(source, wanted)
                        : wanted.stream()
                                .filter(backup -> RepositoryCopy.holds(copy, source, backup))
                                .findFirst()
                                .map(_ -> Duration.ZERO);
        Duration oldest =
                wanted.stream()
                        .filter(backup -> !RepositoryCopy.holds(copy, source, backup))
                        .map(backup -> age(backup.end()))
                        .max(Comparator.naturalOrder())
                        .orElse(Duration.ZERO);
        return log.map(behind -> behind.compareTo(oldest) > 0 ? behind : oldest);
    }

    private Duration age(Instant since) {
        Duration age = Duration.between(since, now);
        return age.isNegative() ? Duration.ZERO : age;
    }

    private Optional<Duration> of(ProtectedSource source, List<CommittedBackup> backups) {
        if (backups.stream().noneMatch(backup -> RepositoryCopy.holds(copy, source, backup))) {
            return Optional.empty();
        }
        Optional<BackupDetails> details = BackupDetails.find(backups.getLast());
        if (details.isEmpty()) {
            return Optional.empty();
        }
        WalArchive archive = source.wal(details.get().systemId(), 1);
        List<WalSegment> missing = missing(archive, details.get().startSegment());
        if (missing.isEmpty()) {
            return Optional.of(Duration.ZERO);
        }
        return missing.stream()
                .flatMap(segment -> time(archive, segment, WalSummary.Commits::earliest).stream())
                .findFirst()
                .or(() -> endBefore(archive, missing.getFirst()))
                .map(this::age);
    }

    /// The newest segments, as far back as none of them is in the copy, oldest first. Each is asked
    /// for by its name: as a rule there are few.
    ///
    /// @param from what is older is not looked at
    private List<WalSegment> missing(WalArchive archive, WalSegment from) {
        List<WalSegment> missing = new ArrayList<>();
        for (TimelineId timeline : archive.timelines().reversed()) {
            List<WalSegment> stored = new ArrayList<>();
            archive.segments(from.onTimeline(timeline), stored::add);
            for (WalSegment segment : stored.reversed()) {
                if (copy.size(archive.objectName(segment)).isPresent()) {
                    return missing.reversed();
                }
                missing.add(segment);
            }
        }
        return missing.reversed();
    }

    private static Optional<Instant> endBefore(WalArchive archive, WalSegment segment) {
        for (long number = segment.number() - 1;
                number >= Math.max(0, segment.number() - LOOK_BACK);
                number--) {
            WalSegment before = new WalSegment(segment.timeline(), number, segment.sizeBytes());
            Optional<Instant> end = time(archive, before, WalSummary.Commits::latestEnd);
            if (end.isPresent()) {
                return end;
            }
        }
        return Optional.empty();
    }

    private static Optional<Instant> time(
            WalArchive archive,
            WalSegment segment,
            Function<WalSummary.Commits, Optional<Instant>> which) {
        return archive.getSummary(segment)
                .map(WalSummary::decode)
                .map(WalSummary::commits)
                .flatMap(which);
    }
}
