package dev.mainstay.engine.retention;

import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;

/// From the end of a backup on every second of a timeline can be recovered, as far as its WAL is
/// stored.
///
/// @param timeline with its ancestors, as far back as the backup
/// @param from the backup that recovery to the window's first second begins with
public record RecoveryWindow(SystemId system, TimelineId timeline, RetainedBackup from) {}
