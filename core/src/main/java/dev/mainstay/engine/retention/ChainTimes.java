package dev.mainstay.engine.retention;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// When backups ended, as far as the chain bears the clocks out: no backup ended before one that
/// precedes it, and none in the future. A clock that jumped so makes a backup younger than it says,
/// never older.
final class ChainTimes {
    private final Map<RetainedBackup, Instant> times = new HashMap<>();

    /// @param chain oldest first
    ChainTimes(List<RetainedBackup> chain, Instant now) {
        Instant following = now;
        for (RetainedBackup backup : chain.reversed()) {
            following = backup.end().isAfter(now) ? following : backup.end();
            times.put(backup, following);
        }
        Instant latest = Instant.MIN;
        for (RetainedBackup backup : chain) {
            Instant own = of(backup);
            latest = own.isAfter(latest) ? own : latest;
            times.put(backup, latest);
        }
    }

    Instant of(RetainedBackup backup) {
        return Objects.requireNonNull(times.get(backup));
    }
}
