package dev.mainstay.engine.config;

import dev.mainstay.engine.retention.RetentionPolicy;

import java.util.List;
import java.util.Optional;

/// One entry of `sources`.
///
/// @param name the label people use; the source itself has a stable id in the repository
/// @param retention its own, or else that of all sources
/// @param schedules what a server does by itself, and when
/// @param onChange after which changes it takes a backup
public record SourceSettings(
        String name,
        PostgresSettings postgres,
        RestoreSettings restore,
        RetentionPolicy retention,
        List<ScheduleSettings> schedules,
        Optional<ChangeSettings> onChange) {
    public SourceSettings {
        schedules = List.copyOf(schedules);
    }
}
