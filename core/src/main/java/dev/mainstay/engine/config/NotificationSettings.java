package dev.mainstay.engine.config;

import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The section `server.notifications`.
///
/// @param channels by name, in the order of the file
/// @param routes names of channels, by what they are told of
public record NotificationSettings(
        Map<String, ChannelSettings> channels, Map<Severity, List<String>> routes) {
    public NotificationSettings {
        channels = Collections.unmodifiableMap(new LinkedHashMap<>(channels));
        routes = Collections.unmodifiableMap(new EnumMap<>(routes));
    }

    public static NotificationSettings none() {
        return new NotificationSettings(Map.of(), new EnumMap<>(Severity.class));
    }

    /// Names of the channels that are told of a severity.
    public List<String> route(Severity severity) {
        return Optional.ofNullable(routes.get(severity)).orElse(List.of());
    }
}
