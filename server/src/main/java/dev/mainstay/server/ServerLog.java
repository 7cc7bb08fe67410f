package dev.mainstay.server;

/// The commands of this process log nothing, and the jar holds a library for that; a server logs,
/// to standard error.
final class ServerLog {
    private ServerLog() {}

    /// Before anybody logs.
    static void choose() {
        set("slf4j.provider", "ch.qos.logback.classic.spi.LogbackServiceProvider");
        set("slf4j.internal.verbosity", "WARN");
        set("logback.configurationFile", "dev/mainstay/server/logback.xml");
    }

    private static void set(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}
