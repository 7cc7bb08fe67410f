package dev.mainstay.repository.format;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The body of a record: a JSON object of strings, integers, booleans, lists and objects (RFC
/// 8259), in the order it was written. Readers keep what they do not know.
public final class Json {
    private static final JsonFactory FACTORY = new JsonFactory();
    private final Map<String, Object> fields;

    private Json(Map<String, Object> fields) {
        this.fields = fields;
    }

    public static Json object() {
        return new Json(new LinkedHashMap<>());
    }

    public Json put(String key, String value) {
        fields.put(key, value);
        return this;
    }

    public Json put(String key, long value) {
        fields.put(key, value);
        return this;
    }

    public Json put(String key, boolean value) {
        fields.put(key, value);
        return this;
    }

    public Json put(String key, Json value) {
        fields.put(key, value);
        return this;
    }

    public Json put(String key, List<Json> values) {
        fields.put(key, new ArrayList<Object>(values));
        return this;
    }

    public Json putStrings(String key, List<String> values) {
        fields.put(key, new ArrayList<Object>(values));
        return this;
    }

    public boolean has(String key) {
        return fields.containsKey(key);
    }

    public Map<String, Object> fields() {
        return java.util.Collections.unmodifiableMap(fields);
    }

    private <T> T need(String key, Class<T> type) {
        Object value = fields.get(key);
        if (!type.isInstance(value)) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "a record has no " + type.getSimpleName() + " '" + key + "'");
        }
        return type.cast(value);
    }

    public String string(String key) {
        return need(key, String.class);
    }

    public Optional<String> find(String key) {
        return fields.get(key) instanceof String text ? Optional.of(text) : Optional.empty();
    }

    public long number(String key) {
        return need(key, Long.class);
    }

    public boolean bool(String key) {
        return need(key, Boolean.class);
    }

    public Json object(String key) {
        return need(key, Json.class);
    }

    public List<Json> objects(String key) {
        return list(key, Json.class);
    }

    public List<String> strings(String key) {
        return list(key, String.class);
    }

    private <T> List<T> list(String key, Class<T> type) {
        List<?> items = need(key, List.class);
        List<T> typed = new ArrayList<>();
        for (Object item : items) {
            if (!type.isInstance(item)) {
                throw new MainstayException(
                        ErrorCode.OBJECT_DAMAGED, "list '" + key + "' of a record is malformed");
            }
            typed.add(type.cast(item));
        }
        return typed;
    }

    public byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator out = FACTORY.createGenerator(ObjectWriteContext.empty(), bytes)) {
            write(out, this);
        }
        return bytes.toByteArray();
    }

    private static void write(JsonGenerator out, @Nullable Object value) {
        switch (value) {
            case Json object -> {
                out.writeStartObject();
                object.fields.forEach(
                        (key, field) -> {
                            out.writeName(key);
                            write(out, field);
                        });
                out.writeEndObject();
            }
            case List<?> list -> {
                out.writeStartArray();
                list.forEach(item -> write(out, item));
                out.writeEndArray();
            }
            case String text -> out.writeString(text);
            case Long number -> out.writeNumber(number.longValue());
            case Boolean bool -> out.writeBoolean(bool);
            case null, default -> throw new IllegalStateException("not JSON: " + value);
        }
    }

    public static Json parse(String what, byte[] bytes) {
        try (JsonParser in = FACTORY.createParser(ObjectReadContext.empty(), bytes)) {
            if (in.nextToken() == JsonToken.START_OBJECT) {
                return readObject(in);
            }
        } catch (JacksonException | ClassCastException wrong) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED, what + " is no JSON: " + wrong.getMessage(), wrong);
        }
        throw new MainstayException(ErrorCode.OBJECT_DAMAGED, what + " is no JSON object");
    }

    private static Json readObject(JsonParser in) {
        Map<String, Object> fields = new LinkedHashMap<>();
        while (in.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = in.currentName();
            in.nextToken();
            fields.put(name, readValue(in));
        }
        return new Json(fields);
    }

    private static Object readValue(JsonParser in) {
        return switch (in.currentToken()) {
            case START_OBJECT -> readObject(in);
            case START_ARRAY -> {
                List<Object> list = new ArrayList<>();
                while (in.nextToken() != JsonToken.END_ARRAY) {
                    list.add(readValue(in));
                }
                yield list;
            }
            case VALUE_NUMBER_INT -> in.getLongValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> in.getString();
        };
    }

    @Override
    public String toString() {
        return new String(toBytes(), java.nio.charset.StandardCharsets.UTF_8);
    }
}
