package dev.mainstay.server;

import dev.mainstay.engine.config.ServerSettings;

/// The commands of this process log nothing, and the jar holds a library for that; a server logs,
/// to standard error.
final class ServerLog {
    private ServerLog() {}

    /// Where logback finds how to write.
    static String configuration(ServerSettings.Log log) {
        return switch (log) {
            case TEXT -> "dev/mainstay/server/logback.xml";
            case JSON -> "dev/mainstay/server/logback-json.xml";
        };
    }

    /// Before anybody logs.
    static void choose(ServerSettings.Log log) {
        set("slf4j.provider", "ch.qos.logback.classic.spi.LogbackServiceProvider");
        set("slf4j.internal.verbosity", "WARN");
        set("logback.configurationFile", configuration(log));
    }

    private static void set(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}
