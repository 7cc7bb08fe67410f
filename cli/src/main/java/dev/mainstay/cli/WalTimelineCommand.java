package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.archive.ArchivedTimelines;
import dev.mainstay.engine.archive.CatalogHistory;
import dev.mainstay.engine.archive.StoredLog;
import dev.mainstay.engine.archive.StoredTimeline;
import dev.mainstay.engine.archive.StoredTimeline.Story;
import dev.mainstay.engine.archive.StoredTimeline.Stretch;
import dev.mainstay.engine.config.Durations;
import dev.mainstay.postgres.wal.TimelineEvent;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// `mainstay wal timeline SOURCE`
@Command(
        name = "timeline",
        description = "what happened when, and how to go back to the moment before")
final class WalTimelineCommand implements Verb {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    @Parameters(paramLabel = "SOURCE", description = "which source of the configuration")
    private String source = "";

    @Option(
            names = "--from",
            paramLabel = "TIME",
            description = "not before, as '2026-11-21 05:00:00+01' (default: the oldest WAL)")
    private Optional<String> from = Optional.empty();

    @Option(
            names = "--to",
            paramLabel = "TIME",
            description = "before this time (default: the newest WAL)")
    private Optional<String> to = Optional.empty();

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            description = "count commits per 10min, 1h, … (default: what gives a page)")
    private Optional<String> interval = Optional.empty();

    @Option(
            names = "--timeline",
            paramLabel = "N",
            description = "along which timeline (default: the newest)")
    private Optional<String> timeline = Optional.empty();

    /// What the options ask for.
    private record Range(Instant from, Instant to) {
        boolean contains(Instant at) {
            return !at.isBefore(from) && at.isBefore(to);
        }

        boolean meets(Instant begin, Instant end) {
            return end.isAfter(from) && begin.isBefore(to);
        }
    }

    @Override
    public Document run(Session session) {
        Range range = range();
        Optional<Duration> step = interval.map(WalTimelineCommand::interval);
        Optional<TimelineId> wanted = timeline.map(WalTimelineCommand::timeline);
        try (Repository repository = OpenSource.repository(session)) {
            ArchivedTimelines timelines =
                    ArchivedTimelines.of(OpenSource.known(session, repository, source));
            timelines.damaged().forEach(each -> session.progress().note("WARNING: " + each));
            TimelineId newest = timelines.newest();
            StoredLog log = timelines.log(wanted.orElse(newest));
            if (!timelines.isHistoryKnown(log.history().timeline())) {
                session.progress()
                        .note(
                                "WARNING: "
                                        + log.history().timeline().historyFileName()
                                        + " is not stored; what was before this timeline is not"
                                        + " shown, and it cannot be restored");
            }
            Story story = StoredTimeline.read(log);
            CatalogHistory catalogs = new CatalogHistory(timelines, story.history());
            String option =
                    story.history().timeline().equals(newest)
                            ? ""
                            : " --timeline " + story.history().timeline();
            return document(
                    story,
                    range,
                    step.orElseGet(() -> handy(story, range)),
                    rows(story, catalogs, new Call(call(session), option)));
        }
    }

    private Range range() {
        Range range =
                new Range(
                        from.map(text -> TargetTime.parse("--from", text)).orElse(Instant.MIN),
                        to.map(text -> TargetTime.parse("--to", text)).orElse(Instant.MAX));
        if (!range.from.isBefore(range.to)) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--from " + range.from + " is not before --to " + range.to);
        }
        return range;
    }

    private static Duration interval(String text) {
        Duration interval;
        try {
            interval = Durations.parse(text);
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--interval '" + text + "' is no length of time",
                    "write it like 10min, 2h or 1d",
                    wrong);
        }
        if (interval.isZero() || interval.toMillis() % MINUTE.toMillis() != 0) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--interval "
                            + text
                            + " is not made of full minutes, which is how commits are"
                            + " counted",
                    "use 1min or a multiple of it",
                    null);
        }
        return interval;
    }

    private static TimelineId timeline(String text) {
        try {
            return TimelineId.of(Integer.parseUnsignedInt(text));
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "--timeline '" + text + "' is no number", wrong);
        }
    }

    private static Duration handy(Story story, Range range) {
        Instant first = story.earliest().orElse(Instant.EPOCH);
        Instant last = story.latest().orElse(first);
        Instant begin = first.isBefore(range.from) ? range.from : first;
        Instant end = last.isAfter(range.to) ? range.to : last;
        return CommitCounts.handy(
                begin.isBefore(end) ? Duration.between(begin, end) : Duration.ZERO);
    }

    /// As the shell wants it, up to what is restored to.
    private String call(Session session) {
        return "mainstay"
                + session.configOption()
                        .map(file -> " --config " + ShellWord.quote(file.toString()))
                        .orElse("")
                + " restore "
                + ShellWord.quote(source)
                + " --to DIR";
    }

    private record Call(String begin, String option) implements TimelineRows.RestoreCall {
        @Override
        public String before(Lsn lsn) {
            return begin + " --target-lsn " + lsn + " --exclusive" + option;
        }

        @Override
        public String at(String restorePoint) {
            return begin + " --target-name " + ShellWord.quote(restorePoint) + option;
        }
    }

    private static List<TimelineRows.Row> rows(Story story, CatalogHistory catalogs, Call call) {
        List<TimelineRows.Row> rows = new ArrayList<>();
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

    private static TimelineRows.Row parting(
            TimelineHistory history,
            TimelineHistory.Ancestor parting,
            List<TimelineRows.Row> rows,
            Instant now) {
        Instant order =
                rows.stream()
                        .filter(row -> row.lsn().isBefore(parting.end()))
                        .max(Comparator.comparing(TimelineRows.Row::lsn))
                        .map(TimelineRows.Row::order)
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

    private static TimelineRows.Row row(Instant order, Lsn lsn, String kind, String text) {
        return new TimelineRows.Row(order, Optional.empty(), lsn, "", kind, text, "");
    }

    private Document document(
            Story story, Range range, Duration step, List<TimelineRows.Row> events) {
        List<TimelineRows.Row> rows = commits(story, range, step);
        events.stream().filter(row -> shown(row, story, range)).forEach(rows::add);
        rows.sort(Comparator.comparing(TimelineRows.Row::order)); // stable: the log's order within
        Document document = Document.of("timeline " + story.history().timeline() + " of " + source);
        if (story.stretches().isEmpty()) {
            return document.add("note", "nothing of it is stored");
        }
        Stretch last = story.stretches().getLast();
        document.add("firstCommit", story.earliest())
                .add("lastCommit", story.latest())
                .add("begins", story.stretches().getFirst().begin().toString())
                .add("ends", last.end().toString())
                .add("gaps", story.stretches().size() - 1)
                .add("interval", step);
        if (rows.isEmpty()) {
            document.add("note", "nothing happened in this range");
        }
        Table table = Table.of("time", "lsn", "xid", "kind", "event", "restore");
        rows.forEach(
                row ->
                        table.row(
                                row.time().map(Object.class::cast).orElse(""),
                                row.lsn().isNone() ? "" : row.lsn().toString(),
                                row.xid(),
                                row.kind(),
                                row.text(),
                                row.restore()));
        if (range.to.isAfter(story.latest().orElse(Instant.MIN))) {
            table.row("", last.end().toString(), "", "end", "END of what is stored", "");
        }
        return document.add("events", table);
    }

    /// A gap is shown wherever a moment of it may lie in the range.
    private static boolean shown(TimelineRows.Row row, Story story, Range range) {
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

    private static List<TimelineRows.Row> commits(Story story, Range range, Duration step) {
        CommitCounts counts = new CommitCounts(step);
        for (TimelineEvent event : story.events()) {
            if (event instanceof TimelineEvent.Commits commits
                    && range.meets(commits.minute(), commits.minute().plus(MINUTE))) {
                counts.add(commits);
            }
        }
        List<TimelineRows.Row> rows = new ArrayList<>();
        counts.counts()
                .forEach(
                        (begin, count) ->
                                rows.add(
                                        new TimelineRows.Row(
                                                begin,
                                                Optional.of(begin),
                                                Lsn.NONE,
                                                "",
                                                "commits",
                                                count
                                                        + (count == 1 ? " commit" : " commits")
                                                        + " in "
                                                        + PlainText.duration(step),
                                                "")));
        return rows;
    }
}
