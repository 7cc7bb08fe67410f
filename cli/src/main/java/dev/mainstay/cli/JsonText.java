package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.MainstayException;

import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/// Writes documents and errors as JSON, one line each.
final class JsonText {
    private JsonText() {}

    static String of(Document document) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json =
                new JsonFactory().createGenerator(ObjectWriteContext.empty(), bytes)) {
            write(json, document);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    static String of(MainstayException error) {
        return of(
                Document.untitled()
                        .add(
                                "error",
                                Document.untitled()
                                        .add("code", error.code().id())
                                        .add("message", String.valueOf(error.getMessage()))
                                        .add("hint", error.hint())));
    }

    private static void write(JsonGenerator json, Document document) {
        json.writeStartObject();
        document.headline().ifPresent(headline -> json.writeStringProperty("summary", headline));
        document.entries().forEach((key, value) -> property(json, key, value));
        json.writeEndObject();
    }

    private static void property(JsonGenerator json, String key, Object value) {
        String unit =
                value instanceof ByteSize ? "Bytes" : value instanceof Duration ? "Seconds" : "";
        boolean named = key.endsWith(unit) || key.equalsIgnoreCase(unit);
        json.writeName(named ? key : key + unit);
        value(json, value);
    }

    private static void value(JsonGenerator json, Object value) {
        switch (value) {
            case Document.Absent _ -> json.writeNull();
            case Document document -> write(json, document);
            case Table table -> table(json, table);
            case Checklist list -> checklist(json, list);
            case Collection<?> list -> {
                json.writeStartArray();
                list.forEach(item -> value(json, item));
                json.writeEndArray();
            }
            case Boolean flag -> json.writeBoolean(flag);
            case Integer number -> json.writeNumber(number);
            case Long number -> json.writeNumber(number);
            case Double number when Double.isFinite(number) -> json.writeNumber(number);
            case ByteSize size -> json.writeNumber(size.bytes());
            case Duration duration -> json.writeNumber(duration.toMillis() / 1000.0);
            default -> json.writeString(value.toString());
        }
    }

    private static void checklist(JsonGenerator json, Checklist list) {
        json.writeStartArray();
        for (Checklist.Item item : list.items()) {
            json.writeStartObject();
            json.writeStringProperty("subject", item.subject());
            json.writeStringProperty("state", item.state().toString());
            json.writeStringProperty("id", item.id());
            json.writeStringProperty("finding", item.finding());
            json.writeStringProperty("whatToDo", item.whatToDo());
            json.writeName("statement");
            value(
                    json,
                    item.statement().isPresent() ? item.statement().get() : Document.Absent.ABSENT);
            json.writeBooleanProperty("restart", item.restart());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void table(JsonGenerator json, Table table) {
        json.writeStartArray();
        for (List<Object> row : table.rows()) {
            json.writeStartObject();
            for (int i = 0; i < row.size(); i++) {
                property(json, table.keys().get(i), row.get(i));
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
