package dev.mainstay.cli;

import dev.mainstay.base.Lsn;
import dev.mainstay.engine.archive.StoredTimeline;
import dev.mainstay.engine.archive.ToldTimeline;

import tools.jackson.databind.JsonNode;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What `wal timeline` shows, of a log that was read here or by a server.
///
/// @param stored first and last position of what is stored; empty if that is nothing
/// @param end of what is stored, where the range goes on beyond it
record ShownTimeline(
        String timeline,
        Optional<Instant> firstCommit,
        Optional<Instant> lastCommit,
        Optional<Stored> stored,
        Duration interval,
        List<Event> events,
        Optional<String> end) {
    /// How a server says what to restore to.
    private static final Pattern BEFORE = Pattern.compile("targetLsn (\\S+), exclusive");

    private static final Pattern POINT = Pattern.compile("targetName (.+)", Pattern.DOTALL);

    record Stored(String begins, String ends, int gaps) {}

    record Event(
            Optional<Instant> time,
            String lsn,
            String xid,
            String kind,
            String text,
            String restore) {}

    static ShownTimeline of(ToldTimeline told) {
        StoredTimeline.Story story = told.story();
        List<StoredTimeline.Stretch> stretches = story.stretches();
        return new ShownTimeline(
                story.history().timeline().toString(),
                story.earliest(),
                story.latest(),
                stretches.isEmpty()
                        ? Optional.empty()
                        : Optional.of(
                                new Stored(
                                        stretches.getFirst().begin().toString(),
                                        stretches.getLast().end().toString(),
                                        stretches.size() - 1)),
                told.interval(),
                told.rows().stream().map(ShownTimeline::event).toList(),
                told.end().map(Lsn::toString));
    }

    private static Event event(ToldTimeline.Row row) {
        return new Event(
                row.time(),
                row.lsn().isNone() ? "" : row.lsn().toString(),
                row.xid(),
                row.kind(),
                row.text(),
                row.restore());
    }

    /// @param told the answer of `GET /api/v1/sources/{source}/timeline`
    static ShownTimeline of(JsonNode told, ToldTimeline.RestoreCall call) {
        JsonNode from = told.path("storedFromLsn");
        return new ShownTimeline(
                told.path("timeline").asString(),
                RemoteServer.time(told.path("firstCommit")),
                RemoteServer.time(told.path("lastCommit")),
                from.isString()
                        ? Optional.of(
                                new Stored(
                                        from.asString(),
                                        told.path("storedToLsn").asString(),
                                        told.path("gaps").asInt(0)))
                        : Optional.empty(),
                Duration.ofMillis(Math.round(told.path("intervalSeconds").asDouble(0) * 1000)),
                told.path("events").values().stream().map(each -> event(each, call)).toList(),
                Optional.of(told.path("endsLsn"))
                        .filter(JsonNode::isString)
                        .map(JsonNode::asString));
    }

    private static Event event(JsonNode event, ToldTimeline.RestoreCall call) {
        return new Event(
                RemoteServer.time(event.path("time")),
                event.path("lsn").asString(""),
                event.path("xid").asString(""),
                event.path("kind").asString(""),
                event.path("event").asString(""),
                restore(event.path("restore").asString(""), call));
    }

    private static String restore(String told, ToldTimeline.RestoreCall call) {
        Matcher before = BEFORE.matcher(told);
        if (before.matches()) {
            return call.before(Lsn.parse(before.group(1)));
        }
        Matcher point = POINT.matcher(told);
        return point.matches() ? call.at(point.group(1)) : told;
    }

    Document document(String source) {
        Document document = Document.of("timeline " + timeline + " of " + source);
        if (stored.isEmpty()) {
            return document.add("note", "nothing of it is stored");
        }
        document.add("firstCommit", firstCommit)
                .add("lastCommit", lastCommit)
                .add("begins", stored.get().begins)
                .add("ends", stored.get().ends)
                .add("gaps", stored.get().gaps)
                .add("interval", interval);
        if (events.isEmpty()) {
            document.add("note", "nothing happened in this range");
        }
        Table table = Table.of("time", "lsn", "xid", "kind", "event", "restore");
        for (Event each : events) {
            table.row(
                    each.time.map(Object.class::cast).orElse(""),
                    each.lsn,
                    each.xid,
                    each.kind,
                    each.text,
                    each.restore);
        }
        end.ifPresent(at -> table.row("", at, "", "end", "END of what is stored", ""));
        return document.add("events", table);
    }
}
