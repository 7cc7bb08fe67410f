package dev.mainstay.server.alert;

import dev.mainstay.engine.config.AlertRule;
import dev.mainstay.engine.config.Severity;

/// What a rule finds wrong.
///
/// @param subject of what: a source, a copy, a space; empty: of the whole
/// @param occasion what tells one time from the next: the id of a job; empty for a state
/// @param reason what is so, with its figures
/// @param meaning what it means for recovery
/// @param todo what to do about it
public record Finding(
        AlertRule rule,
        String subject,
        Severity severity,
        String occasion,
        String title,
        String reason,
        String meaning,
        String todo) {
    /// The same for as long as the same is wrong.
    public String key() {
        return key(rule, subject);
    }

    static String key(AlertRule rule, String subject) {
        return subject.isEmpty() ? rule.word() : rule.word() + "/" + subject;
    }
}
