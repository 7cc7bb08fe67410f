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
import dev.mainstay.engine.archive.ToldTimeline;
import dev.mainstay.engine.restore.TargetTime;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// `mainstay wal timeline SOURCE`
@Command(
        name = "timeline",
        description = "what happened when, and how to go back to the moment before")
final class WalTimelineCommand implements Verb {
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

    @Override
    public Document run(Session session) {
        ToldTimeline.Range range = range();
        Optional<Duration> step = interval.map(ToldTimeline::interval);
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
                    ToldTimeline.of(story, catalogs, range, step, new Call(call(session), option)));
        }
    }

    private ToldTimeline.Range range() {
        return ToldTimeline.Range.of(
                from.map(text -> TargetTime.parse("--from", text)),
                to.map(text -> TargetTime.parse("--to", text)),
                "--from",
                "--to");
    }

    private static TimelineId timeline(String text) {
        try {
            return TimelineId.of(Integer.parseUnsignedInt(text));
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "--timeline '" + text + "' is no number", wrong);
        }
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

    private record Call(String begin, String option) implements ToldTimeline.RestoreCall {
        @Override
        public String before(Lsn lsn) {
            return begin + " --target-lsn " + lsn + " --exclusive" + option;
        }

        @Override
        public String at(String restorePoint) {
            return begin + " --target-name " + ShellWord.quote(restorePoint) + option;
        }
    }

    private Document document(ToldTimeline told) {
        Story story = told.story();
        Document document = Document.of("timeline " + story.history().timeline() + " of " + source);
        if (story.stretches().isEmpty()) {
            return document.add("note", "nothing of it is stored");
        }
        document.add("firstCommit", story.earliest())
                .add("lastCommit", story.latest())
                .add("begins", story.stretches().getFirst().begin().toString())
                .add("ends", story.stretches().getLast().end().toString())
                .add("gaps", story.stretches().size() - 1)
                .add("interval", told.interval());
        List<ToldTimeline.Row> rows = told.rows();
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
        told.end()
                .ifPresent(
                        end ->
                                table.row(
                                        "",
                                        end.toString(),
                                        "",
                                        "end",
                                        "END of what is stored",
                                        ""));
        return document.add("events", table);
    }
}
