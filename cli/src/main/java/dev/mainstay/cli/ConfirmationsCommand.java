package dev.mainstay.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import tools.jackson.databind.JsonNode;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// `mainstay confirmations --server URL` and `mainstay confirmations approve|refuse ID --server
/// URL`
@Command(name = "confirmations")
final class ConfirmationsCommand implements Verb {
    @Parameters(
            arity = "0..2",
            paramLabel = "approve ID | refuse ID",
            description =
                    "agree that something is destroyed; or keep it from being (default: list)")
    private List<String> words = List.of();

    @Option(names = "--yes", description = "do not ask before something is approved")
    private boolean yes;

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) throws IOException {
        return server.ask(session, ServerOption.STOPPED, remote -> ask(remote, session));
    }

    private Document ask(RemoteServer remote, Session session)
            throws IOException, InterruptedException {
        if (words.isEmpty()) {
            return list(remote);
        }
        String action = words.getFirst();
        if (words.size() != 2 || !List.of("approve", "refuse").contains(action)) {
            throw Usage.notUnderstood("confirmations", words);
        }
        String path = "confirmations/" + RemoteServer.encoded(words.get(1));
        if (action.equals("approve")) {
            JsonNode asked = remote.get(path);
            Confirm.danger(
                    session,
                    asked.path("askedBy").asString("")
                            + " asks for leave: "
                            + String.join("; ", lost(asked)),
                    yes);
        }
        JsonNode now = remote.post(path + "/" + action, Map.of(), Map.of());
        return Document.of(
                        "confirmation "
                                + now.path("id").asString()
                                + " is "
                                + now.path("state").asString())
                .add("confirmation", now.path("id").asString())
                .add("state", now.path("state").asString())
                .addAll("lost", lost(now));
    }

    private static List<String> lost(JsonNode confirmation) {
        List<String> lost = new ArrayList<>();
        confirmation.path("lost").forEach(each -> lost.add(each.asString()));
        return lost;
    }

    private static Document list(RemoteServer remote) throws InterruptedException {
        Table table = Table.of("confirmation", "action", "target", "state", "expires", "askedBy");
        for (JsonNode each : remote.get("confirmations")) {
            table.row(
                    each.path("id").asString(),
                    each.path("action").asString(),
                    each.path("target").asString(""),
                    each.path("state").asString(),
                    Instant.parse(each.path("expires").asString()),
                    each.path("askedBy").asString(""));
        }
        return (table.isEmpty()
                        ? Document.of("nobody asked leave for anything")
                        : Document.untitled())
                .add("confirmations", table);
    }
}
