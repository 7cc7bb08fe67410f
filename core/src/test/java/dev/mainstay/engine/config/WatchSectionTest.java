package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

class WatchSectionTest {
    private static final String CHANNELS =
            """
            notifications:
              channels:
                mail: { type: email, host: mail.example.org, from: m@example.org, to: [a@example.org, b@example.org], user: m, password: "${P}" }
                chat: { type: slack, url: "${U}" }
              routes: { warning: mail, info: off }
            """;

    @TempDir Path folder = Path.of("");

    private WatchSettings read(String keys) {
        String yaml =
                "repository: { url: file:///r, encryption: none }\nserver:\n" + keys.indent(2);
        return new ConfigurationReader(
                        Map.of("P", "geheim", "U", "https://hooks.example.org/geheim"))
                .parse("m.yaml", yaml, folder)
                .server()
                .watch();
    }

    private void refused(String keys, String... parts) {
        assertThatThrownBy(() -> read(keys))
                .isInstanceOf(MainstayException.class)
                .message()
                .contains(parts)
                .doesNotContain("geheim");
    }

    @Test
    void withoutChannelsAlertsAreRaisedAllTheSame() {
        WatchSettings settings = read("metrics: { public: true }");
        assertThat(settings.metricsArePublic()).isTrue();
        assertThat(settings.alerts()).isEqualTo(AlertSettings.defaults());
        assertThat(settings.alerts().rules()).doesNotContainKey(AlertRule.BACKUP_COMPLETED);
        assertThat(settings.notifications().channels()).isEmpty();
        assertThat(settings.report().cron()).isEqualTo("0 6 * * *");
    }

    @Test
    void everythingIsToldEverywhereUnlessARouteSaysOtherwise() {
        WatchSettings settings = read(CHANNELS);
        assertThat(settings.notifications().route(Severity.CRITICAL))
                .containsExactly("mail", "chat");
        assertThat(settings.notifications().route(Severity.WARNING)).containsExactly("mail");
        assertThat(settings.notifications().route(Severity.INFO)).isEmpty();
        assertThat(settings.report().to()).as("by mail").containsExactly("mail");
        assertThat(settings.notifications().channels().get("mail"))
                .isEqualTo(
                        new ChannelSettings.Email(
                                "mail",
                                Optional.empty(),
                                "mail.example.org",
                                587,
                                true,
                                false,
                                Optional.of("m"),
                                Optional.of(Secret.of("geheim")),
                                "m@example.org",
                                List.of("a@example.org", "b@example.org")));
        assertThat(settings.toString()).doesNotContain("geheim");
    }

    @Test
    void rulesQuietHoursAndEscalationAreRead() {
        AlertSettings alerts =
                read(CHANNELS
                                + """
                                alerts:
                                  rules:
                                    backup-overdue: { after: 2h, severity: critical }
                                    slot-retains: { size: 1GiB }
                                    clock-skew: off
                                    backup-completed: on
                                  escalate-after: 10min
                                  escalate-to: chat
                                  quiet-hours: { from: "22:00", to: "07:00", time-zone: Europe/Berlin, severities: [info] }
                                reports: { daily: { cron: "30 7 * * MON-FRI", time-zone: Europe/Berlin, to: chat } }
                                """)
                        .alerts();
        assertThat(alerts.rules())
                .doesNotContainKey(AlertRule.CLOCK_SKEW)
                .containsKey(AlertRule.BACKUP_COMPLETED);
        RuleSettings overdue = alerts.rules().get(AlertRule.BACKUP_OVERDUE);
        assertThat(overdue).isNotNull();
        assertThat(alerts.rules())
                .hasEntrySatisfying(
                        AlertRule.BACKUP_OVERDUE,
                        rule -> {
                            assertThat(rule.after()).isEqualTo(Duration.ofHours(2));
                            assertThat(rule.severity()).isEqualTo(Severity.CRITICAL);
                        })
                .hasEntrySatisfying(
                        AlertRule.SLOT_RETAINS,
                        rule -> assertThat(rule.size().bytes()).isEqualTo(1L << 30));
        assertThat(alerts.escalateAfter()).isEqualTo(Duration.ofMinutes(10));
        assertThat(alerts.escalateTo()).containsExactly("chat");
        assertThat(alerts.quiet())
                .contains(
                        new AlertSettings.Quiet(
                                new DailyHours(
                                        LocalTime.of(22, 0),
                                        LocalTime.of(7, 0),
                                        ZoneId.of("Europe/Berlin")),
                                Set.of(Severity.INFO)));
    }

    @Test
    void whatIsMisspeltIsNamed() {
        refused("alerts: { rules: { backup-overdu: off } }", "backup-overdu", "backup-overdue");
        refused("alerts: { rules: { wal-gap: { after: 1h } } }", "wal-gap.after");
        refused("alerts: { rules: { wal-stalled: maybe } }", "none of on and off");
        refused(CHANNELS + "alerts: { escalate-to: chatt }", "'chatt'", "did you mean 'chat'");
        refused("alerts: { quiet-hours: { from: '25:00', to: '07:00' } }", "quiet-hours.from");
        refused(
                "notifications: { channels: { c: { type: slack, url: \"${P}\" } } }",
                "no https url");
        refused(
                "notifications: { channels: { c: { type: slack, url: 'https://x/y' } } }",
                "is a secret");
        refused("reports: { dayly: off }", "reports.dayly", "daily");
    }

    @Test
    void aSecretMayLieInAFile() throws IOException {
        Files.writeString(folder.resolve("key"), "geheim\n");
        WatchSettings settings =
                read(
                        "notifications: { channels: { c: { type: pagerduty, routing-key: { file:"
                                + " key } } } }");
        assertThat(settings.notifications().channels())
                .hasEntrySatisfying(
                        "c",
                        channel ->
                                assertThat(((ChannelSettings.PagerDuty) channel).routingKey())
                                        .isEqualTo(Secret.of("geheim")));
        refused(
                "notifications: { channels: { c: { type: pagerduty, routing-key: { file: none } } }"
                        + " }",
                "routing-key.file",
                "cannot be read");
    }
}
