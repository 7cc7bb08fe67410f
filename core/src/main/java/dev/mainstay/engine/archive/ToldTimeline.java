package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.archive.StoredTimeline.Story;
import dev.mainstay.engine.archive.StoredTimeline.Stretch;
import dev.mainstay.engine.config.Durations;
import dev.mainstay.postgres.wal.TimelineEvent;
import dev.mainstay.postgres.wal.TimelineHistory;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// What happened when in a stored log, for people who look for a moment to go back to.
///
/// @param interval over which commits are counted
/// @param rows in the order of time
/// @param end of what is stored, where the range goes on beyond it
public record ToldTimeline(Story story, Duration interval, List<Row> rows, Optional<Lsn> end) {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    public ToldTimeline {
        rows = List.copyOf(rows);
    }

    /// Which part is of interest.
    ///
    /// @param to the first moment that is not
    public record Range(Instant from, Instant to) {
        /// @param fromName what whoever gives it calls the beginning
        /// @param toName what they call the end
        /// @throws MainstayException USAGE_INVALID if it holds nothing
        public static Range of(
                Optional<Instant> from, Optional<Instant> to, String fromName, String toName) {
            Range range = new Range(from.orElse(Instant.MIN), to.orElse(Instant.MAX));
            if (!range.from.isBefore(range.to)) {
                throw new MainstayException(
                        ErrorCode.USAGE_INVALID,
                        fromName + " " + range.from + " is not before " + toName + " " + range.to);
            }
            return range;
        }

        boolean contains(Instant at) {
            return !at.isBefore(from) && at.isBefore(to);
        }

        boolean meets(Instant begin, Instant end) {
            return end.isAfter(from) && begin.isBefore(to);
        }
    }

    /// @param order when it happened, as far as the log tells; what has no time of its own has that
    ///   of what came before
    /// @param time of its own
    /// @param lsn none where commits are counted
    /// @param xid empty where there is none
    /// @param restore how to go back to the moment before, or why that cannot be; empty where
    ///   nothing was lost
    public record Row(
            Instant order,
            Optional<Instant> time,
            Lsn lsn,
            String xid,
            String kind,
            String text,
            String restore) {}

    /// How to restore to the moment before something.
    public interface RestoreCall {
        String before(Lsn lsn);

        String at(String restorePoint);
    }

    /// @param step over which commits are counted; left empty, what gives a page
    public static ToldTimeline of(
            Story story,
            CatalogHistory catalogs,
            Range range,
            Optional<Duration> step,
            RestoreCall call) {
        Duration interval = step.orElseGet(() -> handy(story, range));
        List<Row> rows = commits(story, range, interval);
        rows(story, catalogs, call).stream()
                .filter(row -> shown(row, story, range))
                .forEach(rows::add);
        rows.sort(Comparator.comparing(Row::order)); // stable: the log's order within
        boolean toEnd =
                !story.stretches().isEmpty()
                        && range.to.isAfter(story.latest().orElse(Instant.MIN));
        return new ToldTimeline(
                story,
                interval,
                rows,
                toEnd ? Optional.of(story.stretches().getLast().end()) : Optional.empty());
    }

    /// A length of time over which commits can be counted, as people write it.
    ///
    /// @throws MainstayException USAGE_INVALID
    public static Duration interval(String text) {
        Duration interval;
        try {
            interval = Durations.parse(text);
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "interval '" + text + "' is no length of time",
                    "write it like 10min, 2h or 1d",
                    wrong);
        }
        if (interval.isZero() || interval.toMillis() % MINUTE.toMillis() != 0) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "interval "
                            + text
                            + " is not made of full minutes, which is how commits are"
                            + " counted",
                    "use 1min or a multiple of it",
                    null);
        }
        return interval;
    }

    private static Duration handy(Story story, Range range) {
        Instant first = story.earliest().orElse(Instant.EPOCH);
        Instant last = story.latest().orElse(first);
        Instant begin = first.isBefore(range.from) ? range.from : first;
        Instant end = last.isAfter(range.to) ? range.to : last;
        return CommitCounts.handy(
                begin.isBefore(end) ? Duration.between(begin, end) : Duration.ZERO);
    }

    private static List<Row> rows(Story story, CatalogHistory catalogs, RestoreCall call) {
        List<Row> rows = new ArrayList<>();
        Instant now = Instant.MIN;
        Lsn end = Lsn.NONE;
        for (Stretch stretch : story.stretches()) {
            if (!stretch.missing().isEmpty()) {
                rows.add(
                        row(
                                now,
                                end,
                                "gap",
                                "GAP: nothing is known up to "
                                        + stretch.begin()
                                        + ": "
                                        + stretch.missing()));
            }
            rows.addAll(new TimelineRows(catalogs, stretch, call, now).rows());
            for (TimelineHistory.Ancestor parting : story.history().ancestors()) {
                if (!parting.end().isBefore(stretch.begin())
                        && parting.end().isBefore(stretch.end())) {
                    rows.add(parting(story.history(), parting, rows, now));
                }
            }
            now = stretch.latest().orElse(now);
            end = stretch.end();
        }
        return rows;
    }

    private static Row parting(
            TimelineHistory history,
            TimelineHistory.Ancestor parting,
            List<Row> rows,
            Instant now) {
        Instant order =
                rows.stream()
                        .filter(row -> row.lsn().isBefore(parting.end()))
                        .max(Comparator.comparing(Row::lsn))
                        .map(Row::order)
                        .orElse(now);
        return row(
                order,
                parting.end(),
                "timeline",
                "timeline "
                        + history.timelineAt(parting.end())
                        + " branches off "
                        + parting.timeline());
    }

    private static Row row(Instant order, Lsn lsn, String kind, String text) {
        return new Row(order, Optional.empty(), lsn, "", kind, text, "");
    }

    /// A gap is shown wherever a moment of it may lie in the range.
    private static boolean shown(Row row, Story story, Range range) {
        if (row.kind().equals("gap")) {
            Instant after =
                    story.stretches().stream()
                            .filter(stretch -> stretch.begin().isAfter(row.lsn()))
                            .flatMap(stretch -> stretch.earliest().stream())
                            .findFirst()
                            .orElse(Instant.MAX);
            return range.meets(row.order(), after);
        }
        return range.contains(row.order())
                || row.order().equals(Instant.MIN) && range.from.equals(Instant.MIN);
    }

    private static List<Row> commits(Story story, Range range, Duration step) {
        CommitCounts counts = new CommitCounts(step);
        for (TimelineEvent event : story.events()) {
            if (event instanceof TimelineEvent.Commits commits
                    && range.meets(commits.minute(), commits.minute().plus(MINUTE))) {
                counts.add(commits);
            }
        }
        List<Row> rows = new ArrayList<>();
        counts.counts()
                .forEach(
                        (begin, count) ->
                                rows.add(
                                        new Row(
                                                begin,
                                                Optional.of(begin),
                                                Lsn.NONE,
                                                "",
                                                "commits",
                                                count
                                                        + (count == 1 ? " commit" : " commits")
                                                        + " in "
                                                        + Durations.words(step),
                                                "")));
        return rows;
    }
}
