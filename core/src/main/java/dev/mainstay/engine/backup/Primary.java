package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.cluster.BackupSession;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Objects;

/// The primary of a standby that is backed up: asked for what a standby cannot do. For one thread.
final class Primary {
    private final ConnectionSpec connection;
    private final Connection sql;

    /// @param sql a session to it; its owner closes it
    Primary(ConnectionSpec connection, Connection sql) {
        this.connection = connection;
        this.sql = sql;
    }

    Connection sql() {
        return sql;
    }

    /// Has a checkpoint made, so that the standby can begin at a restart point which lies behind
    /// all that was backed up before: then the log tells what changed, and all of it is still to be
    /// archived. A backup that is begun and given up does that; a role without the right to begin
    /// one goes on from the last checkpoint there was.
    void checkpoint() {
        try (BackupSession session =
                BackupSession.open(SqlSession.openSql(connection, ClusterBackup.APPLICATION))) {
            if (session.mayStart()) {
                session.start("mainstay checkpoint", true);
            }
        }
    }

    /// @throws MainstayException BACKUP_STANDBY_UNFIT if the standby is of another cluster
    void requireSame(SystemId standby) {
        SystemId system =
                SystemId.of(
                        Long.parseLong(
                                value(
                                        "asking the primary for its system identifier",
                                        "SELECT system_identifier"
                                                + " FROM pg_catalog.pg_control_system()")));
        if (!system.equals(standby)) {
            throw new MainstayException(
                    ErrorCode.BACKUP_STANDBY_UNFIT,
                    "the standby is of system " + standby + ", the primary of system " + system,
                    "url and the url of standby must lead to servers of one cluster",
                    null);
        }
    }

    /// @throws MainstayException CHECK_FAILED if it is a standby itself
    TimelineId timeline() {
        String recovering =
                value(
                        "asking the primary what it is",
                        "SELECT pg_catalog.pg_is_in_recovery()::text");
        if (recovering.equals("true")) {
            throw new MainstayException(
                    ErrorCode.CHECK_FAILED,
                    "the server of url is a standby",
                    "name the primary in url, and the standby in standby",
                    null);
        }
        String file =
                value(
                        "asking the primary for its timeline",
                        "SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn())");
        return TimelineId.parseHex(file.substring(0, 8));
    }

    /// Has the server end the segment it is writing: else it might not be archived for hours.
    void endSegment() {
        value("switching to a new WAL segment", "SELECT pg_catalog.pg_switch_wal()::text");
    }

    /// Commits carry this clock's time.
    Instant time() {
        try (Statement statement = sql.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_catalog.clock_timestamp()")) {
            row.next();
            return Objects.requireNonNull(row.getObject(1, OffsetDateTime.class)).toInstant();
        } catch (SQLException failed) {
            throw SqlSession.failure("asking the primary for the time", failed);
        }
    }

    private String value(String doing, String query) {
        try (Statement statement = sql.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return Objects.requireNonNull(row.getString(1));
        } catch (SQLException failed) {
            throw SqlSession.failure(doing, failed);
        }
    }
}
