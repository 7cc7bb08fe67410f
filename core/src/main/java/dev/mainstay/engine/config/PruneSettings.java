package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;
import dev.mainstay.repository.CompactionRule;

import java.time.Duration;

/// The section `prune`: which packs `mainstay prune` compacts.
///
/// @param compactBelowPercent packs of which a smaller part is needed; 0 for none
/// @param olderThan packs that were put more recently are left alone
/// @param budget what one run writes at most
public record PruneSettings(int compactBelowPercent, Duration olderThan, ByteSize budget) {
    /// Unless the configuration says otherwise.
    public static final PruneSettings DEFAULT =
            new PruneSettings(50, Duration.ofDays(7), ByteSize.mib(20 * 1024));

    /// Compacting a pack takes some ten requests; where they are billed, keeping a MiB for a month
    /// or two costs as much.
    private static final ByteSize LEAST_GAIN = ByteSize.mib(1);

    /// The rule for a repository.
    ///
    /// @param packSize of new packs
    public CompactionRule rule(ByteSize packSize) {
        return new CompactionRule(compactBelowPercent, LEAST_GAIN, olderThan, budget, packSize);
    }
}
