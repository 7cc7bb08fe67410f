package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Objects;
import java.util.Optional;

/// A non-exclusive backup of a running server: from [#start] to [#stop] the server keeps full page
/// images in WAL, so that files copied meanwhile can be recovered. The server ends the backup by
/// itself when the connection ends, so the connection has to live as long as the copying.
///
/// Safe for several threads; they wait for each other. Every method throws BACKUP_SERVER_STOPPED
/// when the connection is lost, SERVER_RIGHT_MISSING or SERVER_QUERY_FAILED when the server
/// refuses.
public final class BackupSession implements AutoCloseable {
    /// @param lsn replay has to begin here
    /// @param segment contains `lsn`; WAL is needed from its first byte on
    public record Start(Lsn lsn, TimelineId timeline, WalSegment segment, Instant time) {}

    /// @param lsn a restore is consistent once this is replayed
    /// @param backupLabel content of the file of this name
    /// @param tablespaceMap content of the file of this name; empty without tablespaces
    public record Stop(
            Lsn lsn, BackupLabel label, String backupLabel, String tablespaceMap, Instant time) {}

    private final Connection connection;
    private final ServerVersion version;
    private final boolean standby;
    private Optional<Start> started = Optional.empty();

    private BackupSession(Connection connection, ServerVersion version, boolean standby) {
        this.connection = connection;
        this.version = version;
        this.standby = standby;
    }

    /// Takes over `connection`, to close it in the end, or where this fails.
    ///
    /// @throws MainstayException SERVER_VERSION_UNSUPPORTED, CHECK_FAILED if the server is a
    ///   standby
    public static BackupSession open(Connection connection) {
        return open(connection, false);
    }

    /// The same with a standby.
    ///
    /// @throws MainstayException SERVER_VERSION_UNSUPPORTED, BACKUP_STANDBY_UNFIT if the server is
    ///   none
    public static BackupSession openStandby(Connection connection) {
        return open(connection, true);
    }

    private static BackupSession open(Connection connection, boolean standby) {
        try {
            return prepare(connection, standby);
        } catch (RuntimeException | Error failed) {
            try {
                connection.close();
            } catch (SQLException alsoFailed) {
                failed.addSuppressed(alsoFailed);
            }
            throw failed;
        }
    }

    private static BackupSession prepare(Connection connection, boolean standby) {
        try (Statement statement = connection.createStatement()) {
            connection.setAutoCommit(true);
            // A backup takes hours, and its session is idle most of the time.
            statement.execute("SET statement_timeout = 0");
            statement.execute("SET lock_timeout = 0");
            statement.execute("SET idle_session_timeout = 0");
            statement.execute("SET search_path = pg_catalog");
            BackupSession session =
                    new BackupSession(
                            connection,
                            ServerVersion.ofServerVersionNum(
                                    Integer.parseInt(value(statement, "SHOW server_version_num"))),
                            standby);
            if (isInRecovery(statement) && !standby) {
                throw Preflight.standby();
            }
            if (!isInRecovery(statement) && standby) {
                throw new MainstayException(
                        ErrorCode.BACKUP_STANDBY_UNFIT,
                        "the server that is configured as the standby is a primary");
            }
            return session;
        } catch (SQLException e) {
            throw ServerFailure.of("prepare the backup session", e);
        }
    }

    private static boolean isInRecovery(Statement statement) throws SQLException {
        return value(statement, "SELECT pg_catalog.pg_is_in_recovery()").equals("t");
    }

    public ServerVersion version() {
        return version;
    }

    public boolean isStandby() {
        return standby;
    }

    /// Whether the role may start a backup.
    public synchronized boolean mayStart() {
        try {
            for (String function : version.backupFunctions()) {
                if (!ServerRights.mayExecute(connection, function)) {
                    return false;
                }
            }
            return true;
        } catch (SQLException e) {
            throw ServerFailure.of("ask for the right to start a backup", e);
        }
    }

