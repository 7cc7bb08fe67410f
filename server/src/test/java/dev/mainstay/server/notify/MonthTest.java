package dev.mainstay.server.notify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.Followed;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.engine.config.WatchSettings;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.alert.AlertBook;
import dev.mainstay.server.alert.AlertTable;
import dev.mainstay.server.alert.Rhythm;
import dev.mainstay.server.alert.Rulebook;
import dev.mainstay.server.alert.Scene;
import dev.mainstay.server.job.JobKind;
import dev.mainstay.server.job.JobRequest;
import dev.mainstay.server.metrics.JobFacts;
import dev.mainstay.server.report.ReportClerk;
import dev.mainstay.server.schedule.ScheduleClerk;
import dev.mainstay.server.schedule.ScheduleTable;
import dev.mainstay.server.state.SqlTime;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.server.trace.Tracing;
import dev.mainstay.testkit.SettableClock;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

import tools.jackson.databind.json.JsonMapper;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/// March 2026 in Berlin, in which the clocks change, with everything that watches and tells, and a
/// clock that a test moves: what people hear, as a table.
class MonthTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");
    private static final DateTimeFormatter WHEN =
            DateTimeFormatter.ofPattern("MM-dd HH:mm").withZone(BERLIN);
    private static final Duration STEP = Duration.ofMinutes(10);

    @TempDir Path folder = Path.of("");
    private final SettableClock clock = SettableClock.at(berlin("2026-03-01T00:00"));
    private final Scene scene = Scene.well();
    private final List<String> heard = new ArrayList<>();
    private final List<String> jobs = new ArrayList<>();
    private final Map<Instant, Runnable> ends = new HashMap<>();
    private final Set<String> failing = new HashSet<>();
    private StateDatabase state;
    private Receiver receiver;
    private JdbcClient jdbc;

    private static Instant berlin(String local) {
        return LocalDateTime.parse(local).atZone(BERLIN).toInstant();
    }

    @BeforeEach
    void open() throws Exception {
        state = StateDatabase.open(new ServerState.Directory(folder), Map.of());
        receiver = Receiver.plain();
        jdbc = JdbcClient.create(state.source());
        scene.backups.clear();
        scene.ended.clear();
        scene.backups.add(
                Scene.backup(true, berlin("2026-02-28T02:30"), 600, 10_000_000_000L, 1_000_000));
    }

    @AfterEach
    void close() {
        receiver.close();
        state.close();
    }

    private Configuration configuration() {
        return new ConfigurationReader(
                        Map.of("URL", "http://127.0.0.1:" + receiver.port() + "/"))
                .parse(
                        "m.yaml",
                        """
                        repository: { url: file:///r, encryption: none }
                        sources:
                          orders:
                            postgres: { url: postgresql://h/d }
                            schedules:
                              time-zone: Europe/Berlin
                              full: { cron: "30 2 * * SUN", jitter: 0s }
                              incremental: { cron: "30 2 * * MON-SAT", jitter: 0s }
                              expire: { cron: "30 4 * * *", jitter: 0s }
                              verify: { cron: "0 5 * * *", jitter: 0s }
                        server:
                          schedules: off
                          notifications: { channels: { chat: { type: slack, url: "${URL}" } } }
                          alerts: { quiet-hours: { from: "22:00", to: "07:00", time-zone: Europe/Berlin } }
                          reports: { daily: { cron: "0 6 * * *", time-zone: Europe/Berlin, to: chat } }
                        """,
                        folder);
    }

    private String queued(JobRequest request) {
        Instant now = clock.instant();
        String id = "job-%05d".formatted(jobs.size());
        jobs.add(WHEN.format(now) + " " + request.kind().word());
        jdbc.sql(
                        """
                        insert into job (id, lane, kind, target, parameters, requested_by, state,
                          created_at, cancel_requested, bytes_done, bytes_total, result)
                        values (?, 'l', ?, 'orders', '{}', 'test', 'done', ?, false, 0, 0, '{}')
                        """)
                .params(id, request.kind().word(), SqlTime.of(now))
                .update();
        JobFacts.Running runs =
                new JobFacts.Running(id, request.kind().word(), "orders", now, Optional.of(now));
        scene.running.add(runs);
        boolean fails = failing.contains(request.kind().word());
        ends.put(
                now.plus(STEP).plusNanos(jobs.size()),
                () -> {
                    scene.running.remove(runs);
                    over(id, request.kind(), fails, now);
                });
        return id;
    }

    /// The newest of its kind and end is what the state would tell.
    private void over(String id, JobKind kind, boolean fails, Instant begin) {
        String end = fails ? "failed" : "done";
        scene.ended.removeIf(
                job -> job.kind().equals(kind.word()) && job.state().equals(end));
        scene.ended.add(
                new JobFacts.Ended(
                        id,
                        kind.word(),
                        "orders",
                        end,
                        fails ? ErrorCode.STORE_UNAVAILABLE.id() : "",
                        fails ? "it broke" : "",
                        begin.plus(STEP)));
        if (kind == JobKind.BACKUP && !fails) {
            scene.backups.add(
                    Scene.backup(
                            false,
                            begin,
                            600,
                            10_000_000_000L,
                            100_000_000));
        }
    }

    /// What happens from a minute on.
    private Map<Instant, Runnable> story() {
        Map<Instant, Runnable> story = new HashMap<>();
        story.put(berlin("2026-03-10T02:00"), () -> failing.add("backup"));
        story.put(berlin("2026-03-10T12:00"), () -> failing.remove("backup"));
        story.put(berlin("2026-03-14T04:00"), () -> failing.add("expire"));
        story.put(berlin("2026-03-14T12:00"), () -> failing.remove("expire"));
        story.put(berlin("2026-03-17T21:00"), () -> scene.lost = Duration.ofMinutes(70));
        story.put(berlin("2026-03-17T21:20"), () -> scene.lost = Duration.ofSeconds(5));
        story.put(berlin("2026-03-20T23:00"), () -> scene.clockAhead = Duration.ofMinutes(1));
        story.put(berlin("2026-03-21T09:00"), () -> scene.clockAhead = Duration.ZERO);
        story.put(berlin("2026-03-22T23:00"), () -> scene.clockAhead = Duration.ofMinutes(1));
        story.put(berlin("2026-03-22T23:30"), () -> scene.clockAhead = Duration.ZERO);
        return story;
    }

    private void live(Configuration configuration, AlertBook book, Map<Instant, Runnable> story) {
        WatchSettings watch = configuration.server().watch();
        Ground ground = new Ground(clock, new Random(7));
        Channels channels = new Channels(watch.notifications(), ground, Duration.ofSeconds(5));
        NoticeTable notices = new NoticeTable(jdbc, ground, channels);
        Courier courier = new Courier(notices, channels, Tracing.off());
        ScheduleClerk schedules =
                new ScheduleClerk(
                        () -> configuration,
                        new ScheduleTable(jdbc),
                        new TransactionTemplate(new JdbcTransactionManager(state.source())),
                        this::queued);
        Rulebook rules = new Rulebook(watch::alerts, new Followed<>(() -> configuration, Rhythm::new));
        ReportClerk reports =
                new ReportClerk(
                        watch::report,
                        jdbc,
                        _ -> scene.facts(),
                        new AlertTable(jdbc),
                        notices,
                        clock);
        while (clock.instant().isBefore(berlin("2026-04-01T00:00"))) {
            Instant now = clock.instant();
            scene.now = now;
            Optional.ofNullable(story.get(now)).ifPresent(Runnable::run);
            ends.entrySet().stream()
                    .filter(end -> !end.getKey().truncatedTo(ChronoUnit.SECONDS).isAfter(now))
                    .sorted(Map.Entry.comparingByKey())
                    .toList()
                    .forEach(
                            end -> {
                                end.getValue().run();
                                ends.remove(end.getKey());
                            });
            boolean away = // no server is there
                    !now.isBefore(berlin("2026-03-24T00:00")) && now.isBefore(berlin("2026-03-24T12:00"));
            if (!away) {
                schedules.tick(now);
                book.take(rules.judge(scene.facts(), now), now);
                reports.tick(now);
                courier.deliver(now);
                listen(now);
            }
            clock.advance(STEP);
        }
    }

    private void listen(Instant now) {
        for (String body : receiver.bodies) {
            String text = JsonMapper.shared().readTree(body).get("text").asString();
            text.lines()
                    .filter(line -> line.startsWith("*["))
                    .forEach(line -> heard.add(WHEN.format(now) + " " + line.replace("*", "")));
        }
        receiver.bodies.clear();
    }

    private AlertBook book(Configuration configuration) {
        WatchSettings watch = configuration.server().watch();
        Ground ground = new Ground(clock, new Random(8));
        return new AlertBook(
                new AlertTable(jdbc),
                new NoticeTable(
                        jdbc,
                        ground,
                        new Channels(watch.notifications(), ground, Duration.ofSeconds(5))),
                new TransactionTemplate(new JdbcTransactionManager(state.source())),
                ground,
                watch::alerts,
                watch::notifications);
    }

    @Test
    void whatPeopleHearInAMonth() {
        Configuration configuration = configuration();
        AlertBook book = book(configuration);
        AlertTable alerts = new AlertTable(jdbc);
        Map<Instant, Runnable> story = story();
        story.put(
                berlin("2026-03-10T04:10"),
                () ->
                        alerts.everyOpen().stream()
                                .filter(alert -> alert.rule().equals("backup-overdue"))
                                .forEach(alert -> book.acknowledge(alert.id(), "anna")));
        live(configuration, book, story);
        assertThat(heard.stream().filter(line -> !line.contains("[REPORT]")))
                .containsExactly(
                        // a backup failed, nobody looked, and it did not come again
                        "03-10 02:50 [CRITICAL] Backup of orders failed",
                        "03-10 03:10 [ESCALATED] Backup of orders failed",
                        "03-10 03:50 [HIGH] No backup of orders for 25 h",
                        // anna looks after that one: it is not escalated
                        "03-11 02:40 [RESOLVED] Backup of orders failed",
                        "03-11 02:40 [RESOLVED] No backup of orders for 47 h 40 min",
                        // a warning of the night is told in the morning, and so is its end
                        "03-14 07:00 [WARNING] Retention of orders is stuck",
                        "03-15 07:00 [RESOLVED] Retention of orders is stuck",
                        // for twenty minutes no WAL came
                        "03-17 21:10 [HIGH] No WAL of orders for 70 min",
                        "03-17 21:20 [RESOLVED] No WAL of orders for 70 min",
                        // a clock went wrong over night; two days later only for half an hour
                        "03-21 07:00 [WARNING] The clock of orders differs",
                        "03-21 09:00 [RESOLVED] The clock of orders differs");
        List<String> backups = new ArrayList<>();
        List<String> reports = new ArrayList<>();
        for (int day = 1; day <= 31; day++) {
            // on the 24th no server was there until noon; on the 29th there is no 02:30
            String backup = day == 24 ? "12:00" : day == 29 ? "03:00" : "02:30";
            backups.add("03-%02d %s backup".formatted(day, backup));
            String health = day == 10 ? "critical" : "healthy";
            if (day == 14) {
                health = "warning";
            }
            if (day == 21) {
                health = "warning";
            }
            if (day != 24) { // six hours later is too late: the page tells the same
                reports.add("03-%02d 06:00 [REPORT] Mainstay is %s".formatted(day, health));
            }
        }
        assertThat(jobs.stream().filter(job -> job.endsWith("backup")).toList()).isEqualTo(backups);
        assertThat(jobs.stream().filter(job -> job.endsWith("expire"))).hasSize(31);
        assertThat(jobs.stream().filter(job -> job.endsWith("verify"))).hasSize(31);
        assertThat(heard.stream().filter(line -> line.contains("[REPORT]")))
                .containsExactlyElementsOf(reports);
    }
}
