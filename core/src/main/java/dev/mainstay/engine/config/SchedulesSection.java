package dev.mainstay.engine.config;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The sections `schedules`: of a source, and of the server for what is the whole repository's.
final class SchedulesSection {
    private static final String OFF = "off";
    private static final String ON_CHANGE = "on-change";
    private static final Duration MOST_JITTER = Duration.ofHours(12);
    private static final Duration MOST_TIMEOUT = Duration.ofDays(30);
    private static final Duration JITTER = Duration.ofMinutes(10);
    private static final Duration TIMEOUT = Duration.ofDays(1);

    /// What holds where nothing is said: good for most, and quiet by day.
    private static final Map<ScheduledWork, String> OF_A_SOURCE =
            Map.of(
                    ScheduledWork.FULL, "0 1 * * SUN",
                    ScheduledWork.INCREMENTAL, "0 1 * * MON-SAT",
                    ScheduledWork.EXPIRE, "30 4 * * *",
                    ScheduledWork.VERIFY, "30 5 * * *",
                    ScheduledWork.AMCHECK, OFF); // it needs an extension that not everybody has

    private static final Map<ScheduledWork, String> OF_THE_REPOSITORY =
            Map.of(
                    ScheduledWork.COPY, "0 3 * * *",
                    ScheduledWork.SCRUB, "0 5 * * *",
                    ScheduledWork.PRUNE, "0 7 * * SUN");

    /// What operators had before, by the names they gave it. What a preset does not name is as
    /// where nothing is said.
    private static final Map<String, Map<ScheduledWork, String>> PRESETS =
            Map.of(
                    "continuous", Map.of(),
                    "weekly",
                            Map.of(
                                    ScheduledWork.FULL, "0 2 * * SUN",
                                    ScheduledWork.INCREMENTAL, "0 2 * * MON-SAT",
                                    ScheduledWork.VERIFY, "0 4 * * *"),
                    "daily",
                            Map.of(
                                    ScheduledWork.EXPIRE, "0 1 * * *",
                                    ScheduledWork.FULL, "0 2 * * *",
                                    ScheduledWork.VERIFY, "0 4 * * *",
                                    ScheduledWork.INCREMENTAL, "0 0,6,12,18 * * *"),
                    "hourly",
                            Map.of(
                                    ScheduledWork.FULL, "0 0 * * *",
                                    ScheduledWork.INCREMENTAL, "0 1-23 * * *"),
                    "every-15-minutes",
                            Map.of(
                                    ScheduledWork.FULL, "0 2 * * *",
                                    ScheduledWork.INCREMENTAL, "*/15 * * * *"));

    private SchedulesSection() {}

    static List<ScheduleSettings> ofSource(String source, @Nullable ConfigNode node) {
        String path = "sources." + source + ".schedules";
        if (node == null || node.isMapping() || isOff(node)) {
            ConfigNode preset = node == null || !node.isMapping() ? null : node.entry("preset");
            return read(path, node, preset == null ? OF_A_SOURCE : preset(preset));
        }
        return read(path, null, preset(node));
    }

    /// What else makes a server back a source up.
    static Optional<ChangeSettings> onChange(@Nullable ConfigNode node) {
        if (node == null || !node.isMapping()) {
            return Optional.empty();
        }
        Map<String, ConfigNode> entries = node.entries();
        ConfigNode zone = entries.get("time-zone");
        ZoneId where = zone == null ? ZoneId.of("UTC") : zone.parsed(Sections::zone);
        return Optional.ofNullable(entries.get(ON_CHANGE))
                .filter(each -> !isOff(each))
                .map(
                        each ->
                                ChangeSettings.read(
                                        each,
                                        where,
                                        Optional.ofNullable(entries.get("window")),
                                        TIMEOUT));
    }

    static List<ScheduleSettings> ofRepository(@Nullable ConfigNode node) {
        return read("server.schedules", node, OF_THE_REPOSITORY);
    }

    private static boolean isOff(ConfigNode node) {
        return !node.isMapping() && node.text().equals(OFF);
    }

    private static Map<ScheduledWork, String> preset(ConfigNode name) {
        Map<ScheduledWork, String> times = new EnumMap<>(OF_A_SOURCE);
        times.putAll(
                name.parsed(
                        text ->
                                Optional.ofNullable(PRESETS.get(text))
                                        .orElseThrow(
                                                () ->
                                                        new IllegalArgumentException(
                                                                "'"
                                                                        + text
                                                                        + "' is none of off, "
                                                                        + String.join(
                                                                                ", ",
                                                                                PRESETS
                                                                                        .keySet()
                                                                                        .stream()
                                                                                        .sorted()
                                                                                        .toList())))));
        return times;
    }

