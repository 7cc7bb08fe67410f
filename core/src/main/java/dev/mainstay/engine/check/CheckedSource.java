package dev.mainstay.engine.check;

import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;

import java.util.Optional;

/// A source to look at.
///
/// @param connection of the role that backs up and receives
/// @param standby to the standby that backups read, if there is one
public record CheckedSource(
        String name,
        PostgresSettings settings,
        ConnectionSpec connection,
        Optional<ConnectionSpec> standby) {}
