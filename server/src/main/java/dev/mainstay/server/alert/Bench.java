package dev.mainstay.server.alert;

import dev.mainstay.engine.config.AlertRule;
import dev.mainstay.engine.config.AlertSettings;
import dev.mainstay.engine.config.RuleSettings;
import dev.mainstay.server.metrics.Facts;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Where rules put what they find.
final class Bench {
    final Facts facts;
    final Instant now;
    private final AlertSettings settings;
    private final List<Finding> findings = new ArrayList<>();
    private final Set<String> unsure = new HashSet<>();

    Bench(Facts facts, AlertSettings settings, Instant now) {
        this.facts = facts;
        this.settings = settings;
        this.now = now;
    }

    /// Empty if the rule is off.
    Optional<RuleSettings> rule(AlertRule rule) {
        return Optional.ofNullable(settings.rules().get(rule));
    }

    /// The words of a finding.
    record Words(String title, String reason, String meaning, String todo) {}

    void found(AlertRule rule, String subject, String occasion, Words words) {
        rule(rule).ifPresent(how -> found(rule, how, subject, occasion, words));
    }

    /// With settings of its own: graver than usual, say.
    void found(AlertRule rule, RuleSettings how, String subject, String occasion, Words words) {
        findings.add(
                new Finding(
                        rule,
                        subject,
                        how.severity(),
                        occasion,
                        words.title(),
                        words.reason(),
                        words.meaning(),
                        words.todo()));
    }

    void unsure(AlertRule rule, String subject) {
        unsure.add(Finding.key(rule, subject));
    }

    Verdict verdict() {
        return new Verdict(findings, unsure);
    }

    Duration since(Instant time) {
        Duration age = Duration.between(time, now);
        return age.isNegative() ? Duration.ZERO : age;
    }

    static boolean exceeds(Duration length, Duration most) {
        return length.compareTo(most) > 0;
    }

    /// As people say it: two units at most.
    static String text(Duration length) {
        long seconds = length.toSeconds();
        if (seconds < 120) {
            return seconds + " s";
        }
        long minutes = length.toMinutes();
        if (minutes < 120) {
            return minutes + " min";
        }
        long hours = length.toHours();
        if (hours < 48) {
            return hours + " h" + (minutes % 60 == 0 ? "" : " " + minutes % 60 + " min");
        }
        return length.toDays() + " d" + (hours % 24 == 0 ? "" : " " + hours % 24 + " h");
    }

    static String times(double factor) {
        return String.format(Locale.ROOT, "%.1f times", factor);
    }
}
