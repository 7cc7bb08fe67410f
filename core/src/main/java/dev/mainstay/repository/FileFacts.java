package dev.mainstay.repository;

/// What is recorded of every file besides its content.
///
/// @param path relative to the source's root with `/` between names; absolute for files from
///   outside
/// @param modifiedMicros microseconds since the epoch
public record FileFacts(String path, int mode, String owner, String group, long modifiedMicros) {}
