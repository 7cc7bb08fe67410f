package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;

import tools.jackson.databind.JsonNode;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a server tells of backups.
final class RemoteBackups {
    private final RemoteServer server;

    private RemoteBackups(RemoteServer server) {
        this.server = server;
    }

    private interface Asked {
        Document of(RemoteBackups backups) throws InterruptedException;
    }

    private static Document with(ServerOption option, Session session, Asked asked) {
        return option.ask(
                session, ServerOption.STOPPED, server -> asked.of(new RemoteBackups(server)));
    }

    /// @param source empty for all
    static Document list(ServerOption option, Session session, Optional<String> source) {
        return with(option, session, backups -> backups.list(source));
    }

    static Document show(ServerOption option, Session session, String id) {
        return with(
                option,
                session,
                backups -> {
                    Document document = Document.of("backup " + id);
                    add(document, backups.server.get("backups/" + RemoteServer.encoded(id)));
                    return document;
                });
    }

    static Document hold(ServerOption option, Session session, String id, String reason) {
        return with(
                option,
                session,
                backups -> {
                    backups.server.post(
                            "backups/" + RemoteServer.encoded(id) + "/hold",
                            Map.of("reason", reason),
                            Map.of());
                    return Document.of("backup " + id + " is held until it is released")
                            .add("backup", id)
                            .add("held", reason);
                });
    }

    private static void add(Document document, JsonNode object) {
        object.properties()
                .forEach(
                        each -> {
                            JsonNode value = each.getValue();
                            if (value.isObject()) {
                                add(document, value);
                            } else if (value.isArray()) {
                                List<String> texts = new ArrayList<>();
                                value.forEach(one -> texts.add(text(one)));
                                document.addAll(each.getKey(), texts);
                            } else if (value.isIntegralNumber()) {
                                document.add(each.getKey(), value.asLong());
                            } else if (!value.isNull()) {
                                document.add(each.getKey(), text(value));
                            }
                        });
    }

    private static String text(JsonNode value) {
        return value.isString() ? value.asString() : value.toString();
    }

    private List<String> names(Optional<String> source) throws InterruptedException {
        List<String> names = new ArrayList<>(source.stream().toList());
        if (names.isEmpty()) {
            server.get("sources").forEach(each -> names.add(each.path("name").asString()));
        }
        return names;
    }

    private Document list(Optional<String> source) throws InterruptedException {
        Table table =
                Table.of("source", "backup", "type", "status", "begin", "size", "stored", "held");
        List<String> damaged = new ArrayList<>();
        for (String name : names(source)) {
            List<JsonNode> rows = rows(name, damaged);
            rows.reversed()
                    .forEach(
                            row ->
                                    table.row(
                                            name,
                                            row.path("backup").asString(),
                                            row.path("type").asString(""),
                                            row.path("status").asString(""),
                                            RemoteServer.time(row.path("begin")),
                                            ByteSize.of(row.path("sizeBytes").asLong(0)),
                                            ByteSize.of(row.path("storedBytes").asLong(0)),
                                            text(row, "held")));
        }
        Document document = table.isEmpty() ? Document.of("no backups yet") : Document.untitled();
        document.add("backups", table);
        return damaged.isEmpty()
                ? document
                : document.addAll("warnings", damaged).add("hint", ErrorCode.OBJECT_DAMAGED.hint());
    }

    /// The newest first.
    private List<JsonNode> rows(String source, List<String> damaged) throws InterruptedException {
        String path = "sources/" + RemoteServer.encoded(source) + "/backups?limit=1000";
        List<JsonNode> rows = new ArrayList<>();
        Optional<String> cursor = Optional.of("");
        while (cursor.isPresent()) {
            JsonNode page =
                    server.get(
                            cursor.get().isEmpty()
                                    ? path
                                    : path + "&cursor=" + RemoteServer.encoded(cursor.get()));
            page.path("backups").forEach(rows::add);
            cursor = text(page, "next");
            if (cursor.isEmpty()) {
                page.path("damaged").forEach(each -> damaged.add(source + ": " + each.asString()));
            }
        }
        return rows;
    }

    private static Optional<String> text(JsonNode object, String name) {
        return Optional.ofNullable(object.get(name))
                .filter(JsonNode::isString)
                .map(JsonNode::asString);
    }

    /// What `expire` would do.
    ///
    /// @param source empty for all
    static Document plan(ServerOption option, Session session, Optional<String> source) {
        return with(option, session, backups -> backups.plan(source));
    }

    private Document plan(Optional<String> source) throws InterruptedException {
        Table policies = Table.of("source", "policy");
        Table decisions = Table.of("source", "backup", "type", "ended", "decision", "why");
        int going = 0;
        for (String name : names(source)) {
            if (source.isEmpty() && rows(name, new ArrayList<>()).isEmpty()) {
                continue;
            }
            JsonNode plan = server.get("sources/" + RemoteServer.encoded(name) + "/retention");
            policies.row(name, plan.path("policy").asString(""));
            for (JsonNode each : plan.path("backups")) {
                List<String> why = new ArrayList<>();
                each.path("why").forEach(reason -> why.add(reason.asString()));
                going += each.path("decision").asString("").equals("goes") ? 1 : 0;
                decisions.row(
                        name,
                        each.path("backup").asString(),
                        each.path("type").asString(),
                        RemoteServer.time(each.path("ended")),
                        each.path("decision").asString(),
                        String.join("; ", why));
            }
        }
        String count = going == 0 ? "no backup" : going + (going == 1 ? " backup" : " backups");
        return Document.of(count + " would go").add("policies", policies).add("backups", decisions);
    }
}
