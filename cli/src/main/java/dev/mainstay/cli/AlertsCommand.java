package dev.mainstay.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import tools.jackson.databind.JsonNode;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `mainstay alerts --server URL` and `mainstay alerts show|acknowledge|resolve ID --server URL`
@Command(name = "alerts")
final class AlertsCommand implements Verb {
    @Parameters(
            arity = "0..2",
            paramLabel = "show ID | acknowledge ID | resolve ID",
            description =
                    "why, what it means, what to do; or say that you look after it; or that it is"
                            + " over (default: the last 100)")
    private List<String> words = List.of();

    @Option(
            names = "--state",
            paramLabel = "firing|acknowledged|resolved",
            description = "only those that are (default: all)")
    private Optional<String> state = Optional.empty();

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) {
        return server.ask(session, ServerOption.STOPPED, this::ask);
    }

    private Document ask(RemoteServer remote) throws InterruptedException {
        if (words.isEmpty()) {
            return list(remote);
        }
        String action = words.getFirst();
        if (words.size() != 2
                || state.isPresent()
                || !List.of("show", "acknowledge", "resolve").contains(action)) {
            throw Usage.notUnderstood("alerts", words);
        }
        String path = "alerts/" + RemoteServer.encoded(words.get(1));
        return document(
                action.equals("show")
                        ? remote.get(path)
                        : remote.post(path + "/" + action, Map.of(), Map.of()));
    }

    private Document list(RemoteServer remote) throws InterruptedException {
        String which = state.map(word -> "&state=" + RemoteServer.encoded(word)).orElse("");
        Table table = Table.of("alert", "severity", "state", "subject", "title", "began", "seen");
        for (JsonNode each : remote.get("alerts?limit=100" + which).path("alerts")) {
            table.row(
                    each.path("id").asString(),
                    each.path("severity").asString(),
                    each.path("state").asString(),
                    each.path("subject").asString(""),
                    each.path("title").asString(),
                    RemoteServer.time(each.path("began")),
                    RemoteServer.time(each.path("seen")));
        }
        return (table.isEmpty() ? Document.of("no alerts") : Document.untitled())
                .add("alerts", table);
    }

    private static Document document(JsonNode alert) {
        return Document.of(
                        alert.path("severity").asString() + ": " + alert.path("title").asString())
                .add("alert", alert.path("id").asString())
                .add("state", alert.path("state").asString())
                .add("rule", alert.path("rule").asString())
                .add("subject", alert.path("subject").asString(""))
                .add("why", alert.path("reason").asString(""))
                .add("meaning", alert.path("meaning").asString(""))
                .add("whatToDo", alert.path("todo").asString(""))
                .add("began", RemoteServer.time(alert.path("began")))
                .add("seen", RemoteServer.time(alert.path("seen")))
                .add("acknowledged", RemoteServer.time(alert.path("acknowledged")))
                .add("acknowledgedBy", text(alert.path("acknowledgedBy")))
                .add("resolved", RemoteServer.time(alert.path("resolved")))
                .add("resolvedBy", text(alert.path("resolvedBy")))
                .add("escalated", RemoteServer.time(alert.path("escalated")));
    }

    private static Optional<String> text(JsonNode value) {
        return Optional.of(value).filter(JsonNode::isString).map(JsonNode::asString);
    }
}
