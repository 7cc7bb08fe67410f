package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.WalArchive;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/// Proves that WAL arrives in the repository.
final class ArchiveProof {
    /// A segment usually arrives within some of the first steps; later ones spare the store.
    private static final Duration STEP = Duration.ofMillis(10);

    private static final int LONGEST_STEPS = 25;

    private final WalArchive archive;
    private final WalSegment awaited;
    private final Duration timeout;
    private final Waiter waiter = Waiter.sleeping(STEP);

    private ArchiveProof(WalArchive archive, WalSegment awaited, Duration timeout) {
        this.archive = archive;
        this.awaited = awaited;
        this.timeout = timeout;
    }

    /// Has the server end the segment it is writing.
    static ArchiveProof begin(
            WalArchive archive,
            ControlFile control,
            ClusterBackup.Request request,
            Connection sql) {
        try (Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT pg_create_restore_point('mainstay archive check'),"
                                        + " pg_switch_wal()")) {
            row.next();
            Lsn switched = Lsn.parse(row.getString(2));
            WalSegment segment =
                    WalSegment.containing(
                            control.checkpoint().timeline(),
                            switched.plus(-1),
                            control.layout().walSegmentSizeBytes());
            return new ArchiveProof(archive, segment, request.archiveTimeout());
        } catch (SQLException failed) {
            throw SqlSession.failure("switching to a new WAL segment", failed);
        }
    }

    /// The segment has to arrive, or the backup would be worth nothing.
    ///
    /// @throws MainstayException BACKUP_ARCHIVE_DEAD if it does not in time
    void segmentArrives() {
        await(awaited);
    }

    /// Waits for all WAL that a restore needs to become consistent.
    ///
    /// @throws MainstayException BACKUP_ARCHIVE_DEAD if some does not arrive in time
    void complete(WalSegment first, Lsn stop) {
        WalSegment last = WalSegment.containing(first.timeline(), stop.plus(-1), first.sizeBytes());
        for (WalSegment next = first; next.number() <= last.number(); next = next.next()) {
            await(next);
        }
    }

    private void await(WalSegment segment) {
        long deadline = System.nanoTime() + timeout.toNanos();
        for (int attempt = 1; !archive.has(segment); attempt++) {
            if (System.nanoTime() > deadline) {
                throw new MainstayException(
                        ErrorCode.BACKUP_ARCHIVE_DEAD,
                        "WAL segment "
                                + segment
                                + " did not arrive in the repository within "
                                + timeout.toSeconds()
                                + " s");
            }
            waiter.await(Math.min(attempt, LONGEST_STEPS));
        }
    }
}
