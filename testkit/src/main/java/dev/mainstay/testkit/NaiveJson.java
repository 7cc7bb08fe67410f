package dev.mainstay.testkit;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The JSON of repository format 1: objects, arrays, strings, integers, booleans.
final class NaiveJson {
    private final Map<String, Object> fields;

    private NaiveJson(Map<String, Object> fields) {
        this.fields = fields;
    }

    static NaiveJson parse(byte[] bytes) {
        return new NaiveJson(new Parser(new String(bytes, StandardCharsets.UTF_8)).object());
    }

    private <T> T need(String key, Class<T> type) {
        Object value = fields.get(key);
        if (!type.isInstance(value)) {
            throw new IllegalStateException("no " + key);
        }
        return type.cast(value);
    }

    String text(String key) {
        return need(key, String.class);
    }

    long number(String key) {
        return need(key, Long.class);
    }

    NaiveJson object(String key) {
        return of(need(key, Map.class));
    }

    List<NaiveJson> objects(String key) {
        List<NaiveJson> objects = new ArrayList<>();
        for (Object item : need(key, List.class)) {
            objects.add(of((Map<?, ?>) item));
        }
        return objects;
    }

    private static NaiveJson of(Map<?, ?> fields) {
        Map<String, Object> object = new HashMap<>();
        fields.forEach((name, value) -> object.put((String) name, value));
        return new NaiveJson(object);
    }

    private static final class Parser {
        private final String text;
        private int at;

        Parser(String text) {
            this.text = text;
        }

        private char peek() {
            while (Character.isWhitespace(text.charAt(at))) {
                at++;
            }
            return text.charAt(at);
        }

        private boolean take(char wanted) {
            if (peek() == wanted) {
                at++;
                return true;
            }
            return false;
        }

        private void expect(char wanted) {
            if (!take(wanted)) {
                throw new IllegalStateException("no JSON at " + at);
            }
        }

        Map<String, Object> object() {
            Map<String, Object> fields = new HashMap<>();
            expect('{');
            while (!take('}')) {
                take(',');
                String key = string();
                expect(':');
                fields.put(key, value());
            }
            return fields;
        }

        private Object value() {
            return switch (peek()) {
                case '{' -> object();
                case '[' -> list();
                case '"' -> string();
                default -> word();
            };
        }

        private List<Object> list() {
            expect('[');
            List<Object> list = new ArrayList<>();
            while (!take(']')) {
                take(',');
                list.add(value());
            }
            return list;
        }

        private Object word() {
            int from = at;
            while (",]}".indexOf(text.charAt(at)) < 0) {
                at++;
            }
            String word = text.substring(from, at).strip();
            return switch (word) {
                case "true" -> true;
                case "false" -> false;
                default -> Long.parseLong(word);
            };
        }

        private String string() {
            expect('"');
            StringBuilder out = new StringBuilder();
            for (char c = text.charAt(at++); c != '"'; c = text.charAt(at++)) {
                out.append(c == '\\' ? escape() : c);
            }
            return out.toString();
        }

        private char escape() {
            char c = text.charAt(at++);
            return switch (c) {
                case 'n' -> '\n';
                case 't' -> '\t';
                case 'r' -> '\r';
                case 'b' -> '\b';
                case 'f' -> '\f';
                case 'u' -> {
                    at += 4;
                    yield (char) Integer.parseInt(text, at - 4, at, 16);
                }
                default -> c;
            };
        }
    }
}
