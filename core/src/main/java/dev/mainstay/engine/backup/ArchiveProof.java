package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
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
    private static final Duration STEP = Duration.ofMillis(5);

    private static final int LONGEST_STEPS = 50;

    /// A receiver that was started at the same moment needs so long to connect.
    private static final Duration BEGINNING = Duration.ofSeconds(10);

    /// What is proved of which source, and how.
    ///
    /// @param source its name
    /// @param slot name of its receiver's replication slot
    record Subject(String source, String slot, WalArchive archive, Connection sql) {}

    private final Subject subject;
    private final Lsn end;
    private final WalSegment awaited;
    private final Duration timeout;
    private final Waiter waiter;

    private ArchiveProof(
            Subject subject, Lsn end, WalSegment awaited, Duration timeout, Waiter waiter) {
        this.subject = subject;
        this.end = end;
        this.awaited = awaited;
        this.timeout = timeout;
        this.waiter = waiter;
    }

    /// Sees that somebody archives, and has the server end the segment it is writing. In this
    /// order: a receiver that makes its slot later would not store that segment.
    ///
    /// @throws MainstayException BACKUP_ARCHIVE_DEAD if nobody is there who could store WAL
    static ArchiveProof begin(
            Subject subject, Origin origin, ClusterBackup.Request request, Progress progress) {
        Waiter waiter = Waiter.sleeping(STEP);
        awaitSomebody(subject, origin, request.archiveTimeout(), waiter, progress);
        try (Statement statement = subject.sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT pg_create_restore_point('mainstay archive check'),"
                                        + " pg_switch_wal()")) {
            row.next();
            Lsn end = Lsn.parse(row.getString(2));
            return new ArchiveProof(
                    subject, end, segment(origin, end), request.archiveTimeout(), waiter);
        } catch (SQLException failed) {
            throw SqlSession.failure("switching to a new WAL segment", failed);
        }
    }

    private static WalSegment segment(Origin origin, Lsn end) {
        return WalSegment.containing(
                origin.timeline(), end.plus(-1), origin.layout().walSegmentSize());
    }

    private static void awaitSomebody(
            Subject subject, Origin origin, Duration timeout, Waiter waiter, Progress progress) {
        Duration patience = timeout.compareTo(BEGINNING) < 0 ? timeout : BEGINNING;
        long deadline = System.nanoTime() + patience.toNanos();
        for (int attempt = 1; ; attempt++) {
            ArchiverLook look = ArchiverLook.at(subject.sql, subject.slot);
            if (look.isSomebodyThere() || isFedFromElsewhere(subject, origin)) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new MainstayException(
                        ErrorCode.BACKUP_ARCHIVE_DEAD,
                        "nobody stores the WAL of " + subject.source + ": " + look.text(),
                        look.hint(subject.source),
                        null);
            }
            if (attempt == 1) {
                progress.note(
                        "waiting up to "
                                + patience.toSeconds()
                                + " s for a receiver: "
                                + look.text());
            }
            waiter.await(Math.min(attempt, LONGEST_STEPS));
        }
    }

    /// WAL may come by ways this server does not show, such as from a standby of it: the segment
    /// before the one that is written is the evidence.
    private static boolean isFedFromElsewhere(Subject subject, Origin origin) {
        try (Statement statement = subject.sql.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_current_wal_insert_lsn()")) {
            row.next();
            WalSegment now = segment(origin, Lsn.parse(row.getString(1)));
            return now.number() > 0
                    && subject.archive.has(
                            new WalSegment(now.timeline(), now.number() - 1, now.sizeBytes()));
        } catch (SQLException failed) {
            throw SqlSession.failure("asking for the position of WAL", failed);
        }
    }

    /// Where the segment ends that has to arrive.
    Lsn end() {
        return end;
    }

    /// The segment has to arrive, or the backup would be worth nothing.
    ///
    /// @throws MainstayException BACKUP_ARCHIVE_DEAD if it does not in time
    void segmentArrives() {
        await(awaited);
    }

    /// Waits for a segment that the server may still be writing: has it end there if it is not
    /// stored already.
    ///
    /// @throws MainstayException BACKUP_ARCHIVE_DEAD if it does not arrive in time
    void segmentEnds(WalSegment segment) {
        if (subject.archive.has(segment)) {
            return;
        }
        try (Statement statement = subject.sql.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_catalog.pg_switch_wal()")) {
            row.next();
        } catch (SQLException failed) {
            throw SqlSession.failure("switching to a new WAL segment", failed);
        }
        await(segment);
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
        for (int attempt = 1; !subject.archive.has(segment); attempt++) {
            if (System.nanoTime() > deadline) {
                ArchiverLook look = ArchiverLook.at(subject.sql, subject.slot);
                throw new MainstayException(
                        ErrorCode.BACKUP_ARCHIVE_DEAD,
                        "WAL segment "
                                + segment
                                + " of "
                                + subject.source
                                + " did not arrive in the repository within "
                                + timeout.toSeconds()
                                + " s: "
                                + look.text(),
                        look.hint(subject.source),
                        null);
            }
            waiter.await(Math.min(attempt, LONGEST_STEPS));
        }
    }
}
