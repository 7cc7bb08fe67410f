package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `on-change` among the schedules of a source: after which changes of its cluster a server backs
/// it up by itself.
///
/// @param wal so much was written since the newest backup began
/// @param configuration whether it is enough that the server has loaded its configuration since
/// @param atMostEvery none begins sooner after the one before
/// @param timeout after it the work is cancelled
public record ChangeSettings(
        Optional<ByteSize> wal,
        boolean configuration,
        Duration atMostEvery,
        Duration timeout,
        Optional<ScheduleSettings.Window> window) {
    private static final Duration PAUSE = Duration.ofHours(1);
    private static final Duration LEAST = Duration.ofMinutes(1);
    private static final Duration MOST = Duration.ofDays(30);

    static ChangeSettings read(
            ConfigNode node, ZoneId zone, Optional<ConfigNode> windowOfAll, Duration timeout) {
        Map<String, ConfigNode> entries =
                node.entries("wal", "configuration", "at-most-every", "timeout", "window");
        Optional<ByteSize> wal =
                Optional.ofNullable(entries.get("wal"))
                        .map(each -> each.parsed(ChangeSettings::size));
        boolean configuration =
                Optional.ofNullable(entries.get("configuration"))
                        .map(each -> each.parsed(ServerSection::truth))
                        .orElse(false);
        if (wal.isEmpty() && !configuration) {
            throw node.invalid("needs wal: SIZE or configuration: true");
        }
        return new ChangeSettings(
                wal,
                configuration,
                length(entries, "at-most-every").orElse(PAUSE),
                length(entries, "timeout").orElse(timeout),
                Optional.ofNullable(entries.get("window"))
                        .or(() -> windowOfAll)
                        .flatMap(each -> SchedulesSection.window(each, zone)));
    }

    private static ByteSize size(String text) {
        ByteSize size = ByteSize.parse(text);
        if (size.bytes() < 1) {
            throw new IllegalArgumentException("'" + text + "' is nothing");
        }
        return size;
    }

    private static Optional<Duration> length(Map<String, ConfigNode> entries, String key) {
        return Optional.ofNullable(entries.get(key))
                .map(each -> each.parsed(text -> SchedulesSection.length(text, LEAST, MOST)));
    }

    /// As people read it: `10.0 GiB of WAL or another configuration`.
    public String text() {
        List<String> parts = new ArrayList<>();
        wal.ifPresent(size -> parts.add(size + " of WAL"));
        if (configuration) {
            parts.add("another configuration");
        }
        return String.join(" or ", parts);
    }
}
