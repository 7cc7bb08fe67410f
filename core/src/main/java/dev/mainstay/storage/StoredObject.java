package dev.mainstay.storage;

/// A listed object.
///
/// @param name its full name
/// @param sizeBytes its size
public record StoredObject(String name, long sizeBytes) {}
