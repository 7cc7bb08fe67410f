package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import java.time.Duration;
import java.util.Optional;

/// The section `verify`: how `mainstay verify --scrub` goes through the repository.
///
/// @param every in what time everything is read once
/// @param budget what one run reads at most
public record VerifySettings(Duration every, Optional<ByteSize> budget) {
    /// Unless the configuration says otherwise.
    public static final VerifySettings DEFAULT =
            new VerifySettings(Duration.ofDays(30), Optional.empty());
}
