package dev.mainstay.engine.config;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.format.DateTimeParseException;

/// Lengths of time as people write them: `500ms`, `5s`, `10min`, `2h`, `7d`, `2w`, or ISO 8601
/// (`PT1H30M`).
public final class Durations {
    private Durations() {}

    /// @throws IllegalArgumentException if the text is no length of time
    public static Duration parse(String text) {
        String stripped = text.strip();
        if (stripped.startsWith("P") || stripped.startsWith("p")) {
            try {
                return notNegative(Duration.parse(stripped), text);
            } catch (DateTimeParseException wrong) {
                throw invalid(text, wrong);
            }
        }
        int digits = 0;
        while (digits < stripped.length() && Character.digit(stripped.charAt(digits), 10) >= 0) {
            digits++;
        }
        try {
            long count = Long.parseLong(stripped.substring(0, digits));
            return switch (stripped.substring(digits).strip()) {
                case "ms" -> Duration.ofMillis(count);
                case "s" -> Duration.ofSeconds(count);
                case "min", "m" -> Duration.ofMinutes(count);
                case "h" -> Duration.ofHours(count);
                case "d" -> Duration.ofDays(count);
                case "w" -> Duration.ofDays(Math.multiplyExact(count, 7));
                default -> throw invalid(text, null);
            };
        } catch (NumberFormatException | ArithmeticException wrong) {
            throw invalid(text, wrong);
        }
    }

    private static Duration notNegative(Duration duration, String text) {
        if (duration.isNegative()) {
            throw invalid(text, null);
        }
        return duration;
    }

    private static IllegalArgumentException invalid(String text, @Nullable Throwable cause) {
        return new IllegalArgumentException(
                "not a length of time: '" + text + "' (try 30s, 10min, 2h, 7d)", cause);
    }
}
