package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.config.Durations;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Writes documents for people: the headline, then `name: value` with the values aligned, then
/// tables.
final class PlainText {
    private final StringBuilder text = new StringBuilder();
    private final boolean colors;

    private PlainText(boolean colors) {
        this.colors = colors;
    }

    static String of(Document document, boolean colors) {
        PlainText plain = new PlainText(colors);
        plain.document(document, "");
        return plain.text.toString();
    }

    private void document(Document document, String indent) {
        document.headline().ifPresent(headline -> line(indent + headline));
        String inner = document.headline().isPresent() ? indent + "  " : indent;
        int width = 0;
        for (Map.Entry<String, Object> entry : document.entries().entrySet()) {
            if (!isBlock(entry.getValue())) {
                width = Math.max(width, words(entry.getKey()).length());
            }
        }
        for (Map.Entry<String, Object> entry : document.entries().entrySet()) {
            String name = words(entry.getKey());
            if (isBlock(entry.getValue())) {
                block(name, entry.getValue(), inner);
            } else {
                line(inner + pad(name + ":", width + 2) + shown(entry.getValue()));
            }
        }
    }

    private static boolean isBlock(Object value) {
        return value instanceof Document
                || value instanceof Table
                || value instanceof Checklist
                || value instanceof Collection<?>;
    }

    private void block(String name, Object value, String indent) {
        switch (value) {
            case Table table -> table(table, indent);
            case Checklist list -> checklist(list, indent);
            case Document document -> {
                line(indent + name + ":");
                document(document, indent + "  ");
            }
            case Collection<?> list when list.isEmpty() -> line(indent + name + ": none");
            case Collection<?> list -> {
                line(indent + name + ":");
                for (Object item : list) {
                    if (item instanceof Document document) {
                        document(document, indent + "  ");
                    } else {
                        line(indent + "  " + shown(item));
                    }
                }
            }
            default -> throw new IllegalArgumentException("no block: " + value.getClass());
        }
    }

    private void table(Table table, String indent) {
        if (table.rows().isEmpty()) {
            return;
        }
        if (!table.title().isEmpty()) {
            line(indent + table.title());
        }
        int columns = table.keys().size();
        int[] widths = new int[columns];
        for (int i = 0; i < columns; i++) {
            widths[i] = table.keys().get(i).isEmpty() ? 0 : words(table.keys().get(i)).length();
            for (List<Object> row : table.rows()) {
                widths[i] = Math.max(widths[i], word(row.get(i)).length());
            }
        }
        StringBuilder header = new StringBuilder(indent);
        for (int i = 0; i < columns; i++) {
            String name = words(table.keys().get(i)).toUpperCase(Locale.ROOT);
            boolean right = isNumber(table.rows().getFirst().get(i));
            header.append(right ? padLeft(name, widths[i]) : pad(name, widths[i])).append("  ");
        }
        line(header.toString().stripTrailing());
        for (List<Object> row : table.rows()) {
            StringBuilder cells = new StringBuilder(indent);
            for (int i = 0; i < columns; i++) {
                String word = word(row.get(i));
                String cell =
                        isNumber(row.get(i)) ? padLeft(word, widths[i]) : pad(word, widths[i]);
                cells.append(colored(row.get(i), cell)).append("  ");
            }
            line(cells.toString().stripTrailing());
        }
    }

    /// A subject's name, then its items; what to do stands under what is not well.
    private void checklist(Checklist list, String indent) {
        String subject = "";
        String margin = indent + "  " + " ".repeat(State.PROBLEM.toString().length() + 2);
        for (Checklist.Item item : list.items()) {
            if (!item.subject().equals(subject)) {
                subject = item.subject();
                line(indent + subject);
            }
            String state = pad(item.state().toString(), State.PROBLEM.toString().length());
            line(indent + "  " + colored(item.state(), state) + "  " + item.finding());
            if (!item.whatToDo().isEmpty()) {
                line(margin + "do:  " + item.whatToDo());
            }
            item.statement()
                    .ifPresent(
                            sql ->
                                    line(
                                            margin
                                                    + "SQL: "
                                                    + sql
                                                    + (item.restart()
                                                            ? "  (then restart the server)"
                                                            : "")));
        }
    }

    private static boolean isNumber(Object value) {
        return value instanceof Number || value instanceof ByteSize || value instanceof Duration;
    }

    private String shown(Object value) {
        return colored(value, word(value));
    }

    private String colored(Object value, String word) {
        return colors && value instanceof State state ? state.colored(word) : word;
    }

    private static String word(Object value) {
        return switch (value) {
            case Boolean flag -> flag ? "yes" : "no";
            case Instant instant ->
                    instant.truncatedTo(ChronoUnit.SECONDS)
                            .toString()
                            .replace('T', ' ')
                            .replace("Z", " UTC");
            case Duration duration -> duration(duration);
            case Double number -> String.format(Locale.ROOT, "%.2f", number);
            default -> value.toString();
        };
    }

    /// `850 ms`, `12.3 s`, `4 min 05 s`, `3 h 20 min`, `2 d 04 h`.
    static String duration(Duration duration) {
        return Durations.words(duration);
    }

    /// `bytesRead` reads "bytes read".
    private static String words(String key) {
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < key.length(); i++) {
            char c = key.charAt(i);
            if (Character.isUpperCase(c)) {
                words.append(' ').append(Character.toLowerCase(c));
            } else {
                words.append(c);
            }
        }
        return words.toString();
    }

    private static String pad(String word, int width) {
        return word + " ".repeat(Math.max(0, width - word.length()));
    }

    private static String padLeft(String word, int width) {
        return " ".repeat(Math.max(0, width - word.length())) + word;
    }

    private void line(String line) {
        text.append(line).append('\n');
    }
}
