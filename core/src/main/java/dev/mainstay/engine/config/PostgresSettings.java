package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// The section `postgres` of a source.
///
/// @param url connection URL as libpq knows it; may hold a password, so print [#safeUrl]
/// @param password of its own key, for urls without one
/// @param dataDirectory where this host sees the cluster's files; without it they are read over the
///   replication protocol
/// @param processMax how many files are read and sealed in parallel
/// @param fullReadEvery every so many incrementals one reads everything, whatever the WAL says; 0
///   for never
/// @param limits on what a backup asks of the server and its network
/// @param standby of this cluster, which backups read instead
public record PostgresSettings(
        String url,
        Optional<Secret> password,
        Optional<Path> dataDirectory,
        ReceiverSettings receiver,
        int processMax,
        int fullReadEvery,
        Limits limits,
        Optional<Standby> standby) {
    /// Of `full-read-every`.
    public static final int DEFAULT_FULL_READ_EVERY = 10;

    /// @param maxRate bytes a second that backups read of the cluster
    /// @param localAddress of this host, which connections to the server come from
    /// @param maxReplicationLag of the primary's standbys, above which backups read slower
    /// @param maxCommitLatency of the primary, above which backups read slower
    public record Limits(
            Optional<ByteSize> maxRate,
            Optional<String> localAddress,
            Optional<Duration> maxReplicationLag,
            Optional<Duration> maxCommitLatency) {
        public static final Limits NONE =
                new Limits(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

        /// Whether backups heed how the server fares.
        public boolean isConsiderate() {
            return maxReplicationLag.isPresent() || maxCommitLatency.isPresent();
        }
    }

    /// A standby that backups read in the primary's stead.
    ///
    /// @param password the primary's if it has none of its own
    /// @param required fails where the standby cannot serve, instead of reading the primary
    public record Standby(
            String url, Optional<Secret> password, Optional<Path> dataDirectory, boolean required) {
        @Override
        public String toString() {
            return "Standby[" + UrlPassword.hide(url) + "]";
        }
    }

    /// Without limits and standby.
    public PostgresSettings(
            String url,
            Optional<Secret> password,
            Optional<Path> dataDirectory,
            ReceiverSettings receiver,
            int processMax,
            int fullReadEvery) {
        this(
                url,
                password,
                dataDirectory,
                receiver,
                processMax,
                fullReadEvery,
                Limits.NONE,
                Optional.empty());
    }

    /// The same, of a primary with a standby.
    public PostgresSettings withStandby(Standby there) {
        return new PostgresSettings(
                url,
                password,
                dataDirectory,
                receiver,
                processMax,
                fullReadEvery,
                limits,
                Optional.of(there));
    }

    /// Settings by which the standby is read.
    public PostgresSettings of(Standby there) {
        return new PostgresSettings(
                there.url,
                there.password.or(() -> password),
                there.dataDirectory,
                receiver,
                processMax,
                fullReadEvery,
                limits,
                Optional.empty());
    }

    /// The url with its password hidden.
    public String safeUrl() {
        return UrlPassword.hide(url);
    }

    @Override
    public String toString() {
        return "PostgresSettings["
                + safeUrl()
                + dataDirectory.map(path -> ", " + path).orElse("")
                + "]";
    }
}
