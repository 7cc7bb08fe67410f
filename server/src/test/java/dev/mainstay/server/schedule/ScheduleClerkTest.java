package dev.mainstay.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.server.job.JobRequest;
import dev.mainstay.server.schedule.Occurrence.Outcome;
import dev.mainstay.server.state.StateDatabase;

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
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

class ScheduleClerkTest {
    private static final DateTimeFormatter BERLIN =
            DateTimeFormatter.ofPattern("MM-dd HH:mm").withZone(ZoneId.of("Europe/Berlin"));

    @TempDir Path folder = Path.of("");
    private StateDatabase state;
    private ScheduleTable table;
    private final List<String> started = new ArrayList<>();
    private Instant now = Instant.parse("2026-03-01T00:00:00Z");

    @BeforeEach
    void open() {
        state = StateDatabase.open(new ServerState.Directory(folder), Map.of());
        table = new ScheduleTable(JdbcClient.create(state.source()));
    }

    @AfterEach
    void close() {
        state.close();
    }

    private Configuration configuration(String schedules) {
        return new ConfigurationReader(Map.of())
                .parse(
                        "m.yaml",
                        """
                        repository: { url: file:///r, encryption: none }
                        copies: { offsite: { url: file:///copy } }
                        sources:
                          orders:
                            postgres: { url: postgresql://h/d }
                        """
                                + schedules.indent(4),
                        folder);
    }

    /// A job that ends at once, as far as the schedule can see, unless `state` says otherwise.
    private ScheduleClerk clerk(String schedules, String state) {
        Configuration read = configuration(schedules);
        return new ScheduleClerk(
                () -> read,
                table,
                new TransactionTemplate(new JdbcTransactionManager(this.state.source())),
                request -> queued(request, state));
    }

    private String queued(JobRequest request, String jobState) {
        String id = "job-" + started.size();
        JdbcClient.create(state.source())
                .sql(
                        """
                        insert into job (id, lane, kind, target, parameters, requested_by, state,
                          created_at, cancel_requested, bytes_done, bytes_total, result)
                        values (?, 'l', ?, ?, '{}', ?, ?, ?, false, 0, 0, '{}')
                        """)
                .params(
                        id,
                        request.kind().word(),
                        request.target(),
                        request.requestedBy(),
                        jobState,
                        now.atOffset(ZoneOffset.UTC))
                .update();
        started.add(
                BERLIN.format(now)
                        + " "
                        + request.kind().word()
                        + " "
                        + request.parameters().getOrDefault("type", "")
                        + " "
                        + request.target());
        return id;
    }

    private void until(ScheduleClerk clerk, String end, Duration step) {
        while (now.isBefore(Instant.parse(end))) {
            clerk.tick(now);
            now = now.plus(step);
        }
    }

    private static final String NIGHTS =
            """
            schedules:
              time-zone: Europe/Berlin
              full: { cron: "30 2 * * SUN", jitter: 0s }
              incremental: { cron: "30 2 * * MON-SAT", jitter: 0s }
              expire: off
              verify: { cron: "0 4 * * MON#1", jitter: 0s }
            """;

    @Test
    void aMonthInWhichTheClocksChangeIsAsTheTableSays() {
        until(clerk(NIGHTS, "done"), "2026-04-01T00:00:00Z", Duration.ofMinutes(1));
        List<String> ofOrders = started.stream().filter(each -> each.endsWith("orders")).toList();
        List<String> expected = new ArrayList<>();
        for (int day = 1; day <= 31; day++) {
            boolean sunday = day % 7 == 1;
            String time = day == 29 ? "03:00" : "02:30"; // the hour from 2 to 3 is left out
            expected.add(
                    "03-%02d %s backup %s orders"
                            .formatted(day, time, sunday ? "full" : "auto"));
            if (day == 2) {
                expected.add("03-02 04:00 verify  orders");
            }
        }
        assertThat(ofOrders).isEqualTo(expected);
        assertThat(table.occurrences("orders/full", 100))
                .hasSize(5)
                .allMatch(each -> each.outcome() == Outcome.STARTED);
        assertThat(table.occurrences("offsite/copy", 100)).hasSize(31); // by default, with jitter
        assertThat(table.occurrences("prune", 100)).hasSize(5);
        assertThat(table.occurrences("orders/expire", 100)).isEmpty();
    }

    @Test
    void theDefaultsComeWithJitterAndOnce() {
        until(clerk("", "done"), "2026-03-15T00:00:00Z", Duration.ofMinutes(1));
        assertThat(table.occurrences("orders/full", 100))
                .extracting(Occurrence::time)
                .containsExactly(
                        Instant.parse("2026-03-08T01:00:00Z"),
                        Instant.parse("2026-03-01T01:00:00Z"));
        assertThat(table.occurrences("orders/incremental", 100)).hasSize(12);
        assertThat(table.occurrences("orders/expire", 100)).hasSize(14);
        assertThat(table.occurrences("orders/verify", 100)).hasSize(14);
        assertThat(table.occurrences("scrub", 100)).hasSize(14);
        assertThat(started).hasSize(2 + 12 + 14 + 14 + 14 + 14 + 2);
    }

