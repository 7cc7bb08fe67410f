package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;

import tools.jackson.databind.JsonNode;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A restore that a server plans or does, into a directory of its own host.
///
/// @param source what is restored
/// @param body of `POST /api/v1/restores`
record RemoteRestore(RemoteServer server, String source, Map<String, Object> body) {
    Document plan() throws InterruptedException {
        JsonNode plan = planned();
        Document document =
                PlannedRestore.of(plan)
                        .describe(Document.of("this restore is possible; nothing was done"));
        JsonNode inPlace = plan.path("inPlace");
        if (inPlace.isObject()) {
            document.add("inPlace", true)
                    .add("filesToRemove", inPlace.path("filesToRemove").asLong(0))
                    .add("directoriesToRemove", inPlace.path("directoriesToRemove").asLong(0));
            addUnlessEmpty(document, "removes", inPlace.path("removes"));
            addUnlessEmpty(document, "leftAlone", inPlace.path("leftAlone"));
        }
        return plan.path("keepsPrevious").asBoolean(false)
                ? document.add("keepsPrevious", true)
                : document;
    }

    private JsonNode planned() throws InterruptedException {
        return server.post("restores/plan", body, Map.of());
    }

    private static void addUnlessEmpty(Document document, String key, JsonNode texts) {
        List<String> all = RemoteServer.texts(texts);
        if (!all.isEmpty()) {
            document.addAll(key, all);
        }
    }

    /// Has the server read and prove everything; it writes nothing.
    Document validate() throws InterruptedException {
        JsonNode job = new RemoteJob(server).run("restores/validate", body, Optional.empty());
        return PlannedRestore.of(job.path("result"))
                .describe(Document.of("everything this restore needs is there and whole"))
                .add("duration", Duration.ofSeconds(job.at("/result/seconds").asLong(0)))
                .add("job", job.path("id").asString());
    }

    /// @param yes whether somebody agreed to a restore in place already
    Document run(boolean yes) throws IOException, InterruptedException {
        JsonNode plan = planned();
        Map<String, Object> wanted = new HashMap<>(body);
        // One that is committed meanwhile is not what was planned, and shown.
        wanted.put("backup", plan.path("backup").asString());
        Optional<String> token =
                body.containsKey("inPlace")
                        ? new RemoteWork(server)
                                .confirmed(Map.of("action", "restore", "restore", wanted), yes)
                        : Optional.empty();
        JsonNode job = new RemoteJob(server).run("restores", wanted, token);
        JsonNode result = job.path("result");
        PlannedRestore done = PlannedRestore.of(plan).done(result);
        Document document = Document.of(source + " is restored in " + done.directory());
        if (result.has("compared")) {
            document.add("inPlace", true);
            for (String key : List.of("compared", "kept", "rewritten", "fetched")) {
                document.add(key, ByteSize.of(result.path(key).asLong(0)));
            }
            document.add("filesRemoved", result.path("filesRemoved").asLong(0))
                    .add("directoriesRemoved", result.path("directoriesRemoved").asLong(0));
        }
        if (result.has("previous")) {
            document.add("previous", result.path("previous").asString());
        }
        return done.describe(document)
                .add("duration", Duration.ofSeconds(result.path("seconds").asLong(0)))
                .add("job", job.path("id").asString())
                .add("next", result.path("next").asString(""));
    }
}
