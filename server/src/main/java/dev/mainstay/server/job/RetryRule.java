package dev.mainstay.server.job;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.config.RetrySettings;

import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/// Which jobs that failed are tried again, and when.
final class RetryRule {
    /// What may pass without anybody doing something about it: a store, a server or a key service
    /// that is away, an archive that is behind, somebody else who was faster. Damage, a wrong
    /// configuration, a missing right and a full store stay as they are until somebody looks.
    private static final Set<ErrorCode> PASSING =
            EnumSet.of(
                    ErrorCode.STORE_UNAVAILABLE,
                    ErrorCode.BACKUP_ABORTED,
                    ErrorCode.COPY_UNSETTLED,
                    ErrorCode.KEY_SERVICE,
                    ErrorCode.SERVER_UNREACHABLE,
                    ErrorCode.BACKUP_FILE_VANISHED,
                    ErrorCode.BACKUP_ARCHIVE_DEAD,
                    ErrorCode.BACKUP_SERVER_STOPPED,
                    ErrorCode.BACKUP_STANDBY_UNFIT);

    private final Supplier<RetrySettings> settings;
    private final RandomGenerator random;

    RetryRule(Supplier<RetrySettings> settings, RandomGenerator random) {
        this.settings = settings;
        this.random = random;
    }

    int attempts() {
        return settings.get().attempts();
    }

    /// How long to wait before a job is tried again, if it is: twice as long each time, and up to a
    /// quarter less, so that what failed together does not come back together.
    ///
    /// @param attempt how often it was tried
    Optional<Duration> pause(JobKind kind, ErrorCode failed, int attempt) {
        RetrySettings most = settings.get();
        if (!repeats(kind) || !PASSING.contains(failed) || attempt >= most.attempts()) {
            return Optional.empty();
        }
        Duration pause = most.firstAfter();
        for (int i = 1; i < attempt && pause.compareTo(most.atMost()) < 0; i++) {
            pause = pause.multipliedBy(2);
        }
        long millis = Math.min(pause.toMillis(), most.atMost().toMillis());
        synchronized (random) {
            return Optional.of(Duration.ofMillis(millis - random.nextLong(millis / 4 + 1)));
        }
    }

    /// A restore that was begun has changed its directory: what is to become of it is for people.
    private static boolean repeats(JobKind kind) {
        return switch (kind) {
            case BACKUP,
                    EXPIRE,
                    PRUNE,
                    COPY,
                    VERIFY,
                    VERIFY_BACKUP,
                    VALIDATE_RESTORE,
                    AMCHECK ->
                    true;
            case RESTORE -> false;
        };
    }
}
