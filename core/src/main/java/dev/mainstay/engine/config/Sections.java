package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.remote.PlaceLock;
import dev.mainstay.storage.remote.RemotePlace;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The schema of the file: each method reads one section into its record.
final class Sections {
    private static final ByteSize LEAST_PACK = ByteSize.mib(1);
    private static final ByteSize MOST_PACK = ByteSize.mib(1024);
    private static final ByteSize LEAST_SPOOL = ByteSize.mib(64);
    private static final int MOST_PROCESSES = 256;
    private static final int MOST_LOCK_DAYS = 3650;
    private static final int MOST_BETWEEN_READS = 10_000;

    /// The least that PostgreSQL's base backups can be told.
    private static final ByteSize LEAST_RATE = ByteSize.of(32 << 10);

    private final Path folder;
    private final boolean readableByOthers;
    private final List<ConfigurationWarning> warnings = new ArrayList<>();

    Sections(Path folder, boolean readableByOthers) {
        this.folder = folder;
        this.readableByOthers = readableByOthers;
    }

    Configuration configuration(String origin, ConfigNode root) {
        Map<String, ConfigNode> entries =
                root.entries("repository", "copies", "retention", "sources", "verify", "server");
        RepositorySettings repository = repository(required(root, entries, "repository"));
        Map<String, SourceSettings> sources = new LinkedHashMap<>();
        ConfigNode retention = entries.get("retention");
        RetentionPolicy policy =
                retention == null ? RetentionPolicy.everything() : RetentionSection.read(retention);
        ConfigNode configured = entries.get("sources");
        if (configured != null) {
            configured
                    .entries()
                    .forEach((name, node) -> sources.put(name, source(name, node, policy)));
        }
        Map<String, CopySettings> copies = new LinkedHashMap<>();
        ConfigNode others = entries.get("copies");
        if (others != null) {
            others.entries()
                    .forEach((name, node) -> copies.put(name, copy(name, node, repository)));
        }
        ConfigNode verify = entries.get("verify");
        return new Configuration(
                origin,
                repository,
                copies,
                sources,
                verify == null ? VerifySettings.DEFAULT : verify(verify),
                new ServerSection(this::path, this::warnIfOpen).read(entries.get("server")),
                warnings);
    }

    private static VerifySettings verify(ConfigNode node) {
        Map<String, ConfigNode> entries = node.entries("every", "budget");
        return new VerifySettings(
                parsed(entries.get("every"), Sections::round, VerifySettings.DEFAULT.every()),
                Optional.ofNullable(entries.get("budget"))
                        .map(
                                budget ->
                                        budget.parsed(
                                                text ->
                                                        within(
                                                                LEAST_PACK,
                                                                ByteSize.of(Long.MAX_VALUE),
                                                                ByteSize.parse(text)))));
    }

    private static Duration round(String text) {
        Duration every = Durations.parse(text);
        if (every.compareTo(Duration.ofDays(1)) < 0 || every.compareTo(Duration.ofDays(3650)) > 0) {
            throw new IllegalArgumentException("'" + text + "' is not between 1d and 3650d");
        }
        return every;
    }

    private RepositorySettings repository(ConfigNode node) {
        List<String> known =
                new ArrayList<>(List.of("url", "key", "encryption", "compression", "pack-size"));
        known.addAll(PlaceSection.keys());
        Map<String, ConfigNode> entries = node.entries(known.toArray(String[]::new));
        ConfigNode key = entries.get("key");
        String url = required(node, entries, "url").parsed(Sections::storeUrl);
        return new RepositorySettings(
                url,
                key == null ? Optional.empty() : Optional.of(key(key)),
                parsed(entries.get("encryption"), Sections::encryption, true),
                parsed(
                        entries.get("compression"),
                        Sections::zstdLevel,
                        RepositorySettings.DEFAULT_ZSTD_LEVEL),
                parsed(
                        entries.get("pack-size"),
                        text -> within(LEAST_PACK, MOST_PACK, ByteSize.parse(text)),
                        RepositorySettings.DEFAULT_PACK_SIZE),
                place(url, entries),
                lock(entries.get("lock")),
                Optional.empty());
    }

    private Optional<RemotePlace> place(String url, Map<String, ConfigNode> entries) {
        for (String secret : PlaceSection.secrets()) {
            ConfigNode given = entries.get(secret);
            if (given != null) {
                warnIfOpen(given, secret);
            }
        }
        return PlaceSection.read(url, entries, this::path);
    }

    private static Optional<PlaceLock> lock(@Nullable ConfigNode node) {
        if (node == null) {
            return Optional.empty();
        }
        Map<String, ConfigNode> entries = node.entries("mode", "days", "generation-days");
        LockMode mode = required(node, entries, "mode").parsed(Sections::lockMode);
        int days = required(node, entries, "days").integer(1, MOST_LOCK_DAYS);
        ConfigNode generation = entries.get("generation-days");
        return Optional.of(
                new PlaceLock(
                        mode,
                        days,
                        generation == null ? Math.max(1, days / 4) : generation.integer(1, days)));
    }

