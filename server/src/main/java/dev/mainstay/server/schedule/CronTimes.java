package dev.mainstay.server.schedule;

import org.jspecify.annotations.Nullable;
import org.springframework.scheduling.support.CronExpression;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Optional;

/// The times of a cron expression in a time zone: five fields (minute, hour, day, month, weekday;
/// `MON#1` is the month's first Monday, `L` its last day) or `@hourly`, `@daily` and the like.
///
/// When clocks change, as Vixie's cron has it: a time of day that is left out that night comes at
/// the first instant behind the gap, one that comes twice comes once; but what runs at every hour
/// goes on with every hour that really passes.
public final class CronTimes {
    private final CronExpression expression;
    private final ZoneId zone;
    private final boolean everyHour;

    private CronTimes(CronExpression expression, ZoneId zone, boolean everyHour) {
        this.expression = expression;
        this.zone = zone;
        this.everyHour = everyHour;
    }

    /// @throws IllegalArgumentException if it is no cron expression, or none that ever comes
    public static CronTimes parse(String text, ZoneId zone) {
        String[] fields = text.strip().split("\\s+", -1);
        boolean macro = fields.length == 1 && fields[0].startsWith("@");
        if (!macro && fields.length != 5) {
            throw new IllegalArgumentException(
                    "'"
                            + text
                            + "' has "
                            + fields.length
                            + " fields, not minute, hour, day, month and weekday");
        }
        boolean everyHour = macro ? fields[0].equals("@hourly") : fields[1].startsWith("*");
        CronTimes times =
                new CronTimes(
                        CronExpression.parse(macro ? fields[0] : "0 " + text.strip()),
                        zone,
                        everyHour);
        if (times.after(Instant.EPOCH).isEmpty()) {
            throw new IllegalArgumentException("'" + text + "' never comes");
        }
        return times;
    }

    /// The first time that is later than an instant.
    public Optional<Instant> after(Instant instant) {
        if (everyHour) {
            return Optional.ofNullable(expression.next(instant.atZone(zone)))
                    .map(ZonedDateTime::toInstant);
        }
        LocalDateTime local = LocalDateTime.ofInstant(instant, zone);
        // Of an hour that comes twice, what is behind `local` may have been already.
        LocalDateTime from = local.minusHours(2);
        while (true) {
            @Nullable LocalDateTime next = expression.next(from);
            if (next == null) {
                return Optional.empty();
            }
            Instant time = resolved(next);
            if (time.isAfter(instant)) {
                return Optional.of(time);
            }
            from = next;
        }
    }

    private Instant resolved(LocalDateTime local) {
        var offsets = zone.getRules().getValidOffsets(local);
        if (!offsets.isEmpty()) {
            return local.toInstant(offsets.getFirst()); // of two the earlier
        }
        return zone.getRules().getTransition(local).getInstant();
    }
}
