package dev.mainstay.engine.config;

/// What a server measures and tells of: the sections `metrics`, `alerts`, `notifications` and
/// `reports` of the section `server`.
///
/// @param metricsArePublic whether `/metrics` answers without a login
public record WatchSettings(
        boolean metricsArePublic,
        AlertSettings alerts,
        NotificationSettings notifications,
        ReportSettings report) {
    /// What holds where nothing is said.
    public static WatchSettings defaults() {
        return new WatchSettings(
                false,
                AlertSettings.defaults(),
                NotificationSettings.none(),
                WatchSection.report(null, NotificationSettings.none()));
    }
}
