package dev.mainstay.engine.config;

import java.nio.file.Path;
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
public record PostgresSettings(
        String url,
        Optional<Secret> password,
        Optional<Path> dataDirectory,
        ReceiverSettings receiver,
        int processMax,
        int fullReadEvery) {
    /// Of `full-read-every`.
    public static final int DEFAULT_FULL_READ_EVERY = 10;

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
