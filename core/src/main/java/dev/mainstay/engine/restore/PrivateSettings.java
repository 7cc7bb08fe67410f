package dev.mainstay.engine.restore;

import dev.mainstay.postgres.cluster.ControlFile;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// What a [PrivateServer] is told. Everything goes onto its command line, which overrides whatever
/// `postgresql.auto.conf` of the restored directory says; no other configuration is read.
final class PrivateSettings {
    private static final int LEAST_PREPARED = 256;
    private static final int LEAST_LOCKS = 256;
    private static final int ORIGINS = 1000;
    private static final int WITH_EVENT_TRIGGERS_SETTING = 17;
    private static final int WITH_TRANSACTION_TIMEOUT = 17;
    private static final int WITH_ORIGINS_SETTING = 18;

    private final Map<String, String> settings = new LinkedHashMap<>();

    private PrivateSettings() {}

    /// @param run holds the server's socket and configuration
    /// @param preload `shared_preload_libraries`: none but what replay needs
    /// @param kept the data directory goes on to be used; otherwise it need not be durable
    static Map<String, String> of(
            int major, ControlFile control, Path run, String preload, boolean kept) {
        PrivateSettings all = new PrivateSettings();
        all.alone(run);
        all.quiet(major);
        all.replay(major, control);
        all.settings.put("shared_preload_libraries", preload);
        all.settings.put("session_preload_libraries", "");
        all.settings.put("local_preload_libraries", "");
        all.settings.put("fsync", kept ? "on" : "off");
        all.log();
        return all.settings;
    }

    /// Nobody else gets in, and it gets nowhere.
    private void alone(Path run) {
        settings.put("config_file", run.resolve("postgresql.conf").toString());
        settings.put("hba_file", run.resolve("pg_hba.conf").toString());
        settings.put("ident_file", run.resolve("pg_ident.conf").toString());
        settings.put("listen_addresses", "");
        settings.put("unix_socket_directories", run.toString());
        settings.put("unix_socket_group", "");
        settings.put("unix_socket_permissions", "0700");
        settings.put("port", Integer.toString(PrivateServer.PORT));
        settings.put("external_pid_file", "");
        settings.put("ssl", "off");
        settings.put("bonjour", "off");
        settings.put("archive_mode", "off");
        settings.put("primary_conninfo", "");
        settings.put("primary_slot_name", "");
        settings.put("max_logical_replication_workers", "0");
        settings.put("max_wal_senders", "0");
        settings.put("wal_level", "replica");
    }

    /// Nothing happens by itself: neither maintenance nor triggers.
    private void quiet(int major) {
        settings.put("autovacuum", "off");
        settings.put("session_replication_role", "replica");
        if (major >= WITH_EVENT_TRIGGERS_SETTING) {
            settings.put("event_triggers", "off");
        }
        settings.put("jit", "off");
        settings.put("default_transaction_read_only", "off");
        settings.put("statement_timeout", "0");
        settings.put("lock_timeout", "0");
        settings.put("idle_session_timeout", "0");
        settings.put("idle_in_transaction_session_timeout", "0");
        if (major >= WITH_TRANSACTION_TIMEOUT) {
            settings.put("transaction_timeout", "0");
        }
        settings.put("max_connections", "20");
        settings.put("superuser_reserved_connections", "3");
        settings.put("max_worker_processes", "4");
        settings.put("shared_buffers", "128MB");
        settings.put("huge_pages", "off");
        settings.put("temp_tablespaces", "");
        settings.put("default_tablespace", "");
        settings.put("restart_after_crash", "off");
    }

    /// Without hot standby the minima of the control file are not demanded, but for what replay
    /// itself needs: places for prepared transactions and for replication origins.
    private void replay(int major, ControlFile control) {
        settings.put("hot_standby", "off");
        settings.put("recovery_target_action", "promote");
        settings.put("archive_cleanup_command", "");
        settings.put("recovery_end_command", "");
        settings.put("recovery_min_apply_delay", "0");
        ControlFile.Minima minima = control.minima();
        settings.put(
                "max_prepared_transactions",
                Integer.toString(Math.max(LEAST_PREPARED, minima.maxPreparedTransactions())));
        settings.put(
                "max_locks_per_transaction",
                Integer.toString(Math.max(LEAST_LOCKS, minima.maxLocksPerTransaction())));
        settings.put("max_replication_slots", Integer.toString(ORIGINS));
        if (major >= WITH_ORIGINS_SETTING) {
            settings.put("max_active_replication_origins", Integer.toString(ORIGINS));
        }
        settings.put("track_commit_timestamp", minima.trackCommitTimestamp() ? "on" : "off");
        settings.put("wal_log_hints", minima.walLogHints() ? "on" : "off");
    }

    private void log() {
        settings.put("logging_collector", "off");
        settings.put("log_destination", "stderr");
        settings.put("log_min_messages", "warning");
        settings.put("log_statement", "none");
        settings.put("log_duration", "off");
        settings.put("log_min_duration_statement", "-1");
        settings.put("lc_messages", "C");
    }
}
