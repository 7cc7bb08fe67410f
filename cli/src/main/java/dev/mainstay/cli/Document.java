package dev.mainstay.cli;

import org.jspecify.annotations.Nullable;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What a command answers: one value that prints as text and as JSON.
///
/// Keys are JSON names in camel case (`bytesRead`); text shows them as words. Values are texts,
/// numbers, flags, `ByteSize`, `Instant`, `Duration`, [State], [Table], [Checklist], other
/// documents, lists of these, `Optional`s of these, and anything else by its `toString`. In JSON a
/// `ByteSize` is a number under a key that ends in `Bytes`, a `Duration` one in `Seconds`; both
/// endings are added where the key has none.
final class Document {
    private final Optional<String> headline;
    private final Map<String, Object> entries = new LinkedHashMap<>();
    private int exitCode;

    private Document(Optional<String> headline) {
        this.headline = headline;
    }

    /// @param headline the outcome in one line; `summary` in JSON
    static Document of(String headline) {
        return new Document(Optional.of(headline));
    }

    static Document untitled() {
        return new Document(Optional.empty());
    }

    Document add(String key, Object value) {
        Object plain = value instanceof Optional<?> optional ? optional.orElse(null) : value;
        return put(key, plain);
    }

    private Document put(String key, @Nullable Object value) {
        Object content = value == null ? Absent.ABSENT : value;
        if (entries.putIfAbsent(key, content) != null) {
            throw new IllegalArgumentException("'" + key + "' is in the document already");
        }
        return this;
    }

    Document addAll(String key, Collection<?> values) {
        return put(key, values);
    }

    /// The command did its work and what it found is bad: exit 1, but no error.
    Document failing() {
        return exiting(Exits.FAILED);
    }

    Document exiting(int code) {
        exitCode = code;
        return this;
    }

    int exitCode() {
        return exitCode;
    }

    Optional<String> headline() {
        return headline;
    }

    Map<String, Object> entries() {
        return entries;
    }

    enum Absent {
        ABSENT;

        @Override
        public String toString() {
            return "-";
        }
    }
}
