package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.Random;

class DailyHoursTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

    @ParameterizedTest
    @CsvSource({
        // by night; in Berlin it is an hour later
        "22:00, 06:00, 2026-01-10T20:59:59Z, false, 2026-01-10T21:00:00Z",
        "22:00, 06:00, 2026-01-10T21:00:00Z, true, 2026-01-11T05:00:00Z",
        "22:00, 06:00, 2026-01-11T04:59:59Z, true, 2026-01-11T05:00:00Z",
        "22:00, 06:00, 2026-01-11T05:00:00Z, false, 2026-01-11T21:00:00Z",
        // by day
        "12:00, 13:00, 2026-01-10T10:00:00Z, false, 2026-01-10T11:00:00Z",
        "12:00, 13:00, 2026-01-10T11:30:00Z, true, 2026-01-10T12:00:00Z",
        // all day
        "07:00, 07:00, 2026-01-10T11:30:00Z, true, 2026-01-11T06:00:00Z",
        // the night that has no 02:30, and the one that has two
        "02:30, 05:00, 2026-03-29T00:59:00Z, false, 2026-03-29T01:30:00Z",
        "22:00, 06:00, 2026-03-28T22:00:00Z, true, 2026-03-29T04:00:00Z",
        "22:00, 06:00, 2026-10-24T21:00:00Z, true, 2026-10-25T05:00:00Z",
    })
    void areWithinOrWhenTheyBegin(
            LocalTime from, LocalTime to, Instant at, boolean within, Instant changes) {
        DailyHours hours = new DailyHours(from, to, BERLIN);
        assertThat(hours.contains(at)).isEqualTo(within);
        assertThat(within ? hours.left(at) : hours.entered(at)).isEqualTo(changes);
        assertThat(within ? hours.entered(at) : hours.left(at)).isEqualTo(at);
    }

    @Test
    void areEnteredAndLeftWhereTheyBeginAndEnd() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Instant year = Instant.parse("2026-01-01T00:00:00Z");
        for (int i = 0; i < 2000; i++) {
            DailyHours hours =
                    new DailyHours(
                            LocalTime.ofSecondOfDay(random.nextInt(86_400)),
                            LocalTime.ofSecondOfDay(random.nextInt(86_400)),
                            BERLIN);
            Instant at = year.plusSeconds(random.nextInt(366 * 86_400));
            Instant entered = hours.entered(at);
            assertThat(hours.contains(entered)).as(hours + " at " + at).isTrue();
            assertThat(entered).isBetween(at, at.plus(Duration.ofDays(2)));
            if (entered.isAfter(at)) {
                assertThat(hours.contains(entered.minusSeconds(1))).as(hours + " " + at).isFalse();
            }
            assertThat(hours.left(entered)).isAfter(entered);
        }
    }
}
