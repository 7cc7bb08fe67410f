package dev.mainstay.engine.config;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;

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

    /// As people read them: `4 min 05 s`.
    public static String words(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds == 0) {
            return duration.toMillis() + " ms";
        }
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
        }
        if (seconds < 3600) {
            return String.format(Locale.ROOT, "%d min %02d s", seconds / 60, seconds % 60);
        }
        return seconds < 86400
                ? String.format(Locale.ROOT, "%d h %02d min", seconds / 3600, seconds / 60 % 60)
                : String.format(Locale.ROOT, "%d d %02d h", seconds / 86400, seconds / 3600 % 24);
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
