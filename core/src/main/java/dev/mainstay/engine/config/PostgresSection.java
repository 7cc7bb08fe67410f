package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;

/// The section `postgres` of a source.
final class PostgresSection {
    private static final ByteSize LEAST_SPOOL = ByteSize.mib(64);
    private static final int MOST_PROCESSES = 256;
    private static final int MOST_BETWEEN_READS = 10_000;

    /// The least that PostgreSQL's base backups can be told.
    private static final ByteSize LEAST_RATE = ByteSize.of(32 << 10);

    private final Function<ConfigNode, Path> path;
    private final BiConsumer<ConfigNode, String> secret;

    /// @param secret is told of each value that nobody else should read, and what it is
    PostgresSection(Function<ConfigNode, Path> path, BiConsumer<ConfigNode, String> secret) {
        this.path = path;
        this.secret = secret;
    }

    PostgresSettings read(String name, ConfigNode node) {
        Map<String, ConfigNode> entries =
                node.entries(
                        "url",
                        "password",
                        "data-directory",
                        "receiver",
                        "process-max",
                        "full-read-every",
                        "max-rate",
                        "local-address",
                        "max-replication-lag",
                        "max-commit-latency",
                        "standby",
                        "backup-from");
        Optional<Secret> password = password(entries);
        ConfigNode processMax = entries.get("process-max");
        ConfigNode fullReadEvery = entries.get("full-read-every");
        ConfigNode given = entries.get("receiver");
        ReceiverSettings receiver =
                given == null ? ReceiverSettings.defaults(name) : receiver(name, given);
        int processes =
                processMax == null
                        ? Runtime.getRuntime().availableProcessors()
                        : processMax.integer(1, MOST_PROCESSES);
        int reads =
                fullReadEvery == null
                        ? PostgresSettings.DEFAULT_FULL_READ_EVERY
                        : fullReadEvery.integer(0, MOST_BETWEEN_READS);
        PostgresSettings.Limits limits = limits(entries);
        Optional<PostgresSettings.Standby> standby =
                standby(entries.get("standby"), entries.get("backup-from"));
        Optional<Path> directory = Optional.ofNullable(entries.get("data-directory")).map(path);
        return new PostgresSettings(
                url(node, entries),
                password,
                directory,
                receiver,
                processes,
                reads,
                limits,
                standby);
    }

    private String url(ConfigNode node, Map<String, ConfigNode> entries) {
        ConfigNode url = Sections.required(node, entries, "url");
        String text = url.parsed(PostgresSection::serverUrl);
        if (UrlPassword.isIn(text)) {
            secret.accept(url, "password");
        }
        return text;
    }

    private Optional<Secret> password(Map<String, ConfigNode> entries) {
        ConfigNode password = entries.get("password");
        if (password != null) {
            secret.accept(password, "password");
        }
        return Optional.ofNullable(password).map(ConfigNode::secret);
    }

    private static PostgresSettings.Limits limits(Map<String, ConfigNode> entries) {
        return new PostgresSettings.Limits(
                Optional.ofNullable(entries.get("max-rate"))
                        .map(rate -> rate.parsed(PostgresSection::rate)),
                Optional.ofNullable(entries.get("local-address"))
                        .map(address -> address.parsed(PostgresSection::address)),
                Optional.ofNullable(entries.get("max-replication-lag"))
                        .map(lag -> lag.parsed(PostgresSection::strain)),
                Optional.ofNullable(entries.get("max-commit-latency"))
                        .map(latency -> latency.parsed(PostgresSection::strain)));
    }

