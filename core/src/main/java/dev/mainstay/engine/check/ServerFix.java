package dev.mainstay.engine.check;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.cluster.Preflight;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Runs the statements of findings on the server they were found on: in the same database of the
/// same running server, proved before the first of them.
public final class ServerFix {
    private static final String APPLICATION = "mainstay check --fix";

    private final CheckedSource source;
    private final ConnectionSpec admin;
    private final Waiter waiter = Waiter.sleeping(Duration.ofMillis(50));

    /// @param admin a login with the rights to put things right; its database does not matter, the
    ///   source's is used
    public ServerFix(CheckedSource source, ConnectionSpec admin) {
        this.source = source;
        this.admin = admin.withDatabase(source.connection().database());
    }

    /// Runs what the findings say.
    ///
    /// @return those that hold only after a restart of the server
    /// @throws MainstayException BACKUP_CLUSTER_MISMATCH, before anything is run, if the login
    ///   leads to another server, or cannot be proved to lead to this one
    public List<Finding> run(List<Finding> findings) {
        try (Connection sql = SqlSession.openSql(admin, APPLICATION)) {
            requireSameServer(sql);
            return Preflight.fix(sql, findings, waiter);
        } catch (SQLException failed) {
            throw SqlSession.failure("closing the connection of " + admin.user(), failed);
        }
    }

    /// A standby has its primary's system identifier; the time of start tells them apart.
    private record Running(SystemId system, String started) {}

    private void requireSameServer(Connection sql) throws SQLException {
        Running there = running(sql);
        Optional<MainstayException> unreachable = Optional.empty();
        try (Connection own = SqlSession.openSql(source.connection(), APPLICATION)) {
            if (!started(own).equals(there.started)) {
                throw other("a server that was started at " + there.started);
            }
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.BACKUP_CLUSTER_MISMATCH) {
                throw failed;
            }
            unreachable = Optional.of(failed);
        }
        Optional<SystemId> files =
                source.settings()
                        .dataDirectory()
                        .map(directory -> ControlFile.read(directory, waiter).systemId());
        if (files.isPresent() && !files.get().equals(there.system)) {
            throw other("system " + there.system + ", not system " + files.get());
        }
        if (unreachable.isPresent() && files.isEmpty()) {
            throw unreachable.get();
        }
    }

    private MainstayException other(String what) {
        return new MainstayException(
                ErrorCode.BACKUP_CLUSTER_MISMATCH,
                admin + " is another server than that of source " + source.name() + ": " + what,
                "name the same server with --admin-url; nothing was changed",
                null);
    }

    private static Running running(Connection sql) throws SQLException {
        try (Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT system_identifier FROM pg_catalog.pg_control_system()")) {
            row.next();
            return new Running(SystemId.of(row.getLong(1)), started(sql));
        }
    }

    private static String started(Connection sql) throws SQLException {
        try (Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT extract(epoch FROM"
                                        + " pg_catalog.pg_postmaster_start_time())::text")) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }
}
