package dev.mainstay.server.alert;

import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ScheduleSettings;
import dev.mainstay.engine.config.ScheduledWork;
import dev.mainstay.server.schedule.CronTimes;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// When the next backup of a source has to have begun.
public final class Rhythm {
    private record Beat(CronTimes times, ScheduleSettings settings) {
        Optional<Instant> latestAfter(Instant time) {
            return times.after(time)
                    .map(next -> next.plus(settings.jitter()))
                    .map(
                            next ->
                                    settings.window()
                                            .map(each -> each.hours().entered(next))
                                            .orElse(next));
        }
    }

    private final Map<String, List<Beat>> beats = new HashMap<>();
    private final boolean verifies;

    /// @throws dev.mainstay.base.MainstayException CONFIG_INVALID if an expression is none
    public Rhythm(Configuration configuration) {
        boolean any = false;
        for (var source : configuration.sources().values()) {
            List<Beat> of = new ArrayList<>();
            for (ScheduleSettings each : source.schedules()) {
                any |= each.work() == ScheduledWork.VERIFY;
                if (each.work() == ScheduledWork.FULL || each.work() == ScheduledWork.INCREMENTAL) {
                    of.add(new Beat(times(each), each));
                }
            }
            beats.put(source.name(), of);
        }
        verifies = any;
    }

    private static CronTimes times(ScheduleSettings schedule) {
        try {
            return CronTimes.parse(schedule.cron(), schedule.zone());
        } catch (IllegalArgumentException wrong) {
            throw schedule.invalid(String.valueOf(wrong.getMessage()), wrong);
        }
    }

    /// The first time after a backup that another one was due; empty without a schedule.
    Optional<Instant> dueAfter(String source, Instant backup) {
        return beats.getOrDefault(source, List.of()).stream()
                .flatMap(beat -> beat.latestAfter(backup).stream())
                .min(Instant::compareTo);
    }

    boolean verifies() {
        return verifies;
    }
}
