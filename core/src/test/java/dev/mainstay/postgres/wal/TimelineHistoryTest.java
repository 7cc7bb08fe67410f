package dev.mainstay.postgres.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimelineHistoryTest {
    private static final String CONTENT =
            """
            1\t0/3000000\tno recovery target specified
            # a comment

            2\t0/5000000\tbefore 2026-01-01 00:00:00+00
            """;

    private final TimelineHistory history = TimelineHistory.parse(TimelineId.of(4), CONTENT);

    @Test
    void whatWasPrintedIsReadAgain() {
        assertThat(TimelineHistory.parse(TimelineId.of(4), history.print())).isEqualTo(history);
        assertThat(history.ancestors().getLast().reason())
                .isEqualTo("before 2026-01-01 00:00:00+00");
    }

    @Test
    void aPositionBelongsToOneTimeline() {
        assertThat(history.timelineAt(Lsn.parse("0/2FFFFFF"))).isEqualTo(TimelineId.of(1));
        assertThat(history.timelineAt(Lsn.parse("0/3000000"))).isEqualTo(TimelineId.of(2));
        assertThat(history.timelineAt(Lsn.parse("1/0"))).isEqualTo(TimelineId.of(4));
        assertThat(history.switchPoint(TimelineId.of(2))).contains(Lsn.parse("0/5000000"));
        assertThat(history.switchPoint(TimelineId.of(4))).isEmpty();
    }

    @Test
    void aBackupIsOnThePathUnlessItsTimelineWasLeftBefore() {
        assertThat(history.isAncestor(TimelineId.of(3))).isFalse();
        assertThat(history.isOnPath(TimelineId.of(3), Lsn.of(1))).isFalse();
        assertThat(history.isOnPath(TimelineId.of(1), Lsn.parse("0/3000000"))).isTrue();
        assertThat(history.isOnPath(TimelineId.of(1), Lsn.parse("0/3000001"))).isFalse();
        assertThat(history.isOnPath(TimelineId.of(4), Lsn.parse("F/0"))).isTrue();
        assertThat(history.branch(TimelineId.of(9), Lsn.parse("0/6000000"), "x").ancestors())
                .hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1",
                "x\t0/1\tr",
                "1\t0-1\tr",
                "5\t0/1\tr",
                "2\t0/1\tr\n1\t0/2\tr",
                "1\t0/5\tr\n2\t0/4\tr",
                "0\t0/5\tr"
            })
    void rubbishIsRefused(String content) {
        assertThatThrownBy(() -> TimelineHistory.parse(TimelineId.of(4), content))
                .isInstanceOf(MainstayException.class);
    }
}
