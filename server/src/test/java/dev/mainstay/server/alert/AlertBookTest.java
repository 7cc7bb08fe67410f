package dev.mainstay.server.alert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.AlertRule;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.testkit.SettableClock;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

class AlertBookTest {
    private static final String CHANNELS =
            """
            notifications:
              channels:
                chat: { type: slack, url: "${URL}" }
                pager: { type: slack, url: "${URL}" }
              routes: { warning: chat, high: chat, critical: [chat, pager] }
            """;

    @TempDir Path folder = Path.of("");
    private final SettableClock clock = SettableClock.at(Instant.parse("2026-03-12T12:00:00Z"));
    private final List<String> told = new ArrayList<>();
    private StateDatabase state;
    private AlertTable table;

    @BeforeEach
    void open() {
        state = StateDatabase.open(new ServerState.Directory(folder), Map.of());
        table = new AlertTable(JdbcClient.create(state.source()));
    }

    @AfterEach
    void close() {
        state.close();
    }

    /// Remembers what it is given, as if all of it had been told at once.
    private final class Log implements Outbox {
        @Override
        public void put(Alert alert, News news, List<String> channels, Instant due, Instant now) {
            told.add(
                    news.word()
                            + " "
                            + alert.key()
                            + " "
                            + channels
                            + (due.isAfter(now.plusSeconds(60)) ? " at " + due : ""));
        }

        @Override
        public List<String> settle(Alert alert) {
            return List.of("chat");
        }
    }

    private AlertBook book(String settings) {
        Configuration configuration = Scene.configuration(CHANNELS + settings);
        return new AlertBook(
                table,
                new Log(),
                new TransactionTemplate(new JdbcTransactionManager(state.source())),
                new Ground(clock, new Random(7)),
                () -> configuration.server().watch().alerts(),
                () -> configuration.server().watch().notifications());
    }

    private static Finding finding(AlertRule rule, Severity severity, String occasion) {
        return new Finding(rule, "orders", severity, occasion, "t", "r", "m", "d");
    }

    private static final Finding FAILED =
            finding(AlertRule.BACKUP_FAILED, Severity.CRITICAL, "job-1");
    private static final Finding OVERDUE = finding(AlertRule.BACKUP_OVERDUE, Severity.HIGH, "");
    private static final Finding SLOW = finding(AlertRule.BACKUP_SLOW, Severity.WARNING, "b1");

    private void take(AlertBook book, Duration after, Finding... findings) {
        clock.advance(after);
        book.take(new Verdict(List.of(findings), Set.of()), clock.instant());
    }

    private static final Duration STEP = Duration.ofSeconds(15);

    @Test
    void whatStaysWrongIsOneAlertAndToldOnce() {
        AlertBook book = book("");
        for (int i = 0; i < 20; i++) {
            take(book, STEP, FAILED);
        }
        assertThat(told).containsExactly("fired backup-failed/orders [chat, pager]");
        assertThat(table.everyOpen()).hasSize(1);
        take(book, STEP);
        take(book, Duration.ofMinutes(1));
        assertThat(table.everyOpen()).as("it may come and go").hasSize(1);
        take(book, Duration.ofMinutes(1));
        assertThat(table.everyOpen()).isEmpty();
        assertThat(told).last().isEqualTo("resolved backup-failed/orders [chat]");
        take(book, STEP, FAILED);
        assertThat(told).last().isEqualTo("fired backup-failed/orders [chat, pager]");
        assertThat(table.list(Optional.empty(), Optional.empty(), 10)).hasSize(2);
    }

    @Test
    void whatCannotBeJudgedIsNotOver() {
        AlertBook book = book("");
        take(book, STEP, OVERDUE);
        clock.advance(Duration.ofHours(1));
        book.take(new Verdict(List.of(), Set.of(OVERDUE.key())), clock.instant());
        assertThat(table.everyOpen()).hasSize(1);
        take(book, STEP);
        assertThat(table.everyOpen()).isEmpty();
    }

    @Test
    void whoeverAcknowledgesKeepsOthersFromBeingCalled() {
        AlertBook book = book("");
        take(book, STEP, FAILED, OVERDUE, SLOW);
        told.clear();
        String id = idOf(FAILED);
        assertThat(book.acknowledge(id, "anna").state()).isEqualTo(AlertState.ACKNOWLEDGED);
        take(book, Duration.ofMinutes(29), FAILED, OVERDUE, SLOW);
        assertThat(told).containsExactly("acknowledged backup-failed/orders [chat, pager]");
        take(book, Duration.ofMinutes(1), FAILED, OVERDUE, SLOW);
        take(book, Duration.ofMinutes(90), FAILED, OVERDUE, SLOW);
        assertThat(told)
                .as("a warning calls nobody, and each is escalated once")
                .containsExactly(
                        "acknowledged backup-failed/orders [chat, pager]",
                        "escalated backup-overdue/orders [chat, pager]");
        assertThat(table.get(id).acknowledgedBy()).contains("anna");
    }

