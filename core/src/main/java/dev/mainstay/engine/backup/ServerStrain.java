package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;

/// Measures how a primary fares, over a session of its own: how long a commit takes, and how far
/// its standbys are behind. For one thread, but [#strain] and [#close] are for any.
final class ServerStrain implements AutoCloseable {
    /// Not the name by which backups find each other.
    private static final String APPLICATION = "mainstay probe";

    /// A receiver of ours reports in intervals of its own; it counts only where commits wait for
    /// it.
    private static final String LAG =
            "SELECT coalesce(max(extract(epoch FROM greatest(write_lag, flush_lag, replay_lag))"
                    + "), 0)::float8"
                    + " FROM pg_catalog.pg_stat_replication WHERE state = 'streaming'"
                    + " AND (application_name <> ? OR sync_state IN ('sync', 'quorum'))";

    /// Writes some bytes of WAL, so that the commit is flushed, and replicated where it has to be.
    private static final String COMMIT =
            "SELECT pg_catalog.pg_logical_emit_message(true, 'mainstay', '')";

    private final Connection sql;
    private final String slot;
    private final Optional<Duration> mostLag;
    private final Optional<Duration> mostLatency;
    private volatile double lag;
    private volatile double latency;
    private volatile long asking;
    private volatile Optional<Statement> running = Optional.empty();

    private ServerStrain(Connection sql, PostgresSettings settings) {
        this.sql = sql;
        this.slot = settings.receiver().slot();
        this.mostLag = settings.limits().maxReplicationLag();
        this.mostLatency = settings.limits().maxCommitLatency();
    }

    /// @throws MainstayException SERVER_RIGHT_MISSING if the role may not see how far standbys are:
    ///   the server would say nothing, as if all were well
    static ServerStrain open(ConnectionSpec primary, PostgresSettings settings) {
        Connection sql = SqlSession.openSql(primary, APPLICATION);
        try {
            sql.setAutoCommit(true);
            if (settings.limits().maxReplicationLag().isPresent() && !maySeeLag(sql)) {
                throw new MainstayException(
                        ErrorCode.SERVER_RIGHT_MISSING,
                        "role "
                                + primary.user()
                                + " may not see the replication lag that max-replication-lag"
                                + " limits",
                        "as a superuser: GRANT pg_read_all_stats TO " + primary.user(),
                        null);
            }
            return new ServerStrain(sql, settings);
        } catch (SQLException failed) {
            closeQuietly(sql);
            throw SqlSession.failure("asking for the right to see replication", failed);
        } catch (RuntimeException | Error failed) {
            closeQuietly(sql);
            throw failed;
        }
    }

    private static boolean maySeeLag(Connection sql) throws SQLException {
        try (Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')")) {
            row.next();
            return row.getBoolean(1);
        }
    }

    /// Measures once; takes as long as a commit does.
    void measure() throws SQLException {
        if (mostLag.isPresent()) {
            try (PreparedStatement ask = sql.prepareStatement(LAG)) {
                ask.setString(1, slot);
                try (ResultSet row = ask.executeQuery()) {
                    row.next();
                    lag = row.getDouble(1);
                }
            }
        }
        if (mostLatency.isPresent()) {
            long begin = System.nanoTime();
            asking = begin;
            try (Statement commit = sql.createStatement()) {
                running = Optional.of(commit);
                commit.execute(COMMIT);
            } finally {
                running = Optional.empty();
                latency = (System.nanoTime() - begin) / 1e9;
                asking = 0;
            }
        }
    }

    /// The worst of what was measured last over what is allowed; a commit that still waits counts.
    double strain() {
        long begin = asking;
        double waits = begin == 0 ? 0 : (System.nanoTime() - begin) / 1e9;
        return Math.max(ratio(lag, mostLag), ratio(Math.max(latency, waits), mostLatency));
    }

    private static double ratio(double seconds, Optional<Duration> most) {
        return most.map(each -> seconds / (each.toNanos() / 1e9)).orElse(0.0);
    }

    /// What is allowed and was measured last, for people.
    String text() {
        return mostLatency.map(most -> "a commit took %.3f s".formatted(latency)).orElse("")
                + (mostLatency.isPresent() && mostLag.isPresent() ? ", " : "")
                + mostLag.map(most -> "standbys were %.1f s behind".formatted(lag)).orElse("");
    }

    /// Ends a commit that waits for a standby too.
    @Override
    public void close() {
        running.ifPresent(
                statement -> {
                    try {
                        statement.cancel();
                    } catch (SQLException _) {
                        // it ended by itself, or its server did
                    }
                });
        closeQuietly(sql);
    }

    private static void closeQuietly(Connection sql) {
        try {
            sql.abort(Runnable::run);
        } catch (SQLException _) {
            // nothing hangs on it any more
        }
    }
}
