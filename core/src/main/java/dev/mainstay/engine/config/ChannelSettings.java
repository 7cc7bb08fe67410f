package dev.mainstay.engine.config;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A way to tell people, or their programs, of something. Addresses that are as good as a password
/// are secrets.
public sealed interface ChannelSettings {
    String name();

    /// Certificates that are trusted instead of the JDK's.
    Optional<Path> caFile();

    /// What mail is sent by.
    ///
    /// @param starttls whether TLS begins after the first words; otherwise at once
    /// @param plain whether there is none at all, which is for this host alone
    record Email(
            String name,
            Optional<Path> caFile,
            String host,
            int port,
            boolean starttls,
            boolean plain,
            Optional<String> user,
            Optional<Secret> password,
            String from,
            List<String> to)
            implements ChannelSettings {}

    record Slack(String name, Optional<Path> caFile, Secret url) implements ChannelSettings {}

    record Teams(String name, Optional<Path> caFile, Secret url) implements ChannelSettings {}

    /// Events API version 2.
    record PagerDuty(String name, Optional<Path> caFile, URI url, Secret routingKey)
            implements ChannelSettings {}

    record Sentry(String name, Optional<Path> caFile, Secret dsn) implements ChannelSettings {}

    /// @param secret what requests are signed with
    record Webhook(String name, Optional<Path> caFile, Secret url, Secret secret)
            implements ChannelSettings {}
}
