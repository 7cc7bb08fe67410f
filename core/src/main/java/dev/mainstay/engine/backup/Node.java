package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.cluster.BackupSession;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.Preflight;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.format.Json;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// The server whose files a backup reads: the primary, or a standby. For one thread.
///
/// A standby is backed up by itself: it begins at its last restart point and is consistent at the
/// `minRecoveryPoint` of the control file that was read last of all. What it cannot do, its primary
/// does: make a checkpoint, begin a new segment of WAL, tell the time of commits.
final class Node {
    private static final Duration STEP = Duration.ofMillis(5);
    private static final int LONGEST_STEPS = 50;

    private final Connection sql;
    private final Optional<Primary> primary;
    private final Optional<String> passedOver;
    private boolean read;

    private Node(Connection sql, Optional<Primary> primary, Optional<String> passedOver) {
        this.sql = sql;
        this.primary = primary;
        this.passedOver = passedOver;
    }

    /// @param passedOver why a standby that should have been read was not
    static Node primary(Connection sql, Optional<String> passedOver) {
        return new Node(sql, Optional.empty(), passedOver);
    }

    static Node standby(Connection sql, Primary primary) {
        return new Node(sql, Optional.of(primary), Optional.empty());
    }

    Connection sql() {
        return sql;
    }

    boolean isStandby() {
        return primary.isPresent();
    }

    /// Whether files were read: before, another server can take its place.
    boolean isRead() {
        return read;
    }

    /// Takes over the session.
    BackupSession open(Connection session) {
        return isStandby() ? BackupSession.openStandby(session) : BackupSession.open(session);
    }

    Preflight.Report inspect(Optional<Path> dataDirectory, Waiter waiter) {
        if (isStandby()) {
            return Preflight.inspectStandby(sql, dataDirectory, waiter);
        }
        return dataDirectory
                .map(directory -> Preflight.inspect(sql, directory, waiter))
                .orElseGet(() -> Preflight.inspectStreamed(sql));
    }

    /// The same cluster, on the timeline that its primary writes.
    ///
    /// @throws MainstayException BACKUP_STANDBY_UNFIT if the primary is of another
    Origin origin(Origin seen) {
        if (primary.isEmpty()) {
            return seen;
        }
        TimelineId timeline = primary.get().timeline();
        primary.get().requireSame(seen.systemId());
        return new Origin(seen.systemId(), timeline, seen.layout());
    }

    /// Proves that somebody archives, and that a standby is not behind what is written now.
    ///
    /// @param server a session to the very server that is read
    /// @throws MainstayException BACKUP_ARCHIVE_DEAD, BACKUP_STANDBY_UNFIT if it does not come as
    ///   far in time
    ArchiveProof prove(
            ArchiveProof.Subject subject,
            Origin origin,
            ClusterBackup.Request request,
            Connection server,
            Progress progress) {
        primary.ifPresent(Primary::checkpoint);
        ArchiveProof proof = ArchiveProof.begin(subject, origin, request, progress);
        if (isStandby()) {
            awaitReplay(server, proof.end(), request.archiveTimeout());
        }
        return proof;
    }

    /// The server that writes WAL.
    Connection writing() {
        return primary.map(Primary::sql).orElse(sql);
    }

    private static void awaitReplay(Connection server, Lsn wanted, Duration timeout) {
        Waiter waiter = Waiter.sleeping(STEP);
        long deadline = System.nanoTime() + timeout.toNanos();
        try (PreparedStatement ask =
                server.prepareStatement(
                        "SELECT coalesce(at >= ?::pg_lsn, false), at::text,"
                                + " pg_catalog.pg_is_in_recovery()"
                                + " AND pg_catalog.pg_get_wal_replay_pause_state()"
                                + " <> 'not paused'"
                                + " FROM pg_catalog.pg_last_wal_replay_lsn() AS at")) {
            ask.setString(1, wanted.toString());
            for (int attempt = 1; ; attempt++) {
                try (ResultSet row = ask.executeQuery()) {
                    row.next();
                    if (row.getBoolean(1)) {
                        return;
                    }
                    if (row.getBoolean(3) || System.nanoTime() > deadline) {
                        throw behind(row, wanted, timeout);
                    }
                }
                waiter.await(Math.min(attempt, LONGEST_STEPS));
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("asking the standby how far it is", failed);
        }
    }

    private static MainstayException behind(ResultSet row, Lsn wanted, Duration timeout)
            throws SQLException {
        boolean paused = row.getBoolean(3);
        return unfit(
                "the standby is behind: it has replayed WAL up to "
                        + row.getString(2)
                        + (paused
                                ? ", where replay is paused, and not up to " + wanted
                                : ", and did not come to "
                                        + wanted
                                        + " within "
                                        + timeout.toSeconds()
                                        + " s"));
    }

    private static MainstayException unfit(String what) {
        return new MainstayException(ErrorCode.BACKUP_STANDBY_UNFIT, what);
    }

    /// The archive is alive, and the next thing is the first file: from here on no other server can
    /// take this one's place.
    ///
    /// @param first segment a restore needs
    /// @throws MainstayException BACKUP_STANDBY_UNFIT if a standby began on another timeline than
    ///   its primary is on, or at WAL that was never archived
    void begins(Origin origin, WalSegment first, WalArchive archive) {
        if (isStandby()) {
            if (!first.timeline().equals(origin.timeline())) {
                throw unfit(
                        "the standby's last restart point lies on timeline "
                                + first.timeline()
                                + ", its primary is on timeline "
                                + origin.timeline());
            }
            if (!archive.has(first)) {
                throw unfit(
                        "the standby's last restart point lies in WAL segment "
                                + first
                                + ", which is not in the repository");
            }
        }
        read = true;
    }

    /// Where and when a backup ends.
    record End(Lsn lsn, Instant time) {}

    /// @param said by the server itself
    /// @param control as it was read, last of all
    End end(End said, Origin origin, Lsn start, ControlFile control) {
        if (primary.isEmpty()) {
            return said;
        }
        ControlFile.Recovery recovery = control.recovery();
        TimelineId timeline = recovery.minRecoveryTimeline().orElse(origin.timeline());
        if (!timeline.equals(origin.timeline()) || recovery.minRecoveryPoint().isBefore(start)) {
            throw new MainstayException(
                    ErrorCode.BACKUP_STANDBY_UNFIT,
                    "the standby is to be consistent at "
                            + recovery.minRecoveryPoint()
                            + " on timeline "
                            + timeline
                            + ", the backup began at "
                            + start
                            + " on timeline "
                            + origin.timeline(),
                    "a server was promoted, or the standby restarted, while it was backed up; take"
                            + " the backup again",
                    null);
        }
        primary.get().endSegment();
        return new End(recovery.minRecoveryPoint(), primary.get().time());
    }

    /// The clock that commits carry.
    Instant time(Instant said) {
        return primary.map(Primary::time).orElse(said);
    }

    void warn(BackupFindings findings) {
        passedOver.ifPresent(
                why -> findings.warning("taken from the primary, not from the standby: " + why));
    }

    Json record(Json details) {
        return isStandby() ? details.put("from", BackupDetails.STANDBY) : details;
    }
}
