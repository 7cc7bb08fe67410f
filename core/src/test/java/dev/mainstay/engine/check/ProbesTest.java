package dev.mainstay.engine.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.postgres.cluster.Finding;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

class ProbesTest {
    private static final Instant NOW = Instant.parse("2026-11-21T04:00:00Z");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | false",
                "mainstay_orders | true",
                "* | true",
                "FIRST 2 (a, \"Mainstay_Orders\") | true",
                "ANY 1 (a, b) | false",
                "2 (mainstay_orders, b) | true",
                "mainstay_orders2 | false"
            })
    void theReceiverIsFoundInSynchronousStandbyNames(String setting, boolean named) {
        assertThat(SynchronousProbe.names(setting, "mainstay_orders")).isEqualTo(named);
    }

    @Test
    void clocksAgreeWithinTheTimeAnAnswerTakes() {
        Instant later = NOW.plusSeconds(30);
        assertThat(ClockProbe.judge(NOW, NOW.plusSeconds(20), later).severity())
                .isEqualTo(Finding.Severity.OK);
        assertThat(ClockProbe.judge(NOW, later.plusSeconds(5), later).text())
                .contains("5 s ahead of");
        assertThat(ClockProbe.judge(NOW, NOW.minusSeconds(3600), later).text())
                .contains("3600 s behind");
    }

    @Test
    void whoArchivesIsReadFromTheSettings() {
        assertThat(archiving("off", "(disabled)").push()).isFalse();
        assertThat(archiving("off", "(disabled)").other()).isEmpty();
        assertThat(archiving("on", "").nowhere()).isTrue();
        assertThat(archiving("on", "/opt/mainstay wal push %p").push()).isTrue();
        assertThat(archiving("always", "mainstay --config x wal push --source='o' %p").pushSource())
                .contains("o");
        assertThat(archiving("on", "pgbackrest archive-push %p").other())
                .contains("pgbackrest archive-push %p");
    }

    private static Archiving archiving(String mode, String command) {
        return Archiving.of(
                new ServerView(
                        Map.of("archive_mode", mode, "archive_command", command),
                        Optional.empty(),
                        false,
                        0,
                        new ServerView.Archiver(
                                0, Optional.empty(), Optional.empty(), Optional.empty())));
    }

    @Test
    void agesReadWell() {
        assertThat(HistoryProbe.age(Duration.ofMinutes(90))).isEqualTo("90 minutes");
        assertThat(HistoryProbe.age(Duration.ofHours(30))).isEqualTo("30 hours");
        assertThat(HistoryProbe.age(Duration.ofDays(9))).isEqualTo("9 days");
    }
}