    private static LockMode lockMode(String text) {
        return switch (text) {
            case "governance" -> LockMode.GOVERNANCE;
            case "compliance" -> LockMode.COMPLIANCE;
            default ->
                    throw new IllegalArgumentException(
                            "'" + text + "' is none of governance and compliance");
        };
    }

    private CopySettings copy(String name, ConfigNode node, RepositorySettings original) {
        if (!isSourceName(name)) {
            throw node.invalid(
                    "the name of a copy has up to 63 letters, digits, '-', '_' and '.', and begins"
                            + " with a letter or a digit");
        }
        List<String> known = new ArrayList<>(List.of("url", "max-rate"));
        known.addAll(PlaceSection.keys());
        Map<String, ConfigNode> entries = node.entries(known.toArray(String[]::new));
        String url = required(node, entries, "url").parsed(Sections::storeUrl);
        if (url.equals(original.url())) {
            throw node.invalid("is the repository itself");
        }
        return new CopySettings(
                name,
                new RepositorySettings(
                        url,
                        original.key(),
                        original.encrypted(),
                        original.zstdLevel(),
                        original.packSize(),
                        place(url, entries),
                        lock(entries.get("lock")),
                        Optional.empty()),
                Optional.ofNullable(entries.get("max-rate"))
                        .map(rate -> rate.parsed(Sections::rate)));
    }

    private KeySource key(ConfigNode node) {
        return new KeySection(this::path, this::warnIfOpen).read(node);
    }

    private SourceSettings source(String name, ConfigNode node, RetentionPolicy otherwise) {
        if (!isSourceName(name)) {
            throw node.invalid(
                    "the name of a source has up to 63 letters, digits, '-', '_' and '.', and"
                            + " begins with a letter or a digit");
        }
        Map<String, ConfigNode> entries =
                node.entries("postgres", "restore", "retention", "schedules");
        ConfigNode retention = entries.get("retention");
        ConfigNode restore = entries.get("restore");
        return new SourceSettings(
                name,
                postgres(name, required(node, entries, "postgres")),
                restore == null ? RestoreSettings.none() : restore(restore),
                retention == null ? otherwise : RetentionSection.read(retention),
                SchedulesSection.ofSource(name, entries.get("schedules")));
    }

    private static RestoreSettings restore(ConfigNode node) {
        Map<String, ConfigNode> entries = node.entries("before", "after", "timeout");
        ConfigNode before = entries.get("before");
        ConfigNode after = entries.get("after");
        return new RestoreSettings(
                before == null ? List.of() : before.texts(),
                after == null ? List.of() : after.texts(),
                parsed(
                        entries.get("timeout"),
                        Sections::hookTimeout,
                        RestoreSettings.DEFAULT_TIMEOUT));
    }

    private PostgresSettings postgres(String name, ConfigNode node) {
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
        ConfigNode url = required(node, entries, "url");
        String text = url.parsed(Sections::serverUrl);
        if (UrlPassword.isIn(text)) {
            warnIfOpen(url, "password");
        }
        ConfigNode password = entries.get("password");
        if (password != null) {
            warnIfOpen(password, "password");
        }
        ConfigNode processMax = entries.get("process-max");
        ConfigNode fullReadEvery = entries.get("full-read-every");
        ConfigNode receiver = entries.get("receiver");
        return new PostgresSettings(
                text,
                Optional.ofNullable(password).map(ConfigNode::secret),
                Optional.ofNullable(entries.get("data-directory")).map(this::path),
                receiver == null ? ReceiverSettings.defaults(name) : receiver(name, receiver),
                processMax == null
                        ? Runtime.getRuntime().availableProcessors()
                        : processMax.integer(1, MOST_PROCESSES),
                fullReadEvery == null
                        ? PostgresSettings.DEFAULT_FULL_READ_EVERY
                        : fullReadEvery.integer(0, MOST_BETWEEN_READS),
                new PostgresSettings.Limits(
                        Optional.ofNullable(entries.get("max-rate"))
                                .map(rate -> rate.parsed(Sections::rate)),
                        Optional.ofNullable(entries.get("local-address"))
                                .map(address -> address.parsed(Sections::address)),
                        Optional.ofNullable(entries.get("max-replication-lag"))
                                .map(lag -> lag.parsed(Sections::strain)),
                        Optional.ofNullable(entries.get("max-commit-latency"))
                                .map(latency -> latency.parsed(Sections::strain))),
                standby(entries.get("standby"), entries.get("backup-from")));
    }

