package dev.mainstay.engine.config;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Optional;

/// Hours of each day, as clocks show them: where clocks change they are longer or shorter that
/// night.
///
/// @param to not after `from`: the next day's
public record DailyHours(LocalTime from, LocalTime to, ZoneId zone) {
    private record Span(Instant begin, Instant end) {}

    /// The first that is not over.
    private Span span(Instant time) {
        for (LocalDate day = time.atZone(zone).toLocalDate().minusDays(1);
                ;
                day = day.plusDays(1)) {
            LocalDate last = from.isBefore(to) ? day : day.plusDays(1);
            Instant begin = ZonedDateTime.of(day, from, zone).toInstant();
            Instant end = ZonedDateTime.of(last, to, zone).toInstant();
            if (end.isAfter(time) && end.isAfter(begin)) {
                return new Span(begin, end);
            }
        }
    }

    /// Whether an instant is within them; their end is not.
    public boolean contains(Instant time) {
        return !time.isBefore(span(time).begin);
    }

    /// The first instant within them that is not before this one.
    public Instant entered(Instant time) {
        Instant begin = span(time).begin;
        return time.isBefore(begin) ? begin : time;
    }

    /// The first instant outside of them that is not before this one.
    public Instant left(Instant time) {
        return contains(time) ? span(time).end : time;
    }

    /// `22:00-06:00 Europe/Berlin`
    public String text() {
        return from + "-" + to + " " + zone;
    }

    /// What [#text] said.
    ///
    /// @throws IllegalArgumentException if it did not
    public static DailyHours parse(String text) {
        int blank = text.indexOf(' ');
        int dash = text.indexOf('-');
        if (dash < 0 || blank < dash) {
            throw new IllegalArgumentException("'" + text + "' are no hours of a day");
        }
        return new DailyHours(
                time(text.substring(0, dash)),
                time(text.substring(dash + 1, blank)),
                ZoneId.of(text.substring(blank + 1)));
    }

    /// @param node with `from` and `to`
    static DailyHours read(
            ConfigNode node, Optional<ConfigNode> from, Optional<ConfigNode> to, ZoneId zone) {
        return new DailyHours(
                from.orElseThrow(() -> node.invalid("needs 'from'")).parsed(DailyHours::time),
                to.orElseThrow(() -> node.invalid("needs 'to'")).parsed(DailyHours::time),
                zone);
    }

    private static LocalTime time(String text) {
        try {
            return LocalTime.parse(text);
        } catch (DateTimeException wrong) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no time of day (try 22:00)", wrong);
        }
    }
}
