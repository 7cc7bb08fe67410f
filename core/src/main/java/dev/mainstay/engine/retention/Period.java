package dev.mainstay.engine.retention;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.time.temporal.IsoFields;
import java.util.Locale;

/// The stretches of time of which the newest backup is kept.
enum Period {
    HOURLY("hour"),
    DAILY("day"),
    WEEKLY("week"),
    MONTHLY("month"),
    YEARLY("year");

    private final String word;

    Period(String word) {
        this.word = word;
    }

    /// As the configuration names it.
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    String word() {
        return word;
    }

    int wanted(RetentionPolicy.Periods periods) {
        return switch (this) {
            case HOURLY -> periods.hourly();
            case DAILY -> periods.daily();
            case WEEKLY -> periods.weekly();
            case MONTHLY -> periods.monthly();
            case YEARLY -> periods.yearly();
        };
    }

    /// The one that an instant lies in, as people write it. Where clocks are put back the two hours
    /// of the same number are told apart; weeks begin on Monday, as ISO 8601 has it.
    String of(Instant instant, ZoneId zone) {
        ZonedDateTime time = instant.atZone(zone);
        return switch (this) {
            case HOURLY -> time.toOffsetDateTime().truncatedTo(ChronoUnit.HOURS).toString();
            case DAILY -> time.toLocalDate().toString();
            case WEEKLY ->
                    String.format(
                            Locale.ROOT,
                            "%04d-W%02d",
                            time.get(IsoFields.WEEK_BASED_YEAR),
                            time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
            case MONTHLY ->
                    String.format(Locale.ROOT, "%04d-%02d", time.getYear(), time.getMonthValue());
            case YEARLY -> String.format(Locale.ROOT, "%04d", time.getYear());
        };
    }
}
