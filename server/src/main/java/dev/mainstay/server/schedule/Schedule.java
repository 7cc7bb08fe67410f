package dev.mainstay.server.schedule;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationErrors;
import dev.mainstay.engine.config.ScheduleSettings;
import dev.mainstay.engine.config.ScheduledWork;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.server.job.JobKind;
import dev.mainstay.server.job.JobRequest;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.zip.CRC32;

/// A schedule of the configuration.
///
/// @param target the source or copy; empty: the whole repository
record Schedule(String target, ScheduleSettings settings, CronTimes times) {
    /// @throws MainstayException CONFIG_INVALID, saying where it stands
    static Schedule of(String target, ScheduleSettings settings) {
        try {
            return new Schedule(
                    target, settings, CronTimes.parse(settings.cron(), settings.zone()));
        } catch (IllegalArgumentException wrong) {
            throw settings.invalid(String.valueOf(wrong.getMessage()), wrong);
        }
    }

    /// All of a configuration, in its order.
    ///
    /// @throws MainstayException CONFIG_INVALID, saying what all is wrong
    static List<Schedule> all(Configuration configuration) {
        List<Schedule> schedules = new ArrayList<>();
        List<MainstayException> wrong = new ArrayList<>();
        BiConsumer<String, ScheduleSettings> add =
                (target, settings) -> {
                    try {
                        schedules.add(of(target, settings));
                    } catch (MainstayException none) {
                        wrong.add(none);
                    }
                };
        for (SourceSettings source : configuration.sources().values()) {
            source.schedules().forEach(each -> add.accept(source.name(), each));
        }
        for (ScheduleSettings each : configuration.server().schedules()) {
            if (each.work() == ScheduledWork.COPY) {
                configuration.copies().keySet().forEach(copy -> add.accept(copy, each));
            } else {
                add.accept("", each);
            }
        }
        if (!wrong.isEmpty()) {
            throw ConfigurationErrors.together(configuration.origin(), wrong);
        }
        return List.copyOf(schedules);
    }

    /// `orders/full`
    String key() {
        return target.isEmpty() ? settings.work().word() : target + "/" + settings.work().word();
    }

    /// As who it asks for jobs.
    static String asks(String key) {
        return "schedule " + key;
    }

    /// What makes its times what they are.
    String definition() {
        return settings.cron() + " " + settings.zone();
    }

    /// When the work of one of its times is due: what is made up for waits for its window.
    Instant due(Instant time) {
        Instant later = jittered(time);
        return settings.runsMissed()
                ? settings.window().map(each -> each.hours().entered(later)).orElse(later)
                : later;
    }

    /// Whether the work of one of its times may begin then.
    boolean isOpen(Instant time) {
        return settings.window().map(each -> each.hours().contains(due(time))).orElse(true);
    }

    /// The same on every server, and not the same for every schedule.
    private Instant jittered(Instant time) {
        long most = settings.jitter().toSeconds();
        if (most == 0) {
            return time;
        }
        CRC32 hash = new CRC32();
        hash.update((key() + " " + time).getBytes(StandardCharsets.UTF_8));
        return time.plusSeconds(hash.getValue() % (most + 1));
    }

    Optional<Instant> after(Instant time) {
        return times.after(time);
    }

    static Map<String, String> parameters(ScheduleSettings.Window window) {
        return Map.of(
                JobRequest.WINDOW,
                window.hours().text(),
                JobRequest.CANCEL_AT_END,
                Boolean.toString(window.cancels()));
    }

    JobRequest request() {
        Map<String, String> parameters = new HashMap<>();
        JobKind kind =
                switch (settings.work()) {
                    case FULL -> {
                        parameters.put("type", "full");
                        yield JobKind.BACKUP;
                    }
                    case INCREMENTAL -> {
                        parameters.put("type", "auto"); // the first backup is a full one
                        yield JobKind.BACKUP;
                    }
                    case EXPIRE -> JobKind.EXPIRE;
                    case VERIFY -> {
                        parameters.put("data-percent", "0");
                        yield JobKind.VERIFY;
                    }
                    case SCRUB -> {
                        parameters.put(JobRequest.SHARE, "due");
                        yield JobKind.VERIFY;
                    }
                    case AMCHECK -> JobKind.AMCHECK;
                    case PRUNE -> JobKind.PRUNE;
                    case COPY -> JobKind.COPY;
                };
        Optional<Duration> timeout = settings.timeout();
        timeout.ifPresent(
                most -> parameters.put(JobRequest.TIMEOUT, Long.toString(most.toSeconds())));
        settings.window().ifPresent(window -> parameters.putAll(parameters(window)));
        return new JobRequest(kind, target, parameters, asks(key()));
    }
}
