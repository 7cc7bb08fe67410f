package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.ShellWord;
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
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import tools.jackson.databind.JsonNode;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
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

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) {
        if (server.isGiven()) {
            return server.ask(session, ServerOption.STOPPED, this::remote);
        }
        ToldTimeline.Range range = range();
        Optional<Duration> step = interval.map(ToldTimeline::interval);
        Optional<TimelineId> wanted = timeline.map(WalTimelineCommand::timeline);
        try (Repository repository = OpenSource.repository(session)) {
            ArchivedTimelines timelines =
                    ArchivedTimelines.of(OpenSource.known(session, repository, source));
            TimelineId newest = timelines.newest();
            StoredLog log = timelines.log(wanted.orElse(newest));
            timelines
                    .warnings(log.history().timeline())
                    .forEach(each -> session.progress().note("WARNING: " + each));
            Story story = StoredTimeline.read(log);
            CatalogHistory catalogs = new CatalogHistory(timelines, story.history());
            String option =
                    story.history().timeline().equals(newest)
                            ? ""
                            : " --timeline " + story.history().timeline();
            Call call = new Call(call(session, ""), option);
            return ShownTimeline.of(ToldTimeline.of(story, catalogs, range, step, call))
                    .document(source);
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

    private Document remote(RemoteServer remote) throws InterruptedException {
        StringBuilder path = new StringBuilder("sources/");
        path.append(RemoteServer.encoded(source)).append("/timeline");
        char mark = '?';
        Map<String, Optional<String>> asked = new LinkedHashMap<>();
        asked.put("from", from);
        asked.put("to", to);
        asked.put("interval", interval);
        asked.put("timeline", timeline);
        for (Map.Entry<String, Optional<String>> each : asked.entrySet()) {
            if (each.getValue().isPresent()) {
                path.append(mark).append(each.getKey()).append('=');
                path.append(RemoteServer.encoded(each.getValue().get()));
                mark = '&';
            }
        }
        JsonNode told = remote.get(path.toString());
        RemoteServer.texts(told.path("warnings"))
                .forEach(each -> remote.session().progress().note("WARNING: " + each));
        String shown = told.path("timeline").asString();
        boolean newest = shown.equals(told.path("newest").asString());
        Call call =
                new Call(
                        call(remote.session(), " --server " + ShellWord.quote(remote.toString())),
                        newest ? "" : " --timeline " + shown);
        return ShownTimeline.of(told, call).document(source);
    }

    /// As the shell wants it, up to what is restored to.
    private String call(Session session, String options) {
        return "mainstay"
                + session.configOption()
                        .map(file -> " --config " + ShellWord.quote(file.toString()))
                        .orElse("")
                + " restore "
                + ShellWord.quote(source)
                + options
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
}
