package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A job of a server, started and followed to its end. Who stops following stops nothing.
final class RemoteJob {
    private static final int TRIES = 30;
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final RemoteServer server;
    private final Progress progress;
    private String step = "";
    private long done;
    private String lastLine = "";

    RemoteJob(RemoteServer server) {
        this.server = server;
        this.progress = server.session().progress();
    }

    /// Starts one, and follows it.
    ///
    /// @param path what is posted to, under `/api/v1/`
    /// @param wanted the body
    /// @param confirmation empty where none is needed
    /// @return the job as it ended
    /// @throws MainstayException why it did not end well
    JsonNode run(String path, Map<String, ?> wanted, Optional<String> confirmation)
            throws InterruptedException {
        Map<String, String> headers = new HashMap<>();
        headers.put("Idempotency-Key", server.newKey());
        confirmation.ifPresent(token -> headers.put("Confirmation-Token", token));
        return follow(start(path, wanted, headers).path("id").asString());
    }

    /// As the other, of what `POST /api/v1/jobs` starts.
    JsonNode run(Map<String, String> wanted, Optional<String> confirmation)
            throws InterruptedException {
        return run("jobs", wanted, confirmation);
    }

    /// Sent again where the answer was lost: its key makes one job of both.
    private JsonNode start(String path, Map<String, ?> wanted, Map<String, String> headers)
            throws InterruptedException {
        try {
            return server.post(path, wanted, headers);
        } catch (MainstayException failed) {
            if (failed.code() != ErrorCode.SERVER_AWAY) {
                throw failed;
            }
            Thread.sleep(PAUSE);
            return server.post(path, wanted, headers);
        }
    }

    /// @return the job as it ended
    /// @throws MainstayException why it did not end well; INTERRUPTED if it goes on and nobody
    ///   follows it any more
    JsonNode follow(String id) throws InterruptedException {
        try {
            return ended(id, events(id));
        } catch (InterruptedException stopped) {
            throw left(id, stopped);
        } finally {
            progress.end();
        }
    }

    private MainstayException left(String id, Exception stopped) {
        return new MainstayException(
                ErrorCode.INTERRUPTED,
                "stopped by a signal; job " + id + " goes on at " + server,
                "'mainstay jobs follow "
                        + id
                        + " --server "
                        + server
                        + "' shows it again, 'mainstay jobs cancel "
                        + id
                        + "' ends it",
                stopped);
    }

    private JsonNode events(String id) throws InterruptedException {
        int tries = 0;
        while (true) {
            try (Stream<String> lines =
                    server.events("jobs/" + RemoteServer.encoded(id) + "/events", lastLine)) {
                Optional<JsonNode> end = read(lines.iterator());
                if (end.isPresent()) {
                    return end.get();
                }
                tries = 0;
            } catch (UncheckedIOException broken) {
                if (Thread.interrupted() || isOfInterruption(broken)) {
                    throw new InterruptedException();
                }
            } catch (MainstayException failed) {
                if (failed.code() != ErrorCode.SERVER_AWAY || tries >= TRIES) {
                    throw failed;
                }
            }
            tries++;
            Thread.sleep(PAUSE);
        }
    }

    private static boolean isOfInterruption(Throwable broken) {
        for (Throwable each = broken; each != null; each = each.getCause()) {
            if (each instanceof InterruptedException) {
                return true;
            }
        }
        return false;
    }

    /// @return the job as it ended, if the events come to that
    private Optional<JsonNode> read(Iterator<String> lines) {
        String event = "";
        String id = "";
        StringBuilder data = new StringBuilder();
        while (lines.hasNext()) {
            String line = lines.next();
            if (line.startsWith("event:")) {
                event = line.substring("event:".length()).strip();
            } else if (line.startsWith("id:")) {
                id = line.substring("id:".length()).strip();
            } else if (line.startsWith("data:")) {
                data.append(line.substring("data:".length()));
            } else if (line.isEmpty() && !data.isEmpty()) {
                JsonNode told = JsonMapper.shared().readTree(data.toString());
                switch (event) {
                    case "line" -> {
                        progress.note(told.path("text").asString(""));
                        lastLine = id;
                    }
                    case "job" -> advance(told.path("progress"));
                    case "end" -> {
                        return Optional.of(told);
                    }
                    default -> {} // of a newer server
                }
                data.setLength(0);
            }
        }
        return Optional.empty();
    }

    private void advance(JsonNode now) {
        String what = now.path("what").asString("");
        if (what.isEmpty()) {
            return;
        }
        if (!what.equals(step)) {
            progress.begin(what, now.path("bytesTotal").asLong(0));
            step = what;
            done = 0;
        }
        long reached = now.path("bytesDone").asLong(0);
        if (reached > done) {
            progress.advance(reached - done);
            done = reached;
        }
    }

    private static JsonNode ended(String id, JsonNode job) {
        String state = job.path("state").asString("");
        if (state.equals("done")) {
            return job;
        }
        JsonNode failure = job.path("failure");
        ErrorCode code =
                RemoteServer.code(failure.path("error").asString(""))
                        .orElse(ErrorCode.INTERRUPTED); // one that was cancelled has none
        throw new MainstayException(
                code,
                "job "
                        + id
                        + " is "
                        + state
                        + (failure.isObject() ? ": " + failure.path("message").asString("") : ""),
                failure.path("hint").asString("start it again if that was not wanted"),
                null);
    }

    /// What a job says about what it did.
    static Document document(JsonNode job) {
        String target = job.path("target").asString("");
        Document document =
                Document.of(
                                job.path("kind").asString("")
                                        + (target.isEmpty() ? "" : " " + target)
                                        + " is done")
                        .add("job", job.path("id").asString(""));
        results(document, job);
        return document;
    }

    static void results(Document document, JsonNode job) {
        job.path("result")
                .properties()
                .forEach(
                        each -> document.add(each.getKey(), value(each.getKey(), each.getValue())));
    }

    private static Object value(String name, JsonNode value) {
        String text = value.asString("");
        if (!text.matches("\\d{1,18}")) {
            return text;
        }
        long number = Long.parseLong(text);
        return name.startsWith("bytes") ? ByteSize.of(number) : number;
    }
}
