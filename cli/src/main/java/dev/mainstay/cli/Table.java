package dev.mainstay.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A list of things with the same keys: aligned columns as text, an array of objects in JSON.
final class Table {
    private final List<String> keys;
    private String title = "";
    private final List<List<Object>> rows = new ArrayList<>();

    private Table(List<String> keys) {
        this.keys = keys;
    }

    static Table of(String... keys) {
        return new Table(List.of(keys));
    }

    /// @param text that stands above it where it has rows; in JSON the name under which it stands
    ///   says what it is
    Table titled(String text) {
        title = text;
        return this;
    }

    String title() {
        return title;
    }

    /// One value a key, as in [Document#add].
    Table row(Object... values) {
        if (values.length != keys.size()) {
            throw new IllegalArgumentException(values.length + " values for the keys " + keys);
        }
        List<Object> row = new ArrayList<>();
        for (Object value : values) {
            row.add(
                    value instanceof Optional<?> optional
                            ? optional.<Object>map(v -> v).orElse(Document.Absent.ABSENT)
                            : value);
        }
        rows.add(row);
        return this;
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    List<String> keys() {
        return keys;
    }

    List<List<Object>> rows() {
        return rows;
    }
}
