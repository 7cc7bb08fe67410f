package dev.mainstay.engine.recover;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A table's name with its schema, exactly as the catalogs have it.
public record QualifiedName(String schema, String name) {
    /// Reads `schema.table` as SQL does: what is not in double quotes is lower case.
    ///
    /// @throws MainstayException USAGE_INVALID
    public static QualifiedName parse(String text) {
        List<String> parts = parts(text);
        if (parts.size() != 2) {
            throw wrong(text);
        }
        return new QualifiedName(parts.getFirst(), parts.getLast());
    }

    /// The same, where the schema may be left out.
    public static QualifiedName parse(String text, String schema) {
        List<String> parts = parts(text);
        return parts.size() == 1 ? new QualifiedName(schema, parts.getFirst()) : parse(text);
    }

    private static List<String> parts(String text) {
        List<String> parts = new ArrayList<>();
        int at = 0;
        while (true) {
            StringBuilder part = new StringBuilder();
            if (at < text.length() && text.charAt(at) == '"') {
                at = quoted(text, at + 1, part);
            } else {
                int end = text.indexOf('.', at) < 0 ? text.length() : text.indexOf('.', at);
                String word = text.substring(at, end);
                if (word.indexOf('"') >= 0) {
                    throw wrong(text);
                }
                part.append(word.toLowerCase(Locale.ROOT));
                at = end;
            }
            if (part.isEmpty()) {
                throw wrong(text);
            }
            parts.add(part.toString());
            if (at == text.length()) {
                return parts;
            }
            if (text.charAt(at) != '.') {
                throw wrong(text);
            }
            at++;
        }
    }

    /// @return position behind the closing quote
    private static int quoted(String text, int from, StringBuilder part) {
        int at = from;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c != '"') {
                part.append(c);
            } else if (at < text.length() && text.charAt(at) == '"') {
                part.append('"');
                at++;
            } else {
                return at;
            }
        }
        throw wrong(text);
    }

    private static MainstayException wrong(String text) {
        return new MainstayException(
                ErrorCode.USAGE_INVALID,
                "'" + text + "' names no table",
                "write SCHEMA.TABLE as in SQL, with double quotes round what is not lower case:"
                        + " 'public.\"Order Lines\"'",
                null);
    }

    static String quote(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }

    /// For SQL, and for patterns of `pg_dump`.
    public String quoted() {
        return quote(schema) + "." + quote(name);
    }

    @Override
    public String toString() {
        return plain(schema) + "." + plain(name);
    }

    private static String plain(String name) {
        return name.matches("[a-z_][a-z0-9_$]*") ? name : quote(name);
    }
}
