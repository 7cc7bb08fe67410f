package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.postgres.cluster.BackupSession;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ReplicationConnection;
import dev.mainstay.postgres.protocol.ReplicationOptions;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.postgres.protocol.SystemIdentity;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.Set;

/// A server whose files come over a replication connection, and SQL sessions to the same server for
/// all that the replication protocol cannot be asked.
final class StreamedServer implements AutoCloseable {
    private static final int OWNER_ONLY = 0700;

    private ReplicationConnection stream;
    private final ReplicationOptions options;
    private final ConnectionSpec connection;
    private final Connection sql;
    private final BackupSession session;
    private final SystemIdentity identity;

    private StreamedServer(
            ReplicationConnection stream,
            ReplicationOptions options,
            ConnectionSpec connection,
            Connection sql,
            BackupSession session) {
        this.stream = stream;
        this.options = options;
        this.connection = connection;
        this.sql = sql;
        this.session = session;
        this.identity = stream.identifySystem();
    }

    /// Of several hosts the replication connection decides; a session that may lead to another one
    /// is not used.
    ///
    /// @param given a session by the same spec; its owner closes it
    /// @param stream its owner closes it
    /// @param options for another one
    static StreamedServer open(
            BackupSession given,
            Node node,
            ConnectionSpec connection,
            ReplicationConnection stream,
            ReplicationOptions options) {
        ConnectionSpec there = connection.withHost(stream.host());
        if (connection.hosts().size() == 1) {
            return checked(new StreamedServer(stream, options, there, node.sql(), given));
        }
        Connection own = SqlSession.openSql(there, ClusterBackup.APPLICATION);
        BackupSession session = node.open(own);
        try {
            return checked(new StreamedServer(stream, options, there, own, session));
        } catch (RuntimeException | Error failed) {
            session.close();
            throw failed;
        }
    }

    /// The same address may lead to different servers, behind a pooler or a virtual address.
    private static StreamedServer checked(StreamedServer server) {
        try (Statement statement = server.sql.createStatement()) {
            Optional<SystemId> system = server.systemId(statement);
            if (system.isPresent() && !system.get().equals(server.identity.systemId())) {
                throw new MainstayException(
                        ErrorCode.BACKUP_CLUSTER_MISMATCH,
                        "the replication connection leads to system "
                                + server.identity.systemId()
                                + ", a SQL session to system "
                                + system.get(),
                        "url must lead to one server, whatever is asked of it",
                        null);
            }
            return server;
        } catch (SQLException failed) {
            throw SqlSession.failure("asking for the system identifier", failed);
        }
    }

    private Optional<SystemId> systemId(Statement statement) throws SQLException {
        String allowed =
                "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()',"
                        + " 'EXECUTE')";
        try (ResultSet row = statement.executeQuery(allowed)) {
            row.next();
            if (!row.getBoolean(1)) {
                return Optional.empty();
            }
        }
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT system_identifier FROM pg_catalog.pg_control_system()")) {
            row.next();
            return Optional.of(SystemId.of(row.getLong(1)));
        }
    }

    ReplicationConnection stream() {
        return stream;
    }

    /// Connects once more, to the same host, for a second stream.
    ///
    /// @throws MainstayException BACKUP_CLUSTER_MISMATCH if another cluster is there now
    void reconnect() {
        stream.close();
        stream =
                ReplicationConnection.open(
                        connection.withApplicationName(ClusterBackup.APPLICATION), options);
        SystemIdentity now = stream.identifySystem();
        if (!now.systemId().equals(identity.systemId())) {
            throw new MainstayException(
                    ErrorCode.BACKUP_CLUSTER_MISMATCH,
                    "the replication connection led to system "
                            + identity.systemId()
                            + " and leads to system "
                            + now.systemId()
                            + " now");
        }
    }

    /// The server's processes that serve this backup.
    Set<Integer> processes() {
        try (Statement statement = sql.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_catalog.pg_backend_pid()")) {
            row.next();
            return Set.of(stream.serverProcess(), row.getInt(1));
        } catch (SQLException failed) {
            throw SqlSession.failure("asking for the number of this session", failed);
        }
    }

    /// Leads to this very server.
    ConnectionSpec connection() {
        return connection;
    }

    Connection sql() {
        return sql;
    }

    BackupSession session() {
        return session;
    }

    /// What the control file will say, in the end, is asked for before.
    Origin origin() {
        return new Origin(
                identity.systemId(),
                identity.timeline(),
                new BackupDetails.Layout(
                        number("block_size"),
                        number("segment_size"),
                        number("wal_segment_size"),
                        number("wal_block_size"),
                        required("data_checksums").equals("on")));
    }

    int dataDirectoryMode() {
        return setting("data_directory_mode")
                .map(octal -> Integer.parseInt(octal, 8))
                .orElse(OWNER_ONLY);
    }

    /// A setting in the units of `pg_settings`; empty if the role may not read it.
    Optional<String> setting(String name) {
        synchronized (session) { // other threads ask it for positions
            try (PreparedStatement ask =
                    sql.prepareStatement(
                            "SELECT setting FROM pg_catalog.pg_settings WHERE name = ?")) {
                ask.setString(1, name);
                try (ResultSet row = ask.executeQuery()) {
                    return row.next() ? Optional.ofNullable(row.getString(1)) : Optional.empty();
                }
            } catch (SQLException failed) {
                throw SqlSession.failure("asking for the setting " + name, failed);
            }
        }
    }

    private String required(String name) {
        return setting(name)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.SERVER_PROTOCOL,
                                        "the server has no setting " + name));
    }

    private int number(String name) {
        String value = required(name);
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException impossible) {
            throw new MainstayException(
                    ErrorCode.SERVER_PROTOCOL, name + " is '" + value + "'", impossible);
        }
    }

    /// Closes what this class opened.
    @Override
    public void close() {
        stream.close();
        session.close();
    }
}
