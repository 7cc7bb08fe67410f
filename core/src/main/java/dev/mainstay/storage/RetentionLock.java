package dev.mainstay.storage;

import java.time.Instant;

/// Keeps an object from being removed.
///
/// @param until then
public record RetentionLock(LockMode mode, Instant until) {}