    /// Waits for a checkpoint, then tells the server that files are going to be copied.
    ///
    /// @param label one line of printable text; ends up in `backup_label`
    /// @param fast makes the checkpoint at once rather than spread over the usual time
    public synchronized Start start(String label, boolean fast) {
        if (label.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("a backup label is one line of text");
        }
        if (started.isPresent()) {
            throw new IllegalStateException("the backup is already under way");
        }
        try (PreparedStatement statement = connection.prepareStatement(version.startBackupSql())) {
            statement.setString(1, label);
            statement.setBoolean(2, fast);
            Lsn lsn;
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                lsn = Lsn.parse(text(row, 1));
            }
            Start start = describe(lsn);
            started = Optional.of(start);
            return start;
        } catch (SQLException e) {
            throw ServerFailure.of("start the backup", e);
        }
    }

    /// Ends the backup without waiting for the archive; the files of the result are not written by
    /// the server and belong into the backup.
    ///
    /// @throws MainstayException SERVER_PROTOCOL if the server speaks of another backup
    public synchronized Stop stop() {
        Start start = started.orElseThrow(() -> new IllegalStateException("no backup to stop"));
        try (Statement statement = connection.createStatement()) {
            Lsn lsn;
            String label;
            String map;
            requireNotPromoted(statement);
            try (ResultSet row = statement.executeQuery(version.stopBackupSql())) {
                row.next();
                lsn = Lsn.parse(text(row, 1));
                label = text(row, 2);
                map = Objects.requireNonNullElse(row.getString(3), "");
            }
            started = Optional.empty();
            BackupLabel parsed = BackupLabel.parse(label);
            if (!parsed.start().equals(start.lsn())
                    || !parsed.timeline().equals(start.timeline())) {
                throw new MainstayException(
                        ErrorCode.SERVER_PROTOCOL,
                        "the server ended a backup from "
                                + parsed.start()
                                + " on timeline "
                                + parsed.timeline()
                                + ", but "
                                + start
                                + " was started");
            }
            return new Stop(lsn, parsed, label, map, serverTime());
        } catch (SQLException e) {
            throw ServerFailure.of("end the backup", e);
        }
    }

    /// No page on disk can carry a later LSN than this. On a standby WAL is on disk before it is
    /// replayed; one that fetches WAL from an archive knows only what is replayed.
    ///
    /// @throws MainstayException BACKUP_STANDBY_UNFIT if a standby was promoted: its pages are of a
    ///   timeline of its own now
    public synchronized Lsn currentInsertLsn() {
        try (Statement statement = connection.createStatement()) {
            requireNotPromoted(statement);
            return Lsn.parse(
                    value(
                            statement,
                            standby
                                    ? "SELECT greatest(pg_catalog.pg_last_wal_receive_lsn(),"
                                            + " pg_catalog.pg_last_wal_replay_lsn())"
                                    : "SELECT pg_catalog.pg_current_wal_insert_lsn()"));
        } catch (SQLException e) {
            throw ServerFailure.of("ask for the insert position", e);
        }
    }

    public synchronized Instant serverTime() {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_catalog.clock_timestamp()")) {
            row.next();
            return Objects.requireNonNull(row.getObject(1, OffsetDateTime.class)).toInstant();
        } catch (SQLException e) {
            throw ServerFailure.of("ask for the time", e);
        }
    }

    /// Ends the session; a backup that was not stopped is void.
    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw ServerFailure.of("close the backup session", e);
        }
    }

    private Start describe(Lsn lsn) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            int segmentBytes =
                    Integer.parseInt(
                            value(
                                    statement,
                                    "SELECT setting FROM pg_catalog.pg_settings"
                                            + " WHERE name = 'wal_segment_size'"));
            TimelineId timeline = timeline(statement, lsn);
            return new Start(
                    lsn,
                    timeline,
                    WalSegment.containing(timeline, lsn, segmentBytes),
                    serverTime());
        }
    }

    private void requireNotPromoted(Statement statement) throws SQLException {
        if (standby && !isInRecovery(statement)) {
            throw new MainstayException(
                    ErrorCode.BACKUP_STANDBY_UNFIT,
                    "the standby was promoted while it was backed up",
                    "take the backup again; name the new primary in url",
                    null);
        }
    }

    /// A standby does not name files of WAL; it began at its last restart point. That this still is
    /// the last one [#stop] proves, with the label.
    private TimelineId timeline(Statement statement, Lsn lsn) throws SQLException {
        if (standby) {
            String id =
                    value(statement, "SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()");
            return TimelineId.of(Integer.parseInt(id));
        }
        String walFile =
                value(statement, "SELECT pg_catalog.pg_walfile_name('" + lsn + "'::pg_lsn)");
        return TimelineId.parseHex(walFile.substring(0, 8));
    }

    static String value(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            row.next();
            return text(row, 1);
        }
    }

    private static String text(ResultSet row, int column) throws SQLException {
        return Objects.requireNonNull(row.getString(column), "a null from the server");
    }
}
