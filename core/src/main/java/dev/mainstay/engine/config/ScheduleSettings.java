package dev.mainstay.engine.config;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.time.Duration;
import java.time.ZoneId;
import java.util.Optional;

/// When a server does something by itself.
///
/// @param cron as it was written; what it means is the server's to know
/// @param jitter each time comes up to so much later, so that not everything begins at once
/// @param timeout after it the work is cancelled
/// @param runsMissed whether the newest of the times that no server was there for is made up for
/// @param window when the work may begin
/// @param place where it stands, for messages
public record ScheduleSettings(
        ScheduledWork work,
        String cron,
        ZoneId zone,
        Duration jitter,
        Optional<Duration> timeout,
        boolean runsMissed,
        Optional<Window> window,
        String place) {
    /// @param cancels whether what has not ended with the hours is cancelled
    public record Window(DailyHours hours, boolean cancels) {}

    /// The same, wherever it stands.
    public ScheduleSettings anywhere() {
        return new ScheduleSettings(work, cron, zone, jitter, timeout, runsMissed, window, "");
    }

    /// That what was written cannot be understood.
    public MainstayException invalid(String problem, Throwable cause) {
        return new MainstayException(ErrorCode.CONFIG_INVALID, place + ": " + problem, cause);
    }
}
