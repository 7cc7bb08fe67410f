package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// Reads what a server measures and tells of.
final class WatchSection {
    private static final Duration LONGEST = Duration.ofDays(366);
    private static final String DAILY = "0 6 * * *";

    private final ChannelSection channels;

    WatchSection(Function<ConfigNode, Path> path) {
        this.channels = new ChannelSection(path);
    }

    /// @param server the entries of the section `server`
    WatchSettings read(Map<String, ConfigNode> server) {
        NotificationSettings notifications = notifications(server.get("notifications"));
        ConfigNode alerts = server.get("alerts");
        return new WatchSettings(
                metricsArePublic(server),
                alerts == null ? AlertSettings.defaults() : alerts(alerts, notifications),
                notifications,
                report(server.get("reports"), notifications));
    }

    private static boolean metricsArePublic(Map<String, ConfigNode> server) {
        ConfigNode metrics = server.get("metrics");
        if (metrics == null) {
            return false;
        }
        ConfigNode open = metrics.entries("public").get("public");
        return open != null && open.parsed(ServerSection::truth);
    }

    private NotificationSettings notifications(@Nullable ConfigNode node) {
        if (node == null) {
            return NotificationSettings.none();
        }
        Map<String, ConfigNode> entries = node.entries("channels", "routes");
        Map<String, ChannelSettings> known = new LinkedHashMap<>();
        Sections.required(node, entries, "channels")
                .entries()
                .forEach((name, channel) -> known.put(name, channels.read(name, channel)));
        Map<Severity, List<String>> routes = new EnumMap<>(Severity.class);
        ConfigNode given = entries.get("routes");
        Map<String, ConfigNode> named =
                given == null ? Map.of() : given.entries("critical", "high", "warning", "info");
        for (Severity severity : Severity.values()) {
            ConfigNode to = named.get(severity.word());
            List<String> all = severity == Severity.INFO ? List.of() : List.copyOf(known.keySet());
            routes.put(severity, to == null ? all : names(to, known.keySet()));
        }
        return new NotificationSettings(known, routes);
    }

    /// `off`, or names of channels.
    private static List<String> names(ConfigNode node, Set<String> known) {
        List<String> names = node.texts();
        if (names.equals(List.of("off"))) {
            return List.of();
        }
        for (String name : names) {
            if (!known.contains(name)) {
                throw node.invalid(
                        "there is no channel '"
                                + name
                                + "'"
                                + NearestName.of(name, known)
                                        .map(near -> "; did you mean '" + near + "'?")
                                        .orElse(""));
            }
        }
        return names;
    }

    private static AlertSettings alerts(ConfigNode node, NotificationSettings notifications) {
        AlertSettings standard = AlertSettings.defaults();
        Map<String, ConfigNode> entries =
                node.entries(
                        "rules",
                        "group-wait",
                        "escalate-after",
                        "escalate-to",
                        "remind-after",
                        "quiet-hours");
        ConfigNode to = entries.get("escalate-to");
        ConfigNode quiet = entries.get("quiet-hours");
        return new AlertSettings(
                rules(entries.get("rules")),
                length(entries.get("group-wait"), standard.groupWait()),
                length(entries.get("escalate-after"), standard.escalateAfter()),
                to == null ? List.of() : names(to, notifications.channels().keySet()),
                length(entries.get("remind-after"), standard.remindAfter()),
                quiet == null ? Optional.empty() : Optional.of(quiet(quiet)));
    }

    private static Map<AlertRule, RuleSettings> rules(@Nullable ConfigNode node) {
        Map<AlertRule, RuleSettings> rules = AlertSettings.standardRules();
        if (node == null) {
            return rules;
        }
        Map<String, AlertRule> known = new LinkedHashMap<>();
        for (AlertRule rule : AlertRule.values()) {
            known.put(rule.word(), rule);
        }
        node.entries(known.keySet().toArray(String[]::new))
                .forEach(
                        (name, given) ->
                                Optional.ofNullable(known.get(name))
                                        .ifPresent(rule -> put(rule, given, rules)));
        return rules;
    }

