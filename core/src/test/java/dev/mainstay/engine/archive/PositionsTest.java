package dev.mainstay.engine.archive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;

import org.junit.jupiter.api.Test;

import java.time.Instant;

/// What counts as stored is what the server may forget.
class PositionsTest {
    private final Positions positions = new Positions(() -> Instant.EPOCH, TimelineId.of(1));

    private static Lsn at(long value) {
        return Lsn.of(value);
    }

    @Test
    void segmentsThatStillWaitInTheSpoolAreNotStoredThoughTheStreamBeginsBehindThem() {
        positions.storedBefore(at(100));
        positions.begin(TimelineId.of(1), at(300));
        assertThat(positions.stored()).isEqualTo(at(100));
        positions.stored(at(100), at(200));
        assertThat(positions.stored()).isEqualTo(at(200));
        positions.stored(at(200), at(300));
        assertThat(positions.stored()).isEqualTo(at(300));
    }

    @Test
    void whatIsStoredBehindAGapCountsOnceTheGapIsClosed() {
        positions.storedBefore(at(150));
        positions.stored(at(200), at(300));
        positions.stored(at(200), at(240));
        positions.stored(at(300), at(310));
        assertThat(positions.stored()).isEqualTo(at(150));
        positions.stored(at(100), at(200));
        assertThat(positions.stored()).isEqualTo(at(310));
        positions.stored(at(300), at(305));
        assertThat(positions.stored()).isEqualTo(at(310));
    }

    @Test
    void nothingIsKnownToBeStoredBeforeTheSlotIsAsked() {
        positions.stored(at(100), at(200));
        assertThat(positions.stored().isNone()).isTrue();
        positions.storedBefore(at(120));
        assertThat(positions.stored()).isEqualTo(at(200));
    }

    @Test
    void afterAGapTheSlotSaysAnewWhereToBegin() {
        positions.storedBefore(at(100));
        positions.gap();
        positions.storedBefore(at(700));
        positions.stored(at(600), at(800));
        assertThat(positions.stored()).isEqualTo(at(800));
    }
}
