package dev.mainstay.postgres.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// An error or a notice of the server, with all its fields, keyed by their protocol letters (`S`
/// severity, `C` SQLSTATE, `M` message, `D` detail, `H` hint, `W` where, …).
public record ServerError(Map<Character, String> fields) {
    public ServerError {
        fields = Map.copyOf(fields);
    }

    static ServerError read(ByteBuffer body) {
        Map<Character, String> fields = new TreeMap<>();
        while (body.hasRemaining()) {
            byte letter = body.get();
            if (letter == 0) {
                break;
            }
            fields.put((char) (letter & 0xFF), Fields.text(body));
        }
        return new ServerError(fields);
    }

    public Optional<String> field(char letter) {
        return Optional.ofNullable(fields.get(letter));
    }

    /// Never translated: ERROR, FATAL, PANIC, WARNING, NOTICE, …
    public String severity() {
        return field('V').or(() -> field('S')).orElse("ERROR");
    }

    public String sqlState() {
        return field('C').orElse("");
    }

    public String message() {
        return field('M').orElse("the server gave no message");
    }

    public Optional<String> detail() {
        return field('D');
    }

    public Optional<String> hint() {
        return field('H');
    }

    /// One line; what could drive a terminal is taken out.
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(message());
        detail().ifPresent(detail -> text.append(": ").append(detail));
        if (!sqlState().isEmpty()) {
            text.append(" (SQLSTATE ").append(sqlState()).append(')');
        }
        return text.toString().replaceAll("\\p{Cntrl}+", " ");
    }

    /// Reads of message bodies that never run over their end.
    static final class Fields {
        private Fields() {}

        /// A zero-terminated string.
        static String text(ByteBuffer body) {
            int end = body.position();
            while (end < body.limit() && body.get(end) != 0) {
                end++;
            }
            if (end == body.limit()) {
                throw Failures.protocol("a string without end");
            }
            byte[] bytes = new byte[end - body.position()];
            body.get(bytes);
            body.get();
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
