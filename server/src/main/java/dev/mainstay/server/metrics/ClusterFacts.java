package dev.mainstay.server.metrics;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// What a server says of itself.
///
/// @param at when it was asked
/// @param problem why it did not say anything; empty if it did
/// @param since since when it has been as it is, as far as that is known
/// @param readings what it said last; it may be older than `at`
public record ClusterFacts(
        Instant at, Optional<Problem> problem, Instant since, Optional<Readings> readings) {
    /// @param message without any secret
    public record Problem(ErrorCode code, String message) {}

    /// @param position the end of its log that is safe on its disk; a standby's, of what it
    ///   replayed
    /// @param standby whether it is in recovery itself
    /// @param clockAhead how far its clock is ahead of this host's; zero if both agree within what
    ///   the question took
    /// @param configured when it last loaded its configuration, by its clock
    /// @param archiverFailing whether what `archive_command` tried last failed
    public record Readings(
            Lsn position,
            boolean standby,
            long connections,
            long connectionsMax,
            Duration clockAhead,
            Instant configured,
            boolean archiverFailing,
            List<Standby> standbys,
            List<Slot> slots,
            Map<String, Long> databaseBytes) {
        public Readings {
            standbys = List.copyOf(standbys);
            slots = List.copyOf(slots);
            databaseBytes = Map.copyOf(databaseBytes);
        }
    }

    /// @param lag how old the oldest change is that it has not replayed; empty if the role may not
    ///   see it
    public record Standby(String name, String state, Optional<Duration> lag, OptionalLong bytes) {}

    /// @param retained bytes of the log that the server keeps for it
    /// @param safe how much more may be written before it is lost; empty without a limit
    public record Slot(
            String name, String status, boolean active, long retained, OptionalLong safe) {}

    public boolean up() {
        return problem.isEmpty();
    }
}
