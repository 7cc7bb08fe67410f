package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoField;
import java.util.Locale;

/// A point in time as people and PostgreSQL write it: `2026-11-21 05:00:00+01` or
/// `2026-11-21T04:00:00Z`. An offset is demanded: a restore to the wrong hour is worse than a
/// question.
public final class TargetTime {
    private static final DateTimeFormatter FORMAT =
            new DateTimeFormatterBuilder()
                    .parseCaseInsensitive()
                    .appendPattern("uuuu-MM-dd'T'HH:mm[:ss]")
                    .appendFraction(ChronoField.NANO_OF_SECOND, 0, 6, true)
                    .appendPattern("[XXX][XX][X]")
                    .toFormatter(Locale.ROOT);

    private TargetTime() {}

    /// @param option that the text was given with
    /// @throws MainstayException USAGE_INVALID
    public static Instant parse(String option, String text) {
        try {
            String joined = text.strip().replaceFirst("(?<=\\d) +(?=\\d)", "T");
            return OffsetDateTime.parse(joined.replace(" ", ""), FORMAT).toInstant();
        } catch (DateTimeParseException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    option + " '" + text + "' is no time with an offset",
                    "write it like '2026-11-21 05:00:00+01' or 2026-11-21T04:00:00Z",
                    wrong);
        }
    }
}
