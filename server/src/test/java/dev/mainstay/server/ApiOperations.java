package dev.mainstay.server;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Every operation that a server's own OpenAPI document describes.
record ApiOperations(JsonNode document, List<Operation> list) {
    private static final Set<String> METHODS =
            Set.of("get", "put", "post", "delete", "patch", "head", "options");

    /// @param least the least role; empty for everybody
    /// @param pathNames parameters of its path
    /// @param queryNames parameters of its query
    /// @param body what it wants, if it wants a body
    /// @param said all of what the document says of it
    record Operation(
            String method,
            String path,
            Optional<String> least,
            List<String> pathNames,
            List<String> queryNames,
            Optional<JsonNode> body,
            JsonNode said) {
        /// With every parameter of the path set to this.
        String filled(String value) {
            String filled = path;
            for (String name : pathNames) {
                filled = filled.replace("{" + name + "}", value);
            }
            return filled.substring(1);
        }

        @Override
        public String toString() {
            return method + " " + path;
        }
    }

    /// Whether a status says that the server is at fault: not that it cannot do something yet, and
    /// not that backups are unwell, where it says so itself.
    static boolean isFault(Operation operation, int status) {
        return status >= 500
                && !(status == 501 && operation.said().path("summary").asString().startsWith("501"))
                && !(status == 503 && operation.path().equals("/health/backup"));
    }

    static ApiOperations read(Site site, MainstayServer server) {
        JsonNode document =
                JsonMapper.shared().readTree(site.get(server, "api/openapi.json").body());
        List<Operation> list = new ArrayList<>();
        document.get("paths")
                .properties()
                .forEach(
                        path ->
                                path.getValue().properties().stream()
                                        .filter(each -> METHODS.contains(each.getKey()))
                                        .map(
                                                each ->
                                                        operation(
                                                                document,
                                                                each.getKey(),
                                                                path.getKey(),
                                                                each.getValue()))
                                        .forEach(list::add));
        return new ApiOperations(document, list);
    }

    private static Operation operation(
            JsonNode document, String method, String path, JsonNode said) {
        return new Operation(
                method.toUpperCase(Locale.ROOT),
                path,
                Optional.ofNullable(said.get("x-least-role")).map(JsonNode::asString),
                names(said, "path"),
                names(said, "query"),
                Optional.ofNullable(said.get("requestBody"))
                        .map(body -> body.at("/content/application~1json/schema"))
                        .map(schema -> resolved(document, schema)),
                said);
    }

    private static List<String> names(JsonNode said, String in) {
        List<String> names = new ArrayList<>();
        JsonNode parameters = said.path("parameters");
        parameters.forEach(
                each -> {
                    if (each.get("in").asString().equals(in)) {
                        names.add(each.get("name").asString());
                    }
                });
        return names;
    }

    private static JsonNode resolved(JsonNode document, JsonNode schema) {
        return schema.has("$ref") ? document.at(schema.get("$ref").asString().substring(1)) : schema;
    }
}
