package dev.mainstay.engine.check;

import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.cluster.Preflight;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ReplicationConnection;
import dev.mainstay.postgres.protocol.ReplicationOptions;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.postgres.protocol.SystemIdentity;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Whether backups can read the standby. Where the primary may take its place, what is wrong is a
/// warning.
final class StandbyProbe {
    private static final String ID = "standby";
    private static final Duration LIVENESS = Duration.ofSeconds(20);

    private final PostgresSettings.Standby standby;
    private final ConnectionSpec spec;
    private final InstantSource clock;
    private final Waiter waiter;
    private final List<Finding> findings = new ArrayList<>();

    StandbyProbe(
            PostgresSettings.Standby standby,
            ConnectionSpec spec,
            InstantSource clock,
            Waiter waiter) {
        this.standby = standby;
        this.spec = spec;
        this.clock = clock;
        this.waiter = waiter;
    }

    /// @param primary as its replication connection said, if one could be opened
    List<Finding> look(Optional<SystemIdentity> primary) throws SQLException {
        try (Connection connection = SqlSession.openSql(spec, SourceLook.APPLICATION)) {
            Preflight.inspectStandby(connection, standby.dataDirectory(), waiter)
                    .findings()
                    .forEach(each -> wrong(each.text(), each.whatToDo()));
            String at = replayed(connection);
            primary.ifPresent(this::compare);
            if (findings.isEmpty()) {
                findings.add(
                        Finding.ok(
                                ID,
                                "backups read standby "
                                        + spec
                                        + ", which has replayed WAL up to "
                                        + at
                                        + (standby.required() ? "" : ", if it can be read")));
            }
        } catch (MainstayException failed) {
            wrong(failed.code().id() + ": " + failed.getMessage(), failed.hint());
        }
        return findings;
    }

    /// Also what a backup over the replication protocol opens.
    private void compare(SystemIdentity primary) {
        try (ReplicationConnection server =
                ReplicationConnection.open(
                        spec.withApplicationName(SourceLook.APPLICATION),
                        ReplicationOptions.of(clock).withLiveness(LIVENESS))) {
            SystemId system = server.identifySystem().systemId();
            if (!system.equals(primary.systemId())) {
                wrong(
                        "it is of system "
                                + system
                                + ", the primary of system "
                                + primary.systemId(),
                        "both urls must lead to servers of one cluster");
            }
        } catch (MainstayException failed) {
            if (standby.dataDirectory().isEmpty()) {
                throw failed;
            }
        }
    }

    private String replayed(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT pg_catalog.pg_is_in_recovery(),"
                                        + " pg_catalog.pg_last_wal_replay_lsn()::text")) {
            row.next();
            if (!row.getBoolean(1)) {
                wrong("it is a primary", "name a standby, or set backup-from: primary");
            }
            return String.valueOf(row.getString(2));
        }
    }

    private void wrong(String text, String whatToDo) {
        findings.add(
                standby.required()
                        ? Finding.error(ID, "the standby cannot be backed up: " + text, whatToDo)
                        : Finding.warning(
                                ID, "backups read the primary: the standby: " + text, whatToDo));
    }
}
