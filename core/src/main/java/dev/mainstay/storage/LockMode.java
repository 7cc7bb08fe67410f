package dev.mainstay.storage;

/// How firmly a locked object is kept.
public enum LockMode {
    /// Whoever has a right of its own can end it early.
    GOVERNANCE,
    /// Nobody can end it early, the owner of the account included.
    COMPLIANCE
}
