package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.remote.PlaceLock;
import dev.mainstay.storage.remote.RemotePlace;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The schema of the file: each method reads one section into its record. Keys that a section needs
/// are read last, so that one that is wrong does not hide what else is.
final class Sections {
    private static final ByteSize LEAST_PACK = ByteSize.mib(1);
    private static final ByteSize MOST_PACK = ByteSize.mib(1024);
    private static final int MOST_LOCK_DAYS = 3650;

    private final Path folder;
    private final boolean readableByOthers;
    private final List<ConfigurationWarning> warnings = new ArrayList<>();

    Sections(Path folder, boolean readableByOthers) {
        this.folder = folder;
        this.readableByOthers = readableByOthers;
    }

    Configuration configuration(String origin, ConfigNode root) {
        Map<String, ConfigNode> entries =
                root.entries(
                        "repository",
                        "copies",
                        "retention",
                        "sources",
                        "verify",
                        "prune",
                        "server");
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
        ConfigNode verify = entries.get("verify");
        VerifySettings verification = verify == null ? VerifySettings.DEFAULT : verify(verify);
        ConfigNode prune = entries.get("prune");
        PruneSettings pruning = prune == null ? PruneSettings.DEFAULT : PruneSection.read(prune);
        ServerSettings server =
                new ServerSection(this::path, this::warnIfOpen).read(entries.get("server"));
        // After all that stands without it: whatever is wrong there is found in any case.
        RepositorySettings repository = repository(required(root, entries, "repository"));
        Map<String, CopySettings> copies = new LinkedHashMap<>();
        ConfigNode others = entries.get("copies");
        if (others != null) {
            others.entries()
                    .forEach(
                            (name, node) ->
                                    copies.put(name, copy(name, node, repository, sources)));
        }
        return new Configuration(
                origin, repository, copies, sources, verification, pruning, server, warnings);
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
        Optional<KeySource> key = Optional.ofNullable(entries.get("key")).map(this::key);
        boolean encrypted = parsed(entries.get("encryption"), Sections::encryption, true);
        int level =
                parsed(
                        entries.get("compression"),
                        Sections::zstdLevel,
                        RepositorySettings.DEFAULT_ZSTD_LEVEL);
        ByteSize packSize =
                parsed(
                        entries.get("pack-size"),
                        text -> within(LEAST_PACK, MOST_PACK, ByteSize.parse(text)),
                        RepositorySettings.DEFAULT_PACK_SIZE);
        Optional<PlaceLock> lock = lock(entries.get("lock"));
        String url = required(node, entries, "url").parsed(Sections::storeUrl);
        return new RepositorySettings(
                url, key, encrypted, level, packSize, place(url, entries), lock, Optional.empty());
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

    private CopySettings copy(
            String name,
            ConfigNode node,
            RepositorySettings original,
            Map<String, SourceSettings> sources) {
        if (!isSourceName(name)) {
            throw node.invalid(
                    "the name of a copy has up to 63 letters, digits, '-', '_' and '.', and begins"
                            + " with a letter or a digit");
        }
        List<String> known = new ArrayList<>(List.of("url", "max-rate", "keep"));
        known.addAll(PlaceSection.keys());
        Map<String, ConfigNode> entries = node.entries(known.toArray(String[]::new));
        String url = required(node, entries, "url").parsed(Sections::storeUrl);
        if (url.equals(original.url())) {
            throw node.invalid("is the repository itself");
        }
        Optional<ConfigNode> keep = Optional.ofNullable(entries.get("keep"));
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
                keep.map(some -> CopyKeepSection.read(some, sources)),
                Optional.ofNullable(entries.get("max-rate"))
                        .map(rate -> rate.parsed(PostgresSection::rate)));
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
        RestoreSettings hooks = restore == null ? RestoreSettings.none() : restore(restore);
        RetentionPolicy policy = retention == null ? otherwise : RetentionSection.read(retention);
        List<ScheduleSettings> schedules =
                SchedulesSection.ofSource(name, entries.get("schedules"));
        PostgresSettings postgres =
                new PostgresSection(this::path, this::warnIfOpen)
                        .read(name, required(node, entries, "postgres"));
        return new SourceSettings(
                name,
                postgres,
                hooks,
                policy,
                schedules,
                SchedulesSection.onChange(entries.get("schedules")));
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

    static ConfigNode required(ConfigNode parent, Map<String, ConfigNode> entries, String key) {
        ConfigNode node = entries.get(key);
        if (node == null) {
            throw parent.invalid("needs the key '" + key + "'");
        }
        return node;
    }

    static <T> T parsed(@Nullable ConfigNode node, Function<String, T> parser, T otherwise) {
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

    private static Duration hookTimeout(String text) {
        Duration timeout = Durations.parse(text);
        if (timeout.compareTo(Duration.ofSeconds(1)) < 0
                || timeout.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("'" + text + "' is not between 1s and 1d");
        }
        return timeout;
    }

    static ZoneId zone(String text) {
        try {
            return ZoneId.of(text);
        } catch (DateTimeException wrong) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no time zone (try UTC or Europe/Berlin)", wrong);
        }
    }

    static ByteSize within(ByteSize least, ByteSize most, ByteSize size) {
        if (size.compareTo(least) < 0 || size.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    size
                            + (size.compareTo(least) < 0
                                    ? " is less than " + least
                                    : " is more than " + most));
        }
        return size;
    }

    static boolean isSourceName(String name) {
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
