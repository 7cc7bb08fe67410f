package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;

import org.junit.jupiter.api.Test;

import java.util.Optional;

class BackupLabelTest {
    private static final String TEXT =
            """
            START WAL LOCATION: A/2000028 (file 000000030000000A00000002)
            CHECKPOINT LOCATION: A/2000060
            BACKUP METHOD: streamed
            BACKUP FROM: primary
            START TIME: 2026-01-02 03:04:05 UTC
            LABEL: nightly
            START TIMELINE: 3
            """;

    @Test
    void readsWhatRecoveryReads() {
        assertThat(BackupLabel.parse(TEXT))
                .isEqualTo(
                        new BackupLabel(
                                Lsn.parse("A/2000028"),
                                "000000030000000A00000002",
                                Lsn.parse("A/2000060"),
                                TimelineId.of(3),
                                "2026-01-02 03:04:05 UTC",
                                "nightly",
                                Optional.empty()));
    }

    @Test
    void tellsWhatAnIncrementalOneBuildsOn() {
        String text = TEXT + "INCREMENTAL FROM LSN: A/1000028\nINCREMENTAL FROM TLI: 2\n";
        assertThat(BackupLabel.parse(text).since())
                .contains(new BackupLabel.Earlier(Lsn.parse("A/1000028"), TimelineId.of(2)));
    }

    @Test
    void refusesALabelThatMissesALine() {
        assertThatThrownBy(() -> BackupLabel.parse(TEXT.replace("START TIMELINE: 3\n", "")))
                .isInstanceOf(MainstayException.class)
                .hasMessageContaining("START TIMELINE");
    }
}
