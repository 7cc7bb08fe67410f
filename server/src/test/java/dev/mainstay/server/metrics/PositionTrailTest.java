package dev.mainstay.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;

class PositionTrailTest {
    private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

    private static Instant at(long seconds) {
        return NOON.plusSeconds(seconds);
    }

    @Test
    void whatIsNotReachedIsAsOldAsTheLastTimeThatAllWasReached() {
        PositionTrail trail = new PositionTrail();
        trail.add(at(0), Lsn.of(100));
        trail.add(at(10), Lsn.of(200));
        trail.add(at(20), Lsn.of(300));
        assertThat(trail.heldUntil(Lsn.of(250))).contains(at(10));
        assertThat(trail.age(Lsn.of(250), at(25))).contains(Duration.ofSeconds(15));
        assertThat(trail.age(Lsn.of(300), at(25))).contains(Duration.ZERO);
        assertThat(trail.age(Lsn.of(50), at(25))).contains(Duration.ofSeconds(25));
        assertThat(trail.heldUntil(Lsn.of(50))).isEmpty();
    }

    @Test
    void aServerThatStandsStillIsKnownUntilItWasAskedLast() {
        PositionTrail trail = new PositionTrail();
        for (int i = 0; i < 100; i++) {
            trail.add(at(i), Lsn.of(100));
        }
        assertThat(trail.heldUntil(Lsn.of(100))).contains(at(99));
        trail.add(at(100), Lsn.of(101));
        assertThat(trail.age(Lsn.of(100), at(110))).contains(Duration.ofSeconds(11));
    }

    @Test
    void aPositionThatGoesBackIsAnotherLogs() {
        PositionTrail trail = new PositionTrail();
        trail.add(at(0), Lsn.of(1000));
        trail.add(at(1), Lsn.of(10));
        assertThat(trail.last()).contains(Lsn.of(10));
        assertThat(trail.heldUntil(Lsn.of(5))).isEmpty();
        assertThat(trail.age(Lsn.of(5), at(10))).contains(Duration.ofSeconds(9));
    }

    @Test
    void ofLongAgoItKnowsLessAndStillSomething() {
        PositionTrail trail = new PositionTrail();
        for (int i = 0; i < 50_000; i++) {
            trail.add(at(i), Lsn.of(i));
        }
        assertThat(trail.age(Lsn.of(49_000), at(50_000)).orElseThrow().toSeconds())
                .isBetween(1000L, 1010L);
        assertThat(trail.age(Lsn.of(2), at(50_000)).orElseThrow().toSeconds())
                .isBetween(49_000L, 50_000L);
    }
}
