package dev.mainstay.engine.config;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The section `server.alerts`.
///
/// @param rules those that are on
/// @param groupWait how long news wait for others to be told with them
/// @param escalateAfter when nobody has acknowledged a critical or high one by then, others hear of
///   it
/// @param escalateTo names of channels; empty: those of critical ones
/// @param remindAfter an alert that somebody resolved by hand comes back after so long if it is
///   still so
public record AlertSettings(
        Map<AlertRule, RuleSettings> rules,
        Duration groupWait,
        Duration escalateAfter,
        List<String> escalateTo,
        Duration remindAfter,
        Optional<Quiet> quiet) {
    /// Hours of the day in which some severities are not told of; it is, when they are over.
    public record Quiet(DailyHours hours, Set<Severity> severities) {
        public Quiet {
            severities = Set.copyOf(severities);
        }
    }

    public AlertSettings {
        rules = Collections.unmodifiableMap(new EnumMap<>(rules));
        escalateTo = List.copyOf(escalateTo);
    }

    static Map<AlertRule, RuleSettings> standardRules() {
        Map<AlertRule, RuleSettings> rules = new EnumMap<>(AlertRule.class);
        for (AlertRule rule : AlertRule.values()) {
            if (rule.isStandard()) {
                rules.put(rule, rule.standard());
            }
        }
        return rules;
    }

    /// What holds where nothing is said.
    public static AlertSettings defaults() {
        return new AlertSettings(
                standardRules(),
                Duration.ofSeconds(30),
                Duration.ofMinutes(30),
                List.of(),
                Duration.ofDays(1),
                Optional.empty());
    }
}