    private String idOf(Finding finding) {
        return table.everyOpen().stream()
                .filter(each -> each.key().equals(finding.key()))
                .findFirst()
                .orElseThrow()
                .id();
    }

    @Test
    void escalationGoesWhereTheFileSays() {
        AlertBook book = book("alerts: { escalate-after: 5min, escalate-to: pager }");
        take(book, STEP, OVERDUE);
        take(book, Duration.ofMinutes(5), OVERDUE);
        assertThat(told).last().isEqualTo("escalated backup-overdue/orders [pager]");
    }

    @Test
    void anotherFailureOrAGraverOneFiresAgainThoughSomebodyKnewOfTheFirst() {
        AlertBook book = book("");
        take(book, STEP, FAILED);
        book.acknowledge(idOf(FAILED), "anna");
        told.clear();
        take(book, STEP, finding(AlertRule.BACKUP_FAILED, Severity.CRITICAL, "job-2"));
        assertThat(told).containsExactly("fired backup-failed/orders [chat, pager]");
        assertThat(table.everyOpen().getFirst().state()).isEqualTo(AlertState.FIRING);
        take(book, STEP, OVERDUE);
        told.clear();
        take(book, STEP, finding(AlertRule.BACKUP_OVERDUE, Severity.CRITICAL, ""));
        assertThat(told).containsExactly("fired backup-overdue/orders [chat, pager]");
    }

    @Test
    void whatSomebodyResolvedComesBackAfterADayOrWhenItHappensAgain() {
        AlertBook book = book("");
        take(book, STEP, OVERDUE, FAILED);
        book.resolve(idOf(OVERDUE), "anna");
        book.resolve(idOf(FAILED), "anna");
        told.clear();
        take(book, Duration.ofHours(23), OVERDUE, FAILED);
        assertThat(told).isEmpty();
        take(book, STEP, OVERDUE, finding(AlertRule.BACKUP_FAILED, Severity.CRITICAL, "job-2"));
        assertThat(told).containsExactly("fired backup-failed/orders [chat, pager]");
        take(book, Duration.ofHours(1), OVERDUE);
        assertThat(told).contains("fired backup-overdue/orders [chat]");
    }

    @Test
    void whatWasOverMeanwhileIsNewAlthoughSomebodyResolvedTheLast() {
        AlertBook book = book("");
        take(book, STEP, OVERDUE);
        book.resolve(idOf(OVERDUE), "anna");
        take(book, STEP);
        told.clear();
        take(book, STEP, OVERDUE);
        assertThat(told).containsExactly("fired backup-overdue/orders [chat]");
    }

    @Test
    void inQuietHoursWarningsWaitForTheMorningAndNothingElseDoes() {
        AlertBook book =
                book("alerts: { quiet-hours: { from: '22:00', to: '07:00', time-zone: Europe/Berlin } }");
        clock.set(Instant.parse("2026-03-28T22:30:00Z")); // the clocks change in this night
        take(book, STEP, SLOW, FAILED);
        assertThat(told)
                .containsExactly(
                        "fired backup-slow/orders [chat] at 2026-03-29T05:00:00Z",
                        "fired backup-failed/orders [chat, pager]");
        clock.set(Instant.parse("2026-03-29T05:00:00Z"));
        take(book, STEP, finding(AlertRule.BACKUP_SIZE, Severity.WARNING, "b1"));
        assertThat(told).contains("fired backup-size/orders [chat]");
        clock.set(Instant.parse("2026-03-30T03:00:00Z"));
        take(book, STEP, finding(AlertRule.CLOCK_SKEW, Severity.WARNING, ""));
        assertThat(told).contains("fired clock-skew/orders [chat] at 2026-03-30T05:00:00Z");
    }

    @Test
    void whatIsOverCannotBeAcknowledged() {
        AlertBook book = book("");
        take(book, STEP, OVERDUE);
        String id = idOf(OVERDUE);
        book.resolve(id, "anna");
        for (Runnable wrong :
                List.<Runnable>of(() -> book.acknowledge(id, "x"), () -> book.resolve(id, "x"))) {
            assertThatThrownBy(wrong::run)
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ALERT_OVER));
        }
        assertThatThrownBy(() -> book.acknowledge("none", "x"))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        refused -> assertThat(refused.code()).isEqualTo(ErrorCode.ALERT_UNKNOWN));
    }
}
