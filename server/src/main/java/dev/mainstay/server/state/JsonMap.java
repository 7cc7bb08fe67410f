package dev.mainstay.server.state;

import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

import java.util.Map;

/// Small maps of texts in a column.
public final class JsonMap {
    private static final JsonMapper MAPPER = JsonMapper.shared();

    private JsonMap() {}

    public static String write(Map<String, String> map) {
        return MAPPER.writeValueAsString(map);
    }

    public static Map<String, String> read(String text) {
        return MAPPER.readValue(text, new TypeReference<>() {});
    }
}
