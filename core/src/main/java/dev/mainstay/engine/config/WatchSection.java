package dev.mainstay.engine.config;

import java.util.Map;

/// Reads what a server measures and tells of.
final class WatchSection {
    private WatchSection() {}

    /// @param server the entries of the section `server`
    static WatchSettings read(Map<String, ConfigNode> server) {
        return new WatchSettings(metricsArePublic(server));
    }

    private static boolean metricsArePublic(Map<String, ConfigNode> server) {
        ConfigNode metrics = server.get("metrics");
        if (metrics == null) {
            return false;
        }
        ConfigNode open = metrics.entries("public").get("public");
        return open != null && open.parsed(ServerSection::truth);
    }
}
