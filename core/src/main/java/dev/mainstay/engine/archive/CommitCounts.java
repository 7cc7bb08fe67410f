package dev.mainstay.engine.archive;

import dev.mainstay.postgres.wal.TimelineEvent;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Commits per interval, added up from those per minute that summaries count.
final class CommitCounts {
    private static final int ROWS = 30;
    private static final List<Duration> HANDY =
            List.of(
                    Duration.ofMinutes(1),
                    Duration.ofMinutes(5),
                    Duration.ofMinutes(10),
                    Duration.ofMinutes(30),
                    Duration.ofHours(1),
                    Duration.ofHours(3),
                    Duration.ofHours(6),
                    Duration.ofHours(12),
                    Duration.ofDays(1),
                    Duration.ofDays(7));

    private final Duration interval;
    private final TreeMap<Instant, Long> counts = new TreeMap<>();

    /// @param interval of full minutes
    CommitCounts(Duration interval) {
        this.interval = interval;
    }

    /// The shortest handy interval that gives a page of lines at most.
    static Duration handy(Duration span) {
        return HANDY.stream()
                .filter(each -> span.dividedBy(each) <= ROWS)
                .findFirst()
                .orElse(HANDY.getLast());
    }

    void add(TimelineEvent.Commits commits) {
        long seconds = interval.toSeconds();
        long begin = Math.floorDiv(commits.minute().getEpochSecond(), seconds) * seconds;
        counts.merge(Instant.ofEpochSecond(begin), commits.count(), Long::sum);
    }

    /// By the beginning of each interval; those without a commit are left out.
    Map<Instant, Long> counts() {
        return counts;
    }
}
