package dev.mainstay.engine.retention;

import dev.mainstay.engine.config.Configuration;
import dev.mainstay.repository.CompactionRule;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.UnneededWal;

import java.time.Duration;
import java.time.Instant;
import java.util.function.LongConsumer;

/// A prune as the configuration wants it, whoever asks for it: of the WAL that its policies need no
/// more, compacting what it says.
public final class SettledPrune {
    /// How long a backup that has not ended keeps what it stored, unless somebody says otherwise.
    public static final Duration PATIENCE = Duration.ofDays(7);

    private final Repository repository;
    private final UnneededWal wal;
    private final CompactionRule compaction;
    private final Duration patience;
    private final boolean besideBackups;

    /// @param besideBackups whether it claims something although a backup is running
    public SettledPrune(
            Configuration configuration,
            Repository repository,
            Instant now,
            Duration patience,
            boolean besideBackups) {
        this.repository = repository;
        this.wal = WalRetention.of(configuration, now);
        this.compaction = configuration.compaction();
        this.patience = patience;
        this.besideBackups = besideBackups;
    }

    /// As a server does it.
    public SettledPrune(Configuration configuration, Repository repository, Instant now) {
        this(configuration, repository, now, PATIENCE, false);
    }

    /// What would go.
    public Prune.Report plan() {
        return prune(_ -> {}).plan();
    }

    /// @param bytesRemoved is told what goes
    public Prune.Report run(LongConsumer bytesRemoved) {
        return prune(bytesRemoved).run();
    }

    private Prune prune(LongConsumer bytesRemoved) {
        return new Prune(repository, patience, besideBackups, wal, compaction, bytesRemoved);
    }
}