    /// Whoever names a standby prefers it.
    private Optional<PostgresSettings.Standby> standby(
            @Nullable ConfigNode node, @Nullable ConfigNode from) {
        BackupFrom which = parsed(from, BackupFrom::parse, BackupFrom.PREFER_STANDBY);
        if (node == null) {
            if (from != null && which != BackupFrom.PRIMARY) {
                throw from.invalid("needs the key 'standby' beside it");
            }
            return Optional.empty();
        }
        Map<String, ConfigNode> entries = node.entries("url", "password", "data-directory");
        ConfigNode url = required(node, entries, "url");
        String text = url.parsed(Sections::serverUrl);
        if (UrlPassword.isIn(text)) {
            warnIfOpen(url, "password");
        }
        ConfigNode password = entries.get("password");
        if (password != null) {
            warnIfOpen(password, "password");
        }
        PostgresSettings.Standby standby =
                new PostgresSettings.Standby(
                        text,
                        Optional.ofNullable(password).map(ConfigNode::secret),
                        Optional.ofNullable(entries.get("data-directory")).map(this::path),
                        which == BackupFrom.STANDBY);
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

    private static ByteSize rate(String text) {
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
                spool == null ? defaults.spool() : path(spool),
                parsed(
                        entries.get("spool-limit"),
                        text ->
                                within(
                                        LEAST_SPOOL,
                                        ByteSize.of(Long.MAX_VALUE),
                                        ByteSize.parse(text)),
                        defaults.spoolLimit()),
                parsed(entries.get("slot"), Sections::slot, defaults.slot()),
                parsed(
                        entries.get("status-interval"),
                        Sections::interval,
                        defaults.statusInterval()),
                parsed(entries.get("ship-interval"), Sections::interval, defaults.shipInterval()),
                parsed(entries.get("by-server"), ServerSection::truth, true));
    }

    static ConfigNode required(ConfigNode parent, Map<String, ConfigNode> entries, String key) {
        ConfigNode node = entries.get(key);
        if (node == null) {
            throw parent.invalid("needs the key '" + key + "'");
        }
        return node;
    }

    private static <T> T parsed(
            @Nullable ConfigNode node, Function<String, T> parser, T otherwise) {
        return node == null ? otherwise : node.parsed(parser);
    }

    private Path path(ConfigNode node) {
        return node.parsed(text -> folder.resolve(text).normalize());
    }

    private void warnIfOpen(ConfigNode node, String what) {
        if (readableByOthers && node.isLiteral()) {
            warnings.add(
                    new ConfigurationWarning(
                            node.path(),
                            "every user of this host can read the " + what + " in the file",
                            "chmod o-r the file, or write ${NAME} and set the environment"));
        }
    }

    private static String storeUrl(String text) {
        int colon = text.indexOf(':');
        if (colon < 2 || !text.startsWith("//", colon + 1)) {
            throw new IllegalArgumentException(
                    "'"
                            + text
                            + "' is no url of a store (try file:///var/lib/mainstay/repository)");
        }
        return PlaceSection.checkUrl(text);
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

    private static boolean encryption(String text) {
        return switch (text) {
            case "on", "aes-256-gcm" -> true;
            case "none" -> false;
            default ->
                    throw new IllegalArgumentException(
                            "'" + text + "' is none of aes-256-gcm and none");
        };
    }

    private static int zstdLevel(String text) {
        String level =
                text.equals("zstd") ? "3" : text.startsWith("zstd:") ? text.substring(5) : "";
        try {
            int value = Integer.parseInt(level);
            if (value >= 1 && value <= 19) {
                return value;
            }
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException(notCompression(text), notANumber);
        }
        throw new IllegalArgumentException(notCompression(text));
    }

    private static String notCompression(String text) {
        return "'" + text + "' is no compression (zstd:1 to zstd:19)";
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

    private static Duration hookTimeout(String text) {
        Duration timeout = Durations.parse(text);
        if (timeout.compareTo(Duration.ofSeconds(1)) < 0
                || timeout.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("'" + text + "' is not between 1s and 1d");
        }
        return timeout;
    }

    private static ByteSize within(ByteSize least, ByteSize most, ByteSize size) {
        if (size.compareTo(least) < 0 || size.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    size
                            + (size.compareTo(least) < 0
                                    ? " is less than " + least
                                    : " is more than " + most));
        }
        return size;
    }

    private static boolean isSourceName(String name) {
        return !name.isEmpty()
                && name.length() <= 63
                && Character.isLetterOrDigit(name.charAt(0))
                && name.chars()
                        .allMatch(
                                c ->
                                        c < 128
                                                && (Character.isLetterOrDigit(c)
                                                        || c == '-'
                                                        || c == '_'
                                                        || c == '.'));
    }
}