    @Test
    void ofWhatWasMissedTheNewestIsMadeUpForUnlessItIsNotWanted() {
        clerk(NIGHTS, "done").tick(now);
        now = Instant.parse("2026-03-05T12:00:00Z");
        clerk(NIGHTS, "done").tick(now);
        clerk(NIGHTS, "done").tick(now);
        assertThat(table.occurrences("orders/incremental", 9))
                .extracting(Occurrence::outcome)
                .containsExactly(
                        Outcome.STARTED, Outcome.MISSED, Outcome.MISSED, Outcome.MISSED);
        String skipping = NIGHTS.replace("MON-SAT\",", "MON-SAT\", missed: skip,");
        now = Instant.parse("2026-03-07T12:00:00Z");
        clerk(skipping, "done").tick(now);
        assertThat(table.occurrences("orders/incremental", 2))
                .extracting(Occurrence::outcome)
                .containsExactly(Outcome.MISSED, Outcome.MISSED);
    }

    @Test
    void aTimeWhoseForerunnerHasNotEndedIsLeftOutAndSaysSo() {
        until(clerk(NIGHTS, "running"), "2026-03-04T12:00:00Z", Duration.ofMinutes(1));
        assertThat(table.occurrences("orders/incremental", 9))
                .extracting(Occurrence::outcome)
                .containsExactly(Outcome.SKIPPED, Outcome.SKIPPED, Outcome.STARTED);
    }

    private static final String BY_NIGHT =
            """
            schedules:
              time-zone: Europe/Berlin
              window: { from: "22:00", to: "06:00" }
              full: { cron: "30 23 * * SUN", jitter: 0s }
              incremental: { cron: "0 */6 * * *", jitter: 0s }
              expire: off
              verify: off
            """;

    @Test
    void whatIsDueWhileTheWindowIsClosedWaitsForItAndTheNewestIsDone() {
        now = Instant.parse("2026-03-02T00:00:00Z");
        ScheduleClerk clerk = clerk(BY_NIGHT, "done");
        clerk.tick(now);
        assertThat(clerk.next().stream().filter(each -> each.schedule().equals("orders/incremental")))
                .singleElement()
                .satisfies(
                        each -> {
                            assertThat(each.window()).isPresent();
                            assertThat(each.time()) // 06:00 is outside: its end
                                    .contains(Instant.parse("2026-03-02T21:00:00Z"));
                        });
        until(clerk, "2026-03-04T00:00:00Z", Duration.ofMinutes(1));
        assertThat(started.stream().filter(each -> each.contains("backup")))
                .containsExactly(
                        "03-02 22:00 backup auto orders",
                        "03-03 00:00 backup auto orders",
                        "03-03 22:00 backup auto orders",
                        "03-04 00:00 backup auto orders");
        assertThat(table.occurrences("orders/incremental", 8))
                .extracting(each -> BERLIN.format(each.time()) + " " + each.outcome())
                .containsExactly(
                        "03-04 00:00 STARTED",
                        "03-03 18:00 STARTED",
                        "03-03 12:00 MISSED",
                        "03-03 06:00 MISSED",
                        "03-03 00:00 STARTED",
                        "03-02 18:00 STARTED",
                        "03-02 12:00 MISSED",
                        "03-02 06:00 MISSED");
    }

    @Test
    void whatIsNotMadeUpForIsLeftOutWhileTheWindowIsClosed() {
        now = Instant.parse("2026-03-02T00:00:00Z");
        until(
                clerk(BY_NIGHT.replace("jitter: 0s", "jitter: 0s, missed: skip"), "done"),
                "2026-03-03T06:00:00Z",
                Duration.ofMinutes(1));
        assertThat(table.occurrences("orders/incremental", 9))
                .extracting(each -> BERLIN.format(each.time()) + " " + each.outcome())
                .containsExactly(
                        "03-03 06:00 MISSED",
                        "03-03 00:00 STARTED",
                        "03-02 18:00 MISSED",
                        "03-02 12:00 MISSED",
                        "03-02 06:00 MISSED");
    }

    @Test
    void aChangedExpressionCountsFromNowOn() {
        clerk(NIGHTS, "done").tick(now);
        now = Instant.parse("2026-03-05T12:00:00Z");
        clerk(NIGHTS.replace("30 2", "45 13"), "done").tick(now);
        assertThat(started).filteredOn(each -> each.contains("backup")).isEmpty();
        assertThat(table.next("orders/incremental")).contains(Instant.parse("2026-03-05T12:45:00Z"));
    }

    @Test
    void aWrongExpressionSaysWhereItStands() {
        assertThatThrownBy(() -> clerk("schedules: { full: 0 2 * * MOON }", "done"))
                .isInstanceOf(MainstayException.class)
                .hasMessageContaining("m.yaml:6:")
                .hasMessageContaining("sources.orders.schedules.full");
    }
}
