package dev.mainstay.engine.check;

import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;

/// A source to look at.
///
/// @param connection of the role that backs up and receives
public record CheckedSource(String name, PostgresSettings settings, ConnectionSpec connection) {}
