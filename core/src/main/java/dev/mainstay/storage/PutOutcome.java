package dev.mainstay.storage;

/// What a put found.
public enum PutOutcome {
    /// The object is there now and was not before.
    CREATED,
    /// The name was taken; nothing was written.
    EXISTED
}
