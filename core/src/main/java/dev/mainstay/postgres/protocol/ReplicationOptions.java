package dev.mainstay.postgres.protocol;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Consumer;

/// How a replication connection behaves.
///
/// @param clock tells the server our time in status messages
/// @param liveness a server that sends nothing for so long is given up (SERVER_UNREACHABLE); at
///   half of it a stream asks for a sign of life
/// @param notices gets what the server remarks beside its answers
public record ReplicationOptions(
        InstantSource clock, Duration liveness, Consumer<ServerError> notices) {
    public ReplicationOptions {
        if (liveness.isNegative() || liveness.isZero()) {
            throw new IllegalArgumentException("liveness must be positive");
        }
    }

    /// 60 seconds, as PostgreSQL's own `wal_receiver_timeout`; notices are not kept.
    public static ReplicationOptions of(InstantSource clock) {
        return new ReplicationOptions(clock, Duration.ofSeconds(60), _ -> {});
    }

    public ReplicationOptions withLiveness(Duration other) {
        return new ReplicationOptions(clock, other, notices);
    }

    public ReplicationOptions withNotices(Consumer<ServerError> other) {
        return new ReplicationOptions(clock, liveness, other);
    }
}