    /// Whoever names a standby prefers it.
    private Optional<PostgresSettings.Standby> standby(
            @Nullable ConfigNode node, @Nullable ConfigNode from) {
        BackupFrom which = Sections.parsed(from, BackupFrom::parse, BackupFrom.PREFER_STANDBY);
        if (node == null) {
            if (from != null && which != BackupFrom.PRIMARY) {
                throw from.invalid("needs the key 'standby' beside it");
            }
            return Optional.empty();
        }
        Map<String, ConfigNode> entries = node.entries("url", "password", "data-directory");
        Optional<Secret> password = password(entries);
        Optional<Path> directory = Optional.ofNullable(entries.get("data-directory")).map(path);
        PostgresSettings.Standby standby =
                new PostgresSettings.Standby(
                        url(node, entries), password, directory, which == BackupFrom.STANDBY);
        return which == BackupFrom.PRIMARY ? Optional.empty() : Optional.of(standby);
    }

    private enum BackupFrom {
        PRIMARY,
        PREFER_STANDBY,
        STANDBY;

        static BackupFrom parse(String text) {
            return switch (text) {
                case "primary" -> PRIMARY;
                case "prefer-standby" -> PREFER_STANDBY;
                case "standby" -> STANDBY;
                default ->
                        throw new IllegalArgumentException(
                                "'" + text + "' is none of prefer-standby, standby and primary");
            };
        }
    }

    static ByteSize rate(String text) {
        ByteSize rate =
                ByteSize.parse(text.endsWith("/s") ? text.substring(0, text.length() - 2) : text);
        if (rate.bytes() < LEAST_RATE.bytes()) {
            throw new IllegalArgumentException("'" + text + "' is less than " + LEAST_RATE);
        }
        return rate;
    }

    private static Duration strain(String text) {
        Duration most = Durations.parse(text);
        if (most.compareTo(Duration.ofMillis(1)) < 0 || most.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("'" + text + "' is not between 1ms and 1h");
        }
        return most;
    }

    private static String address(String text) {
        InetAddress.ofLiteral(text);
        return text;
    }

    private ReceiverSettings receiver(String name, ConfigNode node) {
        ReceiverSettings defaults = ReceiverSettings.defaults(name);
        if (!node.isMapping() && node.text().equals("off")) {
            return defaults.notByServer();
        }
        Map<String, ConfigNode> entries =
                node.entries(
                        "spool",
                        "spool-limit",
                        "slot",
                        "status-interval",
                        "ship-interval",
                        "by-server");
        ConfigNode spool = entries.get("spool");
        return new ReceiverSettings(
                spool == null ? defaults.spool() : path.apply(spool),
                Sections.parsed(
                        entries.get("spool-limit"),
                        text ->
                                Sections.within(
                                        LEAST_SPOOL,
                                        ByteSize.of(Long.MAX_VALUE),
                                        ByteSize.parse(text)),
                        defaults.spoolLimit()),
                Sections.parsed(entries.get("slot"), PostgresSection::slot, defaults.slot()),
                Sections.parsed(
                        entries.get("status-interval"),
                        PostgresSection::interval,
                        defaults.statusInterval()),
                Sections.parsed(
                        entries.get("ship-interval"),
                        PostgresSection::interval,
                        defaults.shipInterval()),
                Sections.parsed(entries.get("by-server"), ServerSection::truth, true));
    }

    static String serverUrl(String text) {
        if (!text.startsWith("postgresql://") && !text.startsWith("postgres://")) {
            throw new IllegalArgumentException(
                    "'"
                            + UrlPassword.hide(text)
                            + "' is no url of a server (try postgresql://USER@HOST:5432/postgres)");
        }
        return text;
    }

    private static String slot(String text) {
        if (!ReceiverSettings.isSlotName(text)) {
            throw new IllegalArgumentException(
                    "'"
                            + text
                            + "' is no name of a slot (up to 63 lower-case letters, digits and"
                            + " '_')");
        }
        return text;
    }

    private static Duration interval(String text) {
        Duration interval = Durations.parse(text);
        if (interval.compareTo(Duration.ofMillis(100)) < 0
                || interval.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("'" + text + "' is not between 100ms and 1h");
        }
        return interval;
    }
}
