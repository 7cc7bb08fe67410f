package dev.mainstay.engine.restore;

import dev.mainstay.base.Lsn;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalReader;
import dev.mainstay.postgres.wal.WalSearch;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.postgres.wal.WalTarget;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Finds in stored WAL the record at which a recovery would stop: summaries tell which segments
/// need not be read, the others are. One for each history; it remembers which segments do not hold
/// the target.
final class TargetProof {
    /// How many segments before the end are asked for the time of the last commit.
    private static final int LOOK_BACK = 16;

    /// A record that begins in a segment may end in the next ones.
    private static final int OVERHANG = 2;

    /// @param segment in which the deciding record begins
    record Found(WalSearch.Reached reached, long segment) {}

    private final WalTarget target;

    /// Segments without the target → the latest end of a transaction in them.
    private final Map<Long, Optional<Instant>> without = new HashMap<>();

    TargetProof(WalTarget target) {
        this.target = target;
    }

    /// The first record from the backup's start on that recovery stops at.
    Optional<Found> find(WalCoverage coverage, BackupDetails details) {
        WalLayout layout = layout(coverage, details);
        long first = details.startSegment().number();
        for (long number = first; number <= coverage.last(); number++) {
            if (without.containsKey(number)) {
                continue;
            }
            Optional<WalSummary> summary = coverage.summary(number);
            if (summary.flatMap(s -> WalSearch.isReachedIn(s, target)).orElse(true)) {
                Lsn from = coverage.segment(number).start();
                boolean cut = number == first && details.startLsn().isAfter(from);
                WalReader reader =
                        WalReader.seek(
                                coverage.source(number + OVERHANG),
                                layout,
                                cut ? details.startLsn() : from);
                switch (WalSearch.find(reader, target)) {
                    case WalSearch.Reached reached -> {
                        return Optional.of(
                                new Found(reached, coverage.containing(reached.record()).number()));
                    }
                    case WalSearch.NotReached(_, Optional<Instant> latest) -> {
                        if (!cut) {
                            without.put(number, latest);
                        }
                    }
                }
            } else {
                without.put(number, summary.flatMap(s -> s.commits().latestEnd()));
            }
        }
        return Optional.empty();
    }

    private static WalLayout layout(WalCoverage coverage, BackupDetails details) {
        return new WalLayout(
                details.layout().walSegmentSize(),
                details.layout().walBlockSize(),
                Optional.empty(),
                Optional.of(details.systemId()),
                Optional.of(coverage.history().timeline()));
    }

    /// The latest end of a transaction near the end of what is stored.
    static Optional<Instant> lastCommit(WalCoverage coverage, BackupDetails details) {
        long first = details.startSegment().number();
        long least = Math.max(first, coverage.last() - LOOK_BACK);
        for (long number = coverage.last(); number >= least; number--) {
            Optional<WalSummary> summary = coverage.summary(number);
            Optional<Instant> latest =
                    summary.isPresent()
                            ? summary.get().commits().latestEnd()
                            : read(coverage, details, number);
            if (latest.isPresent()) {
                return latest;
            }
        }
        return Optional.empty();
    }

    private static Optional<Instant> read(
            WalCoverage coverage, BackupDetails details, long number) {
        WalReader reader =
                WalReader.seek(
                        coverage.source(number + OVERHANG),
                        layout(coverage, details),
                        coverage.segment(number).start());
        return switch (WalSearch.find(reader, new WalTarget.AtTime(Instant.MAX, true))) {
            case WalSearch.Reached _ -> Optional.empty();
            case WalSearch.NotReached(_, Optional<Instant> latest) -> latest;
        };
    }
}
