package dev.mainstay.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

import tools.jackson.databind.JsonNode;

import java.util.List;
import java.util.Map;

/// `mainstay jobs --server URL` and `mainstay jobs show|follow|cancel ID --server URL`
@Command(name = "jobs")
final class JobsCommand implements Verb {
    @Parameters(
            arity = "0..2",
            paramLabel = "show ID | follow ID | cancel ID",
            description =
                    "one job; or as it goes on, until it ends; or end it (default: the last 50)")
    private List<String> words = List.of();

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) {
        return server.ask(session, ServerOption.STOPPED, this::ask);
    }

    private Document ask(RemoteServer remote) throws InterruptedException {
        if (words.isEmpty()) {
            return list(remote);
        }
        if (words.size() == 2) {
            String path = "jobs/" + RemoteServer.encoded(words.get(1));
            switch (words.getFirst()) {
                case "show" -> {
                    return document(remote.get(path)).add("attempts", attempts(remote, path));
                }
                case "follow" -> {
                    return document(new RemoteJob(remote).follow(words.get(1)));
                }
                case "cancel" -> {
                    return document(remote.post(path + "/cancel", Map.of(), Map.of()));
                }
                default -> {} // refused below
            }
        }
        throw Usage.notUnderstood("jobs", words);
    }

    private static Document list(RemoteServer remote) throws InterruptedException {
        Table table = Table.of("job", "kind", "target", "state", "started", "ended", "requestedBy");
        for (JsonNode each : remote.get("jobs?limit=50").path("jobs")) {
            table.row(
                    each.path("id").asString(),
                    each.path("kind").asString(),
                    each.path("target").asString(""),
                    each.path("state").asString(),
                    RemoteServer.time(each.path("started")),
                    RemoteServer.time(each.path("ended")),
                    each.path("requestedBy").asString(""));
        }
        return (table.isEmpty() ? Document.of("no jobs yet") : Document.untitled())
                .add("jobs", table);
    }

    private static Table attempts(RemoteServer remote, String path) throws InterruptedException {
        Table table = Table.of("attempt", "state", "started", "ended", "error", "message");
        for (JsonNode each : remote.get(path + "/attempts")) {
            table.row(
                    each.path("number").asInt(),
                    each.path("state").asString(),
                    RemoteServer.time(each.path("started")),
                    RemoteServer.time(each.path("ended")),
                    each.path("failure").path("error").asString(""),
                    each.path("failure").path("message").asString(""));
        }
        return table;
    }

    private static Document document(JsonNode job) {
        Document document =
                Document.of(
                                "job "
                                        + job.path("id").asString()
                                        + " is "
                                        + job.path("state").asString())
                        .add("job", job.path("id").asString())
                        .add("kind", job.path("kind").asString())
                        .add("target", job.path("target").asString(""))
                        .add("state", job.path("state").asString())
                        .add("requestedBy", job.path("requestedBy").asString(""))
                        .add("due", RemoteServer.time(job.path("due")))
                        .add("started", RemoteServer.time(job.path("started")))
                        .add("ended", RemoteServer.time(job.path("ended")));
        JsonNode failure = job.path("failure");
        if (failure.isObject()) {
            document.add("error", failure.path("error").asString(""))
                    .add("message", failure.path("message").asString(""))
                    .add("hint", failure.path("hint").asString(""));
        }
        RemoteJob.results(document, job);
        return document;
    }
}
