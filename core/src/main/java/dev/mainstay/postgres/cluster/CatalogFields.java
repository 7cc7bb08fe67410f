package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The fields of one JSON object of a [CatalogLine]: texts, whole numbers and lists of such
/// objects. Anything else is read over.
final class CatalogFields {
    private final Map<String, Object> fields = new HashMap<>();

    private CatalogFields() {}

    /// @param in has just read the object's begin
    static CatalogFields read(JsonParser in) {
        CatalogFields read = new CatalogFields();
        while (in.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = in.currentName();
            JsonToken token = in.nextToken();
            if (token == JsonToken.VALUE_STRING) {
                read.fields.put(name, in.getString());
            } else if (token == JsonToken.VALUE_NUMBER_INT) {
                read.fields.put(name, in.getLongValue());
            } else if (token == JsonToken.START_ARRAY) {
                read.fields.put(name, objects(in));
            } else {
                in.skipChildren();
            }
        }
        return read;
    }

    private static List<CatalogFields> objects(JsonParser in) {
        List<CatalogFields> objects = new ArrayList<>();
        for (JsonToken token = in.nextToken();
                token != JsonToken.END_ARRAY && token != null;
                token = in.nextToken()) {
            if (token == JsonToken.START_OBJECT) {
                objects.add(read(in));
            } else {
                in.skipChildren();
            }
        }
        return objects;
    }

    boolean has(String name) {
        return fields.containsKey(name);
    }

    String text(String name) {
        return need(name, String.class);
    }

    Optional<String> find(String name) {
        return has(name) ? Optional.of(text(name)) : Optional.empty();
    }

    long number(String name) {
        return need(name, Long.class);
    }

    int integer(String name) {
        long value = number(name);
        if (value != (int) value) {
            throw damaged("'" + name + "' is " + value);
        }
        return (int) value;
    }

    char letter(String name) {
        String text = text(name);
        if (text.length() != 1) {
            throw damaged("'" + name + "' is '" + text + "'");
        }
        return text.charAt(0);
    }

    List<CatalogFields> objects(String name) {
        List<CatalogFields> objects = new ArrayList<>();
        for (Object item : need(name, List.class)) {
            objects.add((CatalogFields) item);
        }
        return objects;
    }

    private <T> T need(String name, Class<T> type) {
        Object value = fields.get(name);
        if (!type.isInstance(value)) {
            throw damaged("there is no " + type.getSimpleName() + " '" + name + "'");
        }
        return type.cast(value);
    }

    static MainstayException damaged(String what) {
        return new MainstayException(
                ErrorCode.OBJECT_DAMAGED, "a line of a catalog snapshot is malformed: " + what);
    }
}