    private static void put(AlertRule rule, ConfigNode node, Map<AlertRule, RuleSettings> rules) {
        if (!node.isMapping()) {
            if (node.parsed(WatchSection::isOn)) {
                rules.put(rule, rule.standard());
            } else {
                rules.remove(rule);
            }
            return;
        }
        RuleSettings standard = rule.standard();
        Map<String, ConfigNode> entries = node.entries("severity", "after", "size", "percent");
        ConfigNode severity = entries.get("severity");
        ConfigNode size = entries.get("size");
        ConfigNode percent = entries.get("percent");
        demandUsed(entries.get("after"), !standard.after().isZero());
        demandUsed(size, standard.size().bytes() > 0);
        demandUsed(percent, standard.percent() > 0);
        rules.put(
                rule,
                new RuleSettings(
                        severity == null ? standard.severity() : severity.parsed(Severity::parse),
                        length(entries.get("after"), standard.after()),
                        size == null ? standard.size() : size.parsed(ByteSize::parse),
                        percent == null ? standard.percent() : percent.integer(1, 99)));
    }

    private static void demandUsed(@Nullable ConfigNode node, boolean used) {
        if (node != null && !used) {
            throw node.invalid("is nothing that this rule asks for");
        }
    }

    private static boolean isOn(String text) {
        return switch (text) {
            case "on" -> true;
            case "off" -> false;
            default -> throw new IllegalArgumentException("'" + text + "' is none of on and off");
        };
    }

    private static Duration length(@Nullable ConfigNode node, Duration otherwise) {
        return node == null
                ? otherwise
                : node.parsed(
                        text -> {
                            Duration length = Durations.parse(text);
                            if (length.compareTo(LONGEST) > 0) {
                                throw new IllegalArgumentException(
                                        "'" + text + "' is more than " + LONGEST.toDays() + "d");
                            }
                            return length;
                        });
    }

    private static AlertSettings.Quiet quiet(ConfigNode node) {
        Map<String, ConfigNode> entries = node.entries("from", "to", "time-zone", "severities");
        ConfigNode zone = entries.get("time-zone");
        ConfigNode severities = entries.get("severities");
        Set<Severity> which = EnumSet.of(Severity.WARNING, Severity.INFO);
        if (severities != null) {
            which.clear();
            for (String each : severities.texts()) {
                try {
                    which.add(Severity.parse(each));
                } catch (IllegalArgumentException wrong) {
                    throw severities.invalid(String.valueOf(wrong.getMessage()));
                }
            }
        }
        return new AlertSettings.Quiet(
                DailyHours.read(
                        node,
                        Optional.ofNullable(entries.get("from")),
                        Optional.ofNullable(entries.get("to")),
                        zone == null ? ZoneId.of("UTC") : zone.parsed(Sections::zone)),
                which);
    }

    /// Without being told it is sent by mail.
    static ReportSettings report(@Nullable ConfigNode reports, NotificationSettings notifications) {
        List<String> mail =
                notifications.channels().values().stream()
                        .filter(ChannelSettings.Email.class::isInstance)
                        .map(ChannelSettings::name)
                        .toList();
        ConfigNode daily = reports == null ? null : reports.entries("daily").get("daily");
        String place = daily == null ? "server.reports.daily" : daily.where();
        ZoneId utc = ZoneId.of("UTC");
        if (daily == null) {
            return new ReportSettings(DAILY, utc, mail, place);
        }
        if (!daily.isMapping()) {
            String text = daily.text();
            return new ReportSettings(text.equals("off") ? "" : text, utc, mail, place);
        }
        Map<String, ConfigNode> entries = daily.entries("cron", "time-zone", "to");
        ConfigNode cron = entries.get("cron");
        ConfigNode zone = entries.get("time-zone");
        ConfigNode to = entries.get("to");
        return new ReportSettings(
                cron == null ? DAILY : cron.text(),
                zone == null ? utc : zone.parsed(Sections::zone),
                to == null ? mail : names(to, notifications.channels().keySet()),
                place);
    }
}
