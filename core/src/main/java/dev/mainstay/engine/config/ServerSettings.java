package dev.mainstay.engine.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// The section `server`: where `mainstay server` listens and keeps its state.
///
/// @param host an address or a name of this host
/// @param port 0 for any that is free
/// @param tls without it the server speaks plain HTTP
/// @param schedules what it does by itself for the whole repository, and when
/// @param insecureHttp whether plain HTTP is wanted where others than this host can hear it
/// @param healthDetails whether `/health/backup` tells everybody more than the status
/// @param watch what it measures and tells of
/// @param oidc whose tokens it believes besides its own
/// @param limits how much of it anybody may have
/// @param confirmations what is needed before something is destroyed
/// @param retry how often it tries a job
/// @param log how what it logs is written
/// @param history how long it remembers what is over
/// @param tracing where it sends its spans; empty: nowhere
public record ServerSettings(
        String host,
        int port,
        Optional<Tls> tls,
        boolean insecureHttp,
        ServerState state,
        List<ScheduleSettings> schedules,
        boolean healthDetails,
        WatchSettings watch,
        Optional<OidcSettings> oidc,
        LimitSettings limits,
        ConfirmationSettings confirmations,
        RetrySettings retry,
        Log log,
        Duration history,
        Optional<TracingSettings> tracing) {
    public static final String DEFAULT_HOST = "127.0.0.1";
    public static final int DEFAULT_PORT = 8443;
    static final Duration DEFAULT_HISTORY = Duration.ofDays(365);

    public ServerSettings {
        schedules = List.copyOf(schedules);
    }

    /// Lines for people, or an object of JSON in each.
    public enum Log {
        TEXT,
        JSON;

        static Log parse(String text) {
            return switch (text) {
                case "text" -> TEXT;
                case "json" -> JSON;
                default ->
                        throw new IllegalArgumentException(
                                "'" + text + "' is none of text and json");
            };
        }
    }

    /// PEM files.
    ///
    /// @param certificate the server's own first, then those that vouch for it
    /// @param clients whose certificates clients need beside their tokens
    public record Tls(Path certificate, Path key, Optional<Clients> clients) {}

    /// @param authorities PEM file of those who vouch for clients
    /// @param everywhere whether nothing is answered without a certificate; else health and metrics
    ///   are
    public record Clients(Path authorities, boolean everywhere) {}

    /// What holds for a file without this section.
    public static ServerSettings defaults() {
        return new ServerSettings(
                DEFAULT_HOST,
                DEFAULT_PORT,
                Optional.empty(),
                false,
                new ServerState.Directory(ServerState.Directory.DEFAULT),
                SchedulesSection.ofRepository(null),
                true,
                WatchSettings.defaults(),
                Optional.empty(),
                LimitSettings.DEFAULT,
                ConfirmationSettings.DEFAULT,
                RetrySettings.DEFAULT,
                Log.TEXT,
                DEFAULT_HISTORY,
                Optional.empty());
    }
}