    private static List<ScheduleSettings> read(
            String path, @Nullable ConfigNode node, Map<ScheduledWork, String> defaults) {
        if (node != null && isOff(node)) {
            return List.of();
        }
        List<ScheduledWork> works = defaults.keySet().stream().sorted().toList();
        List<String> known = new ArrayList<>(works.stream().map(ScheduledWork::word).toList());
        known.add("time-zone");
        known.add("window");
        if (defaults.containsKey(ScheduledWork.FULL)) {
            known.add("preset");
            known.add(ON_CHANGE);
        }
        Map<String, ConfigNode> entries =
                node == null ? new LinkedHashMap<>() : node.entries(known.toArray(String[]::new));
        ConfigNode zone = entries.get("time-zone");
        ZoneId where = zone == null ? ZoneId.of("UTC") : zone.parsed(Sections::zone);
        Optional<ConfigNode> window = Optional.ofNullable(entries.get("window"));
        List<ScheduleSettings> schedules = new ArrayList<>();
        for (ScheduledWork work : works) {
            ConfigNode given = entries.get(work.word());
            String standard = defaults.getOrDefault(work, "");
            if (given == null && standard.equals(OFF)) {
                continue;
            }
            if (given == null) {
                schedules.add(
                        standard(
                                work,
                                standard,
                                where,
                                window.flatMap(each -> window(each, where)),
                                path + "." + work.word()));
            } else if (given.isMapping()) {
                schedules.add(detailed(work, given, standard, where, window));
            } else if (!given.text().equals(OFF)) {
                schedules.add(
                        standard(
                                work,
                                given.text(),
                                where,
                                window.flatMap(each -> window(each, where)),
                                given.where()));
            }
        }
        return List.copyOf(schedules);
    }

    private static ScheduleSettings standard(
            ScheduledWork work,
            String cron,
            ZoneId zone,
            Optional<ScheduleSettings.Window> window,
            String place) {
        return new ScheduleSettings(
                work, cron, zone, JITTER, Optional.of(TIMEOUT), true, window, place);
    }

    private static ScheduleSettings detailed(
            ScheduledWork work,
            ConfigNode node,
            String standard,
            ZoneId otherwise,
            Optional<ConfigNode> ofAll) {
        Map<String, ConfigNode> entries =
                node.entries("cron", "time-zone", "jitter", "timeout", "missed", "window");
        ConfigNode cron = entries.get("cron");
        ConfigNode zone = entries.get("time-zone");
        ConfigNode jitter = entries.get("jitter");
        ConfigNode timeout = entries.get("timeout");
        ConfigNode missed = entries.get("missed");
        ZoneId where = zone == null ? otherwise : zone.parsed(Sections::zone);
        return new ScheduleSettings(
                work,
                cron == null ? standard : cron.text(),
                where,
                jitter == null
                        ? JITTER
                        : jitter.parsed(text -> length(text, Duration.ZERO, MOST_JITTER)),
                Optional.of(
                        timeout == null
                                ? TIMEOUT
                                : timeout.parsed(
                                        text -> length(text, Duration.ofMinutes(1), MOST_TIMEOUT))),
                missed == null || missed.parsed(SchedulesSection::runsMissed),
                Optional.ofNullable(entries.get("window"))
                        .or(() -> ofAll)
                        .flatMap(each -> window(each, where)),
                (cron == null ? node : cron).where());
    }

    static Optional<ScheduleSettings.Window> window(ConfigNode node, ZoneId zone) {
        if (isOff(node)) {
            return Optional.empty();
        }
        Map<String, ConfigNode> entries = node.entries("from", "to", "cancel-at-end");
        return Optional.of(
                new ScheduleSettings.Window(
                        DailyHours.read(
                                node,
                                Optional.ofNullable(entries.get("from")),
                                Optional.ofNullable(entries.get("to")),
                                zone),
                        Optional.ofNullable(entries.get("cancel-at-end"))
                                .map(each -> each.parsed(ServerSection::truth))
                                .orElse(false)));
    }

    private static boolean runsMissed(String text) {
        return switch (text) {
            case "run" -> true;
            case "skip" -> false;
            default -> throw new IllegalArgumentException("'" + text + "' is none of run and skip");
        };
    }

    static Duration length(String text, Duration least, Duration most) {
        Duration length = Durations.parse(text);
        if (length.compareTo(least) < 0 || length.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not between " + least + " and " + most);
        }
        return length;
    }
}
