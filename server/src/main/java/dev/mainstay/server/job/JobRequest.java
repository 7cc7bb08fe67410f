package dev.mainstay.server.job;

import dev.mainstay.base.BackupId;
import dev.mainstay.engine.config.DailyHours;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// What somebody, or a schedule, wants done.
///
/// @param target the source, or for `copy` the copy; empty: the whole repository
/// @param parameters what else the kind needs to know, as it was validated
/// @param requestedBy who wants it
public record JobRequest(
        JobKind kind, String target, Map<String, String> parameters, String requestedBy) {
    /// The parameter with the seconds that a job may take.
    public static final String TIMEOUT = "timeout-seconds";

    /// The parameter of `expire` with the backups that somebody has agreed to lose.
    public static final String BACKUPS = "backups";

    /// The parameter of a verification that reads what is due of the content, and all metadata.
    public static final String SHARE = "share";

    /// The parameter that says why a schedule wants it now.
    public static final String BECAUSE = "because";

    /// The parameter with the hours in which alone a job begins, as [DailyHours#text] says them.
    public static final String WINDOW = "window";

    /// The parameter that says whether it is cancelled at their end.
    public static final String CANCEL_AT_END = "cancel-at-window-end";

    /// The parameter of a verification of one backup.
    public static final String BACKUP = "backup";

    /// A verification of what one backup needs.
    ///
    /// @param source that it is of
    public static JobRequest verifying(String source, BackupId backup, String requestedBy) {
        return new JobRequest(
                JobKind.VERIFY_BACKUP, source, Map.of(BACKUP, backup.text()), requestedBy);
    }

    public JobRequest {
        parameters = Map.copyOf(parameters);
    }

    /// After which it is cancelled.
    Optional<Duration> timeout() {
        return Optional.ofNullable(parameters.get(TIMEOUT))
                .map(Long::parseLong)
                .map(Duration::ofSeconds);
    }

    /// When it may begin: at this instant, or not before a later one.
    Instant opening(Instant now) {
        return window().map(each -> each.entered(now)).orElse(now);
    }

    /// When one that began at this instant has to have ended.
    Instant closing(Instant begin) {
        return Boolean.parseBoolean(parameters.getOrDefault(CANCEL_AT_END, "false"))
                ? window().map(each -> each.left(begin)).orElse(Instant.MAX)
                : Instant.MAX;
    }

    private Optional<DailyHours> window() {
        return Optional.ofNullable(parameters.get(WINDOW)).map(DailyHours::parse);
    }

    /// The same, of which only these backups may be removed.
    ///
    /// @param ids with blanks between them
    public JobRequest removing(String ids) {
        Map<String, String> more = new HashMap<>(parameters);
        more.put(BACKUPS, ids);
        return new JobRequest(kind, target, more, requestedBy);
    }

    /// The only backups that may be removed; empty for whatever the policy does not keep.
    Optional<Set<BackupId>> backups() {
        return Optional.ofNullable(parameters.get(BACKUPS))
                .map(
                        text ->
                                Arrays.stream(text.split(" ", -1))
                                        .filter(each -> !each.isEmpty())
                                        .map(BackupId::parse)
                                        .collect(Collectors.toUnmodifiableSet()));
    }

    /// Jobs of one lane run one after the other: a source has one writer.
    String lane() {
        return switch (kind) {
            case BACKUP, EXPIRE -> "source/" + target;
            case PRUNE -> "prune";
            case COPY -> "copy/" + target;
            case VERIFY -> "verify";
            case AMCHECK -> "amcheck/" + target;
            case VERIFY_BACKUP, VALIDATE_RESTORE -> "verify/" + target;
            case RESTORE -> "restore/" + target;
        };
    }
}
