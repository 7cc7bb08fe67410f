package dev.mainstay.engine.config;

/// One entry of `sources`.
///
/// @param name the label people use; the source itself has a stable id in the repository
public record SourceSettings(String name, PostgresSettings postgres, RestoreSettings restore) {}
