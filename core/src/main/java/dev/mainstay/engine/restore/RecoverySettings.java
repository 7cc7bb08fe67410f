package dev.mainstay.engine.restore;

import dev.mainstay.engine.restore.RestoreRequest.Recovery;
import dev.mainstay.postgres.wal.WalTarget;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What tells a restored server how far to recover: settings in `postgresql.auto.conf` and a signal
/// file, as PostgreSQL 12 and newer want them. Settings of an earlier recovery that the backup
/// brought along would mislead it and are turned into comments.
final class RecoverySettings {
    static final String FILE = "postgresql.auto.conf";

    private static final Set<String> RECOVERY =
            Set.of(
                    "restore_command",
                    "archive_cleanup_command",
                    "recovery_end_command",
                    "recovery_target",
                    "recovery_target_action",
                    "recovery_target_inclusive",
                    "recovery_target_lsn",
                    "recovery_target_name",
                    "recovery_target_time",
                    "recovery_target_timeline",
                    "recovery_target_xid",
                    "recovery_min_apply_delay",
                    "primary_conninfo",
                    "primary_slot_name",
                    "promote_trigger_file");

    private static final Pattern NAME = Pattern.compile("\\s*([A-Za-z_][A-Za-z0-9_.]*)\\b.*");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSSSSS'+00'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private RecoverySettings() {}

    /// In the order they are written.
    static Map<String, String> of(RestorePlan plan) {
        Recovery recovery = plan.request().recovery();
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("restore_command", recovery.restoreCommand());
        settings.put("recovery_target_timeline", plan.replay().timelineSetting());
        switch (recovery.target()) {
            case RestoreTarget.Latest _ -> {}
            case RestoreTarget.Immediate _ -> settings.put("recovery_target", "immediate");
            case RestoreTarget.At(WalTarget point) -> target(point, settings);
        }
        if (!(recovery.target() instanceof RestoreTarget.Latest)) {
            settings.put(
                    "recovery_target_action", recovery.action().name().toLowerCase(Locale.ROOT));
        }
        if (!recovery.keepArchiving()) {
            settings.put("archive_mode", "off");
        }
        return settings;
    }

    private static void target(WalTarget point, Map<String, String> settings) {
        switch (point) {
            case WalTarget.AtTime(Instant time, boolean inclusive) -> {
                settings.put("recovery_target_time", TIME.format(time));
                settings.put("recovery_target_inclusive", onOff(inclusive));
            }
            case WalTarget.AtXid(long xid, boolean inclusive) -> {
                settings.put("recovery_target_xid", Long.toString(xid));
                settings.put("recovery_target_inclusive", onOff(inclusive));
            }
            case WalTarget.AtLsn(var lsn, boolean inclusive) -> {
                settings.put("recovery_target_lsn", lsn.toString());
                settings.put("recovery_target_inclusive", onOff(inclusive));
            }
            case WalTarget.AtName(String name) -> settings.put("recovery_target_name", name);
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
        before.lines()
                .forEach(
                        line -> {
                            if (isReplaced(line, settings)) {
                                text.append("# before the restore: ");
                            }
                            text.append(line).append('\n');
                        });
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
        if (!matcher.matches()) {
            return false;
        }
        String name = matcher.group(1).toLowerCase(Locale.ROOT);
        return RECOVERY.contains(name) || settings.containsKey(name);
    }

    /// As in a configuration file: a quote and a backslash are doubled.
    static String quote(String value) {
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'";
    }
}
