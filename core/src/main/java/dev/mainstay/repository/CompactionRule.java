package dev.mainstay.repository;

import dev.mainstay.base.ByteSize;

import java.time.Duration;

/// Which packs [Prune] compacts: what is still needed of a pack is put into a new one, and the pack
/// goes.
///
/// @param belowPercent packs of which a smaller part is needed; 0 for none
/// @param leastGain a pack that would free less is left alone: it takes some ten requests to
///   compact one
/// @param age packs that the oldest backup which needs them put, or found, more recently are left
///   alone: they may get thinner soon, and where the store bills a minimum time, nothing would be
///   saved
/// @param budget what one run writes at most
/// @param packSize target size of new packs
public record CompactionRule(
        int belowPercent, ByteSize leastGain, Duration age, ByteSize budget, ByteSize packSize) {
    /// No pack is compacted.
    public static final CompactionRule NONE =
            new CompactionRule(0, ByteSize.of(0), Duration.ZERO, ByteSize.of(0), ByteSize.mib(64));

    public CompactionRule {
        if (belowPercent < 0 || belowPercent > 99) {
            throw new IllegalArgumentException(belowPercent + " is not between 0 and 99 percent");
        }
    }
}
