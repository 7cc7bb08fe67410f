package dev.mainstay.engine.config;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.time.ZoneId;
import java.util.List;

/// The section `server.reports.daily`.
///
/// @param cron when it is made; empty: never by itself
/// @param to names of the channels that it is sent to
/// @param place where it stands, for messages
public record ReportSettings(String cron, ZoneId zone, List<String> to, String place) {
    public ReportSettings {
        to = List.copyOf(to);
    }

    /// That what was written cannot be understood.
    public MainstayException invalid(String problem, Throwable cause) {
        return new MainstayException(ErrorCode.CONFIG_INVALID, place + ": " + problem, cause);
    }
}
