package dev.mainstay.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

class GrowthTest {
    private static final Instant BEGIN = Instant.parse("2026-03-01T00:00:00Z");

    private static List<Growth.Sample> hours(int hours, long each) {
        List<Growth.Sample> samples = new ArrayList<>();
        for (int i = 0; i < hours; i++) {
            samples.add(new Growth.Sample(BEGIN.plus(Duration.ofHours(i)), 1_000_000 + i * each));
        }
        return samples;
    }

    @Test
    void whatGrowsEvenlyIsFullWhenTheRoomIsUsed() {
        assertThat(Growth.lasts(hours(72, 3600), 86_400 * 3)).contains(Duration.ofDays(3));
    }

    @Test
    void oneGreatLeapChangesLittle() {
        List<Growth.Sample> samples = hours(72, 3600);
        samples.set(40, new Growth.Sample(samples.get(40).at(), 900_000_000));
        assertThat(Growth.lasts(samples, 86_400).orElseThrow())
                .isBetween(Duration.ofHours(23), Duration.ofHours(25));
    }

    @Test
    void whatShrinksOrIsKnownForLessThanADaySaysNothing() {
        assertThat(Growth.lasts(hours(72, -5), 1000)).isEmpty();
        assertThat(Growth.lasts(hours(23, 3600), 1000)).isEmpty();
        assertThat(Growth.of(List.of())).isEmpty();
    }
}
