package dev.mainstay.server.report;

import dev.mainstay.engine.config.Followed;
import dev.mainstay.engine.config.ReportSettings;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.server.alert.AlertTable;
import dev.mainstay.server.metrics.Facts;
import dev.mainstay.server.notify.NoticeTable;
import dev.mainstay.server.schedule.CronTimes;
import dev.mainstay.server.state.SqlTime;

import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;

import tools.jackson.databind.json.JsonMapper;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// Makes the daily report when it is time, once, whichever server does it, and sends it.
public final class ReportClerk {
    /// What is later than this has been missed: the page tells the same.
    private static final Duration LATE = Duration.ofHours(2);

    private final Supplier<ReportSettings> settings;
    private final Followed<ReportSettings, Optional<CronTimes>> times;
    private final JdbcClient jdbc;
    private final Function<Instant, Facts> facts;
    private final AlertTable alerts;
    private final NoticeTable notices;
    private final InstantSource clock;

    /// @throws dev.mainstay.base.MainstayException CONFIG_INVALID if the expression is none
    public ReportClerk(
            Supplier<ReportSettings> settings,
            JdbcClient jdbc,
            Function<Instant, Facts> facts,
            AlertTable alerts,
            NoticeTable notices,
            InstantSource clock) {
        this.settings = settings;
        this.times = new Followed<>(settings, ReportClerk::times);
        times.get(); // what is wrong is told at once
        this.jdbc = jdbc;
        this.facts = facts;
        this.alerts = alerts;
        this.notices = notices;
        this.clock = clock;
    }

    private static Optional<CronTimes> times(ReportSettings settings) {
        try {
            return settings.cron().isEmpty()
                    ? Optional.empty()
                    : Optional.of(CronTimes.parse(settings.cron(), settings.zone()));
        } catch (IllegalArgumentException wrong) {
            throw settings.invalid(String.valueOf(wrong.getMessage()), wrong);
        }
    }

    /// As things are now.
    DailyReport now() {
        return at(clock.instant());
    }

    private DailyReport at(Instant now) {
        return DailyReport.of(facts.apply(now), alerts.everyOpen(), now);
    }

    /// Makes and sends the report that is due, if one is.
    public void tick(Instant now) {
        Optional<Instant> due =
                times.get().flatMap(each -> each.after(now.minus(LATE))).filter(time -> !time.isAfter(now));
        if (due.isEmpty() || isMade(due.get())) {
            return;
        }
        DailyReport report = at(now);
        try {
            jdbc.sql("insert into daily_report (at, body) values (:at, :body)")
                    .param("at", SqlTime.of(due.get()))
                    .param("body", JsonMapper.shared().writeValueAsString(report))
                    .update();
        } catch (DuplicateKeyException anotherServerWasFaster) {
            return;
        }
        for (String channel : settings.get().to()) {
            notices.put(
                    channel,
                    "report",
                    Severity.INFO,
                    "[REPORT] Mainstay is " + report.overallHealth(),
                    report.text(),
                    now);
        }
    }

    private boolean isMade(Instant time) {
        return jdbc.sql("select count(*) from daily_report where at = :at")
                        .param("at", SqlTime.of(time))
                        .query(Long.class)
                        .single()
                > 0;
    }
}
