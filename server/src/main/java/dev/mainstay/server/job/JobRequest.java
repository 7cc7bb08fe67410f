package dev.mainstay.server.job;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// What somebody, or a schedule, wants done.
///
/// @param target the source, or for `copy` the copy; empty: the whole repository
/// @param parameters what else the kind needs to know, as it was validated
/// @param requestedBy who wants it
public record JobRequest(
        JobKind kind, String target, Map<String, String> parameters, String requestedBy) {
    /// The parameter with the seconds that a job may take.
    public static final String TIMEOUT = "timeout-seconds";

    public JobRequest {
        parameters = Map.copyOf(parameters);
    }

    /// After which it is cancelled.
    Optional<Duration> timeout() {
        return Optional.ofNullable(parameters.get(TIMEOUT))
                .map(Long::parseLong)
                .map(Duration::ofSeconds);
    }

    /// Jobs of one lane run one after the other: a source has one writer.
    String lane() {
        return switch (kind) {
            case BACKUP, EXPIRE -> "source/" + target;
            case PRUNE -> "prune";
            case COPY -> "copy/" + target;
            case VERIFY -> "verify";
            case RESTORE -> "restore/" + target;
        };
    }
}
