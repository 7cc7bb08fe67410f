package dev.mainstay.engine.restore;

import dev.mainstay.engine.restore.RestoreRequest.Recovery;
import dev.mainstay.postgres.cluster.ServerVersion;
import dev.mainstay.postgres.wal.WalTarget;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What tells a restored server how far to recover: settings in `postgresql.auto.conf` and a signal
/// file, as PostgreSQL 12 and newer want them.
///
/// The configuration that the backup brought along may hold settings of an earlier recovery, or of
/// the standby it was taken of; they would mislead the server, or let it act on the live cluster.
/// In `postgresql.auto.conf` they become comments; wherever else they are, this file is read last
/// and overrides every one of them.
final class RecoverySettings {
    static final String FILE = "postgresql.auto.conf";

    /// At most one of them may have a value.
    private static final List<String> TARGETS =
            List.of(
                    "recovery_target",
                    "recovery_target_lsn",
                    "recovery_target_name",
                    "recovery_target_time",
                    "recovery_target_xid");

    /// Version 16 does not know it any more.
    private static final String TRIGGER_FILE = "promote_trigger_file";

    private static final int WITHOUT_TRIGGER_FILE = 16;

    private static final Set<String> RECOVERY =
            Stream.concat(
                            TARGETS.stream(),
                            Stream.of(
                                    "restore_command",
                                    "archive_cleanup_command",
                                    "recovery_end_command",
                                    "recovery_target_action",
                                    "recovery_target_inclusive",
                                    "recovery_target_timeline",
                                    "recovery_min_apply_delay",
                                    "primary_conninfo",
                                    "primary_slot_name",
                                    TRIGGER_FILE))
                    .collect(Collectors.toUnmodifiableSet());

    private static final Pattern NAME = Pattern.compile("[ \\t\\r]*([A-Za-z_][A-Za-z0-9_.]*)");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSSSSS'+00'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private RecoverySettings() {}

    /// In the order they are written, which is the one the server takes them in: it refuses even an
    /// empty target after one with a value.
    static Map<String, String> of(RestorePlan plan) {
        return of(
                plan.request().recovery(),
                plan.replay().timelineSetting(),
                ServerVersion.ofServerVersionNum(plan.details().server().versionNum()).major());
    }

    static Map<String, String> of(Recovery recovery, String timeline, int major) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("restore_command", recovery.restoreCommand());
        settings.put("archive_cleanup_command", "");
        settings.put("recovery_end_command", "");
        settings.put("recovery_min_apply_delay", "0");
        settings.put("primary_conninfo", "");
        settings.put("primary_slot_name", "");
        if (major < WITHOUT_TRIGGER_FILE) {
            settings.put(TRIGGER_FILE, "");
        }
        if (!recovery.keepArchiving()) {
            settings.put("archive_mode", "off");
        }
        settings.put("recovery_target_timeline", timeline);
        settings.put("recovery_target_action", recovery.action().name().toLowerCase(Locale.ROOT));
        settings.put("recovery_target_inclusive", "on");
        TARGETS.forEach(name -> settings.put(name, ""));
        switch (recovery.target()) {
            case RestoreTarget.Latest _ -> {}
            case RestoreTarget.Immediate _ -> last(settings, "recovery_target", "immediate");
            case RestoreTarget.At(WalTarget point) -> target(point, settings);
        }
        return settings;
    }

    private static void last(Map<String, String> settings, String name, String value) {
        settings.remove(name);
        settings.put(name, value);
    }

    private static void target(WalTarget point, Map<String, String> settings) {
        switch (point) {
            case WalTarget.AtTime(Instant time, boolean inclusive) -> {
                last(settings, "recovery_target_time", TIME.format(time));
                settings.put("recovery_target_inclusive", onOff(inclusive));
            }
            case WalTarget.AtXid(long xid, boolean inclusive) -> {
                last(settings, "recovery_target_xid", Long.toString(xid));
                settings.put("recovery_target_inclusive", onOff(inclusive));
            }
            case WalTarget.AtLsn(var lsn, boolean inclusive) -> {
                last(settings, "recovery_target_lsn", lsn.toString());
                settings.put("recovery_target_inclusive", onOff(inclusive));
            }
            case WalTarget.AtName(String name) -> last(settings, "recovery_target_name", name);
        }
    }

    private static String onOff(boolean on) {
        return on ? "on" : "off";
    }

    /// @return `recovery.signal` or `standby.signal`
    static String signal(RestorePlan plan) {
        return plan.request().recovery().standby() ? "standby.signal" : "recovery.signal";
    }

    /// The new content of `postgresql.auto.conf`, a character for each byte.
    ///
    /// @param before as the backup has it, a character for each byte
    /// @param stamp tells who wrote this and when
    static String rewrite(String before, Map<String, String> settings, String stamp) {
        StringBuilder text = new StringBuilder();
        // A carriage return ends no line for PostgreSQL, and may be part of a value.
        for (String line : before.split("(?<=\n)", -1)) {
            if (isReplaced(line, settings)) {
                text.append("# before the restore: ");
            }
            text.append(line);
        }
        if (!text.isEmpty() && text.charAt(text.length() - 1) != '\n') {
            text.append('\n');
        }
        StringBuilder added = new StringBuilder();
        added.append("# ").append(stamp).append('\n');
        settings.forEach(
                (name, value) ->
                        added.append(name).append(" = ").append(quote(value)).append('\n'));
        return text
                + new String(
                        added.toString().getBytes(StandardCharsets.UTF_8),
                        StandardCharsets.ISO_8859_1);
    }

    private static boolean isReplaced(String line, Map<String, String> settings) {
        Matcher matcher = NAME.matcher(line);
        if (!matcher.lookingAt()) {
            return false;
        }
        String name = matcher.group(1).toLowerCase(Locale.ROOT);
        return RECOVERY.contains(name) || settings.containsKey(name);
    }

    /// As in a configuration file: a quote and a backslash are doubled, and the end of a line,
    /// which would end the value, is written as `\n`.
    static String quote(String value) {
        String escaped =
                value.replace("\\", "\\\\")
                        .replace("'", "''")
                        .replace("\n", "\\n")
                        .replace("\r", "\\r");
        return "'" + escaped + "'";
    }
}
