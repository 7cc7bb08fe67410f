package dev.mainstay.server.alert;

import dev.mainstay.engine.config.Severity;

import java.time.Instant;
import java.util.Optional;

/// Something that is or was wrong.
///
/// @param key the same as long as the same is wrong
/// @param occasion the job that it is about; empty for a state
/// @param began when it was found
/// @param raised when people were last told anew: it became graver, or happened again
/// @param seen when it was last found to be so
/// @param resolvedBy empty if it was over by itself
public record Alert(
        String id,
        String key,
        String rule,
        String subject,
        Severity severity,
        AlertState state,
        String occasion,
        String title,
        String reason,
        String meaning,
        String todo,
        Instant began,
        Instant raised,
        Instant seen,
        Optional<Instant> acknowledged,
        Optional<String> acknowledgedBy,
        Optional<Instant> resolved,
        Optional<String> resolvedBy,
        Optional<Instant> escalated) {
    public boolean isOpen() {
        return state != AlertState.RESOLVED;
    }
}
