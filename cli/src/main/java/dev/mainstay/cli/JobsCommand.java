package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

import tools.jackson.databind.JsonNode;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
        try (RemoteServer remote = server.open(session)) {
            if (words.isEmpty()) {
                return list(remote);
            }
            if (words.size() == 2) {
                String path = "jobs/" + RemoteServer.encoded(words.get(1));
                switch (words.getFirst()) {
                    case "show" -> {
                        return document(remote.get(path));
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
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "'jobs " + String.join(" ", words) + "' is not understood",
                    "see 'mainstay jobs --help'",
                    null);
        } catch (InterruptedException stopped) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped by a signal", stopped);
        }
    }

    private static Document list(RemoteServer remote) throws InterruptedException {
        Table table = Table.of("job", "kind", "target", "state", "started", "ended", "requestedBy");
        for (JsonNode each : remote.get("jobs?limit=50").path("jobs")) {
            table.row(
                    each.path("id").asString(),
                    each.path("kind").asString(),
                    each.path("target").asString(""),
                    each.path("state").asString(),
                    time(each.path("started")),
                    time(each.path("ended")),
                    each.path("requestedBy").asString(""));
        }
        return (table.isEmpty() ? Document.of("no jobs yet") : Document.untitled())
                .add("jobs", table);
    }

    private static Optional<Instant> time(JsonNode value) {
        return value.isString() ? Optional.of(Instant.parse(value.asString())) : Optional.empty();
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
                        .add("started", time(job.path("started")))
                        .add("ended", time(job.path("ended")));
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
