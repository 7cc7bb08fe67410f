package dev.mainstay.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

class CronTimesTest {
    private static List<Instant> times(String cron, String zone, String from, String to) {
        CronTimes times = CronTimes.parse(cron, ZoneId.of(zone));
        List<Instant> all = new ArrayList<>();
        Optional<Instant> next = times.after(Instant.parse(from));
        while (next.isPresent() && next.get().isBefore(Instant.parse(to))) {
            all.add(next.get());
            next = times.after(next.get());
        }
        return all;
    }

    /// Berlin's clocks go on from 02:00 to 03:00 at 01:00 UTC on 2026-03-29, and back from 03:00
    /// to 02:00 at 01:00 UTC on 2026-10-25.
    @ParameterizedTest
    @CsvSource({
        "30 2 * * *, 2026-03-28T00:00:00Z, 2026-03-28T01:30:00Z 2026-03-29T01:00:00Z 2026-03-30T00:30:00Z",
        "0 3 * * *, 2026-03-28T12:00:00Z, 2026-03-29T01:00:00Z 2026-03-30T01:00:00Z",
        "30 2 * * *, 2026-10-24T00:00:00Z, 2026-10-24T00:30:00Z 2026-10-25T00:30:00Z 2026-10-26T01:30:00Z",
        "30 2 * * *, 2026-10-25T00:30:00Z, 2026-10-26T01:30:00Z",
        "0 * * * *, 2026-03-29T00:00:00Z, 2026-03-29T01:00:00Z 2026-03-29T02:00:00Z",
        "0 * * * *, 2026-10-25T00:00:00Z, 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z",
        "0 12 * * MON#1, 2026-01-01T00:00:00Z, 2026-01-05T11:00:00Z 2026-02-02T11:00:00Z 2026-03-02T11:00:00Z",
        "0 12 L * *, 2026-02-01T00:00:00Z, 2026-02-28T11:00:00Z 2026-03-31T10:00:00Z",
        "@daily, 2026-02-01T00:00:00Z, 2026-02-01T23:00:00Z 2026-02-02T23:00:00Z",
    })
    void clocksChange(String cron, String from, String expected) {
        List<Instant> wanted =
                List.of(expected.split(" ")).stream().map(Instant::parse).toList();
        Instant end = wanted.getLast().plusSeconds(1);
        assertThat(times(cron, "Europe/Berlin", from, end.toString())).isEqualTo(wanted);
    }

    @Test
    void everyDayOfAYearComesOnce() {
        for (String zone : List.of("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")) {
            for (String cron : List.of("30 2 * * *", "0 2 * * *", "15 1 * * *", "59 23 * * *")) {
                List<Instant> all =
                        times(cron, zone, "2026-01-01T12:00:00Z", "2027-01-01T12:00:00Z");
                assertThat(all).as(cron + " " + zone).hasSize(365).isSorted();
            }
        }
    }

    @Test
    void everyQuarterOfAnHourPassesOnce() {
        List<Instant> all =
                times("*/15 * * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        for (int i = 1; i < all.size(); i++) {
            assertThat(Duration.between(all.get(i - 1), all.get(i)))
                    .isEqualTo(Duration.ofMinutes(15));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "* * * *", "0 0 * * * *", "61 * * * *", "@often", "0 0 31 2 *", "x 1 1 1 1"})
    void whatIsNoExpressionOrNeverComesIsRefused(String text) {
        assertThatThrownBy(() -> CronTimes.parse(text, ZoneId.of("UTC")))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
