package dev.mainstay.engine.archive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;

import org.junit.jupiter.api.Test;

import java.time.Instant;

/// What counts as stored is what the server may forget.
class PositionsTest {
    private Instant now = Instant.EPOCH;
    private final Positions positions = new Positions(() -> now, TimelineId.of(1));

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

    @Test
    void theFirstStatusOfAProcessIsTrue() {
        positions.storedBefore(at(250)); // of a segment that begins at 200, where the stream begins
        positions.begin(TimelineId.of(1), at(200));
        positions.server(at(250));
        now = now.plusSeconds(60);
        ReceiverStatus status = positions.status(0);
        assertThat(status.stored()).isEqualTo(at(250));
        assertThat(status.spooled()).as("never behind what is stored").isEqualTo(at(250));
        assertThat(status.spooledLag()).isZero();
        assertThat(status.storedLag()).isZero();
        assertThat(positions.spooled()).as("what the server is told").isEqualTo(at(200));
    }

    @Test
    void lagIsTheAgeOfTheOldestByteThatIsMissing() {
        positions.storedBefore(at(100));
        positions.begin(TimelineId.of(1), at(100));
        positions.server(at(150));
        now = now.plusSeconds(2);
        positions.server(at(200));
        now = now.plusSeconds(3);
        assertThat(positions.status(0).spooledLag()).hasSeconds(5);
        positions.spooled(at(150));
        assertThat(positions.status(0).spooledLag()).hasSeconds(3);
        positions.spooled(at(200));
        assertThat(positions.status(0).spooledLag()).isZero();
        assertThat(positions.status(0).storedLag()).hasSeconds(5);
        positions.stored(at(100), at(200));
        assertThat(positions.status(0).storedLag()).isZero();
    }
}
