package dev.mainstay.engine.check;

import dev.mainstay.postgres.cluster.Finding;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Objects;

/// How far this host's clock is from the server's. Clocks only label, but people read the labels
/// when they choose a moment to go back to.
final class ClockProbe {
    private static final String ID = "clock";
    private static final Duration MUCH = Duration.ofSeconds(2);

    private ClockProbe() {}

    static List<Finding> look(Connection connection, InstantSource clock) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            Instant before = clock.instant();
            Instant server;
            try (ResultSet row = statement.executeQuery("SELECT pg_catalog.clock_timestamp()")) {
                row.next();
                server = Objects.requireNonNull(row.getObject(1, OffsetDateTime.class)).toInstant();
            }
            return List.of(judge(before, server, clock.instant()));
        }
    }

    /// A store's clock, which decides how long it locks what is put, and takes a request for one
    /// that was just made, or not.
    static Finding store(Duration ahead) {
        if (ahead.abs().compareTo(MUCH) <= 0) {
            return Finding.ok(ID, "this host's clock and the store's agree");
        }
        return Finding.warning(
                ID,
                "the store's clock is "
                        + ahead.abs().toSeconds()
                        + " s "
                        + (ahead.isNegative() ? "behind" : "ahead of")
                        + " this host's: locks end by the store's, retention and tokens by this"
                        + " host's, and beyond some minutes the store refuses everything",
                "let this host synchronise its clock (chrony, systemd-timesyncd)");
    }

    /// The server answered between `before` and `after` of this host's clock.
    static Finding judge(Instant before, Instant server, Instant after) {
        Duration ahead = Duration.ZERO;
        if (server.isAfter(after)) {
            ahead = Duration.between(after, server);
        } else if (server.isBefore(before)) {
            ahead = Duration.between(before, server);
        }
        if (ahead.abs().compareTo(MUCH) <= 0) {
            return Finding.ok(ID, "this host's clock and the server's agree");
        }
        return Finding.warning(
                ID,
                "the server's clock is "
                        + ahead.abs().toSeconds()
                        + " s "
                        + (ahead.isNegative() ? "behind" : "ahead of")
                        + " this host's: times in restore targets are the server's",
                "let both hosts synchronise their clocks (chrony, systemd-timesyncd)");
    }
}
