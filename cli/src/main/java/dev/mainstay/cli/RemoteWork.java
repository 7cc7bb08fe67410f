package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import tools.jackson.databind.JsonNode;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What commands have a server do.
final class RemoteWork {
    private static final Duration PAUSE = Duration.ofSeconds(2);

    private final RemoteServer server;

    RemoteWork(RemoteServer server) {
        this.server = server;
    }

    private interface Asked {
        Document of(RemoteWork work) throws IOException, InterruptedException;
    }

    private static Document with(ServerOption option, Session session, Asked asked)
            throws IOException {
        return option.ask(
                session,
                ServerOption.STOPPED + "; nothing was started",
                server -> asked.of(new RemoteWork(server)));
    }

    /// A job that removes nothing.
    static Document job(ServerOption option, Session session, Map<String, String> wanted)
            throws IOException {
        return with(
                option,
                session,
                work ->
                        RemoteJob.document(
                                new RemoteJob(work.server).run(wanted, Optional.empty())));
    }

    /// @param copy empty for all of the server's configuration
    static Document copy(ServerOption option, Session session, Optional<String> copy)
            throws IOException {
        return with(option, session, work -> work.copies(copy));
    }

    private Document copies(Optional<String> copy) throws InterruptedException {
        List<String> names = new ArrayList<>(copy.stream().toList());
        if (names.isEmpty()) {
            server.get("copies").forEach(each -> names.add(each.path("name").asString()));
        }
        Table table = Table.of("copy", "job", "objects", "size");
        for (String name : names) {
            JsonNode job =
                    new RemoteJob(server)
                            .run(Map.of("kind", "copy", "target", name), Optional.empty());
            table.row(
                    name,
                    job.path("id").asString(),
                    job.at("/result/objects").asLong(0),
                    ByteSize.of(job.at("/result/bytes").asLong(0)));
        }
        return Document.of(names.isEmpty() ? "the server has no copies" : "copied")
                .add("copies", table);
    }

    static Document copyState(ServerOption option, Session session, Optional<String> copy)
            throws IOException {
        return with(option, session, work -> work.state(copy));
    }

    private Document state(Optional<String> copy) throws InterruptedException {
        Table table = Table.of("copy", "state", "objectsMissing", "sizeMissing", "where");
        for (JsonNode each : server.get("copies")) {
            String name = each.path("name").asString();
            if (copy.isEmpty() || copy.get().equals(name)) {
                table.row(
                        name,
                        each.path("state").asString(),
                        each.path("missingObjects").asLong(),
                        ByteSize.of(each.path("missingBytes").asLong()),
                        each.path("url").asString());
            }
        }
        return Document.untitled().add("copies", table);
    }

    /// What removes something: the server says what, somebody here agrees, and a second person
    /// where the server demands one.
    static Document prune(ServerOption option, Session session, boolean yes) throws IOException {
        return with(option, session, work -> work.pruned(yes));
    }

    private Document pruned(boolean yes) throws IOException, InterruptedException {
        Optional<String> token = confirmed(Map.of("action", "prune"), yes);
        return RemoteJob.document(new RemoteJob(server).run(Map.of("kind", "prune"), token));
    }

    /// What a prune would remove, as [PruneCommand] tells it.
    static Document prunePlan(ServerOption option, Session session) throws IOException {
        return with(
                option,
                session,
                work -> PruneCommand.planned(RemoteFacts.prune(work.server.get("prune"))));
    }

    static Document release(ServerOption option, Session session, String id, boolean yes)
            throws IOException {
        return with(option, session, work -> work.released(id, yes));
    }

    private Document released(String id, boolean yes) throws IOException, InterruptedException {
        Map<String, String> headers = new HashMap<>();
        confirmed(Map.of("action", "release", "target", id), yes)
                .ifPresent(token -> headers.put("Confirmation-Token", token));
        JsonNode backup =
                server.post("backups/" + RemoteServer.encoded(id) + "/release", Map.of(), headers);
        return Document.of("backup " + id + " is not held any more")
                .add("source", backup.path("source").asString())
                .add("backup", backup.path("backup").asString());
    }

    /// @param source empty for all of the server's configuration
    static Document expire(
            ServerOption option, Session session, Optional<String> source, boolean yes)
            throws IOException {
        return with(option, session, work -> work.expired(source, yes));
    }

    private Document expired(Optional<String> source, boolean yes)
            throws IOException, InterruptedException {
        List<String> removed = new ArrayList<>();
        ExpiryTables tables = new ExpiryTables();
        for (String name : sources(source)) {
            Optional<String> token = confirmed(Map.of("action", "expire", "target", name), yes);
            plan(tables, name);
            if (token.isPresent()) {
                JsonNode job =
                        new RemoteJob(server).run(Map.of("kind", "expire", "target", name), token);
                for (String each : job.at("/result/removed").asString("").split(" ", -1)) {
                    if (!each.isEmpty()) {
                        removed.add(each);
                    }
                }
            }
        }
        Document document =
                Document.of(ExpiryTables.headline(removed.size(), " removed"))
                        .addAll("removed", removed);
        return tables.addTo(document);
    }

    private void plan(ExpiryTables tables, String source) throws InterruptedException {
        try {
            RemoteBackups.retention(
                    tables,
                    source,
                    server.get("sources/" + RemoteServer.encoded(source) + "/retention"));
        } catch (MainstayException none) {
            if (none.code() != ErrorCode.SOURCE_UNKNOWN) {
                throw none; // else nothing is stored of it yet
            }
        }
    }

    private List<String> sources(Optional<String> source) throws InterruptedException {
        List<String> names = new ArrayList<>(source.stream().toList());
        if (names.isEmpty()) {
            for (JsonNode each : server.get("sources")) {
                if (each.path("configured").asBoolean(false) && each.path("backups").asInt(0) > 0) {
                    names.add(each.path("name").asString());
                }
            }
        }
        return names;
    }

    /// Tells what would be lost, and asks.
    ///
    /// @param wanted the body of `POST /api/v1/confirmations`
    /// @return the token; empty where nothing would be lost
    Optional<String> confirmed(Map<String, ?> wanted, boolean yes)
            throws IOException, InterruptedException {
        JsonNode asked = server.post("confirmations", wanted, Map.of());
        JsonNode confirmation = asked.path("confirmation");
        List<String> lost = new ArrayList<>();
        confirmation.path("lost").forEach(each -> lost.add(each.asString()));
        if (lost.isEmpty()) {
            return Optional.empty();
        }
        String id = confirmation.path("id").asString();
        try {
            Confirm.danger(server.session(), String.join("; ", lost), yes);
        } catch (MainstayException no) {
            server.post("confirmations/" + id + "/refuse", Map.of(), Map.of());
            throw no;
        }
        await(confirmation, id);
        return Optional.of(asked.path("token").asString());
    }

    private void await(JsonNode confirmation, String id) throws InterruptedException {
        String state = confirmation.path("state").asString();
        if (state.equals("waiting")) {
            server.session()
                    .progress()
                    .note(
                            "waiting until "
                                    + confirmation.path("expires").asString()
                                    + " for a second person: mainstay confirmations approve "
                                    + id
                                    + " --server "
                                    + server);
        }
        while (state.equals("waiting")) {
            Thread.sleep(PAUSE);
            state = server.get("confirmations/" + id).path("state").asString();
        }
        if (!state.equals("good")) {
            throw new MainstayException(
                    ErrorCode.CONFIRMATION_OVER, "confirmation " + id + " is " + state);
        }
    }
}
