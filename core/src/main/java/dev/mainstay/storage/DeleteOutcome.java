package dev.mainstay.storage;

/// What a delete did.
public enum DeleteOutcome {
    DELETED,
    ABSENT,
    /// The store keeps the object: a retention lock or missing rights. Normal; try again later.
    REFUSED
}
