package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;

import tools.jackson.databind.JsonNode;

import java.time.Duration;
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
                    JsonNode backup = backups.server.get("backups/" + RemoteServer.encoded(id));
                    String source = backup.path("source").asString();
                    Document document = Document.of("backup " + id + " of " + source);
                    add(document, backup);
                    return document;
                });
    }

    static Document hold(ServerOption option, Session session, String id, String reason) {
        return with(
                option,
                session,
                backups -> {
                    JsonNode backup =
                            backups.server.post(
                                    "backups/" + RemoteServer.encoded(id) + "/hold",
                                    Map.of("reason", reason),
                                    Map.of());
                    return Document.of("backup " + id + " is held until it is released")
                            .add("source", backup.path("source").asString())
                            .add("backup", id)
                            .add("held", reason);
                });
    }

    /// By the names and with the units that [BackupsCommand] has.
    private static void add(Document document, JsonNode object) {
        object.properties().forEach(each -> add(document, each.getKey(), each.getValue()));
    }

    private static void add(Document document, String key, JsonNode value) {
        if (value.isObject()) {
            add(document, value);
        } else if (value.isArray()) {
            document.addAll(key, RemoteServer.texts(value));
        } else if (value.isNumber() && key.endsWith("Bytes")) {
            document.add(without(key, "Bytes"), ByteSize.of(value.asLong()));
        } else if (value.isNumber() && key.endsWith("Seconds")) {
            long millis = Math.round(value.asDouble() * 1000);
            document.add(without(key, "Seconds"), Duration.ofMillis(millis));
        } else if (value.isNumber() && !key.equals("timeline")) {
            document.add(key, value.asLong());
        } else if (value.isBoolean()) {
            document.add(key, value.asBoolean());
        } else if (!value.isNull()) {
            document.add(key, value.asString());
        } else if (key.equals("held")) {
            document.add(key, Optional.empty());
        }
    }

    private static String without(String key, String unit) {
        return key.substring(0, key.length() - unit.length());
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
        ExpiryTables tables = new ExpiryTables();
        int going = 0;
        for (String name : names(source)) {
            if (source.isEmpty() && rows(name, new ArrayList<>()).isEmpty()) {
                continue;
            }
            JsonNode plan = server.get("sources/" + RemoteServer.encoded(name) + "/retention");
            going += retention(tables, name, plan);
        }
        return tables.addTo(Document.of(ExpiryTables.headline(going, " would go")));
    }

    /// @param plan the answer of `GET /api/v1/sources/{source}/retention`
    /// @return how many backups would go
    static int retention(ExpiryTables tables, String source, JsonNode plan) {
        tables.policies.row(source, plan.path("policy").asString(""));
        int going = 0;
        for (JsonNode each : plan.path("backups")) {
            going += each.path("decision").asString("").equals("goes") ? 1 : 0;
            tables.backups.row(
                    source,
                    each.path("backup").asString(),
                    each.path("type").asString(),
                    RemoteServer.time(each.path("ended")),
                    each.path("decision").asString(),
                    String.join("; ", RemoteServer.texts(each.path("why"))));
        }
        RemoteServer.texts(plan.path("strange")).forEach(each -> tables.strange(source, each));
        for (String when : List.of("before", "after")) {
            for (JsonNode each : plan.path(when)) {
                tables.windows.row(
                        source,
                        each.path("systemId").asString(),
                        each.path("timeline").asString(),
                        when,
                        RemoteServer.time(each.path("everySecondFrom")),
                        each.path("fromLsn").asString(),
                        each.path("fromBackup").asString());
            }
        }
        for (JsonNode each : plan.path("walFreedByPrune")) {
            tables.freed(
                    source,
                    each.path("timeline").asString(),
                    each.path("segments").asLong(0),
                    ByteSize.of(each.path("sizeBytes").asLong(0)),
                    each.path("first").asString(),
                    each.path("last").asString());
        }
        RemoteServer.texts(plan.path("damaged"))
                .forEach(each -> tables.damaged.add(source + ": " + each));
        return going;
    }
}
