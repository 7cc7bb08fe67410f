package dev.mainstay.engine.check;

import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.postgres.cluster.ConfigurationFiles;
import dev.mainstay.postgres.cluster.ConfigurationOnServer;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.cluster.Preflight;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ReplicationConnection;
import dev.mainstay.postgres.protocol.ReplicationOptions;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.postgres.protocol.SystemIdentity;
import dev.mainstay.repository.Repository;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One round of looks at a source, from its files to what could be restored of it.
final class SourceLook {
    static final String APPLICATION = "mainstay check";
    private static final Duration LIVENESS = Duration.ofSeconds(20);

    private final String name;
    private final ConnectionSpec spec;
    private final ReceiverSettings receiver;
    private final boolean lagLimited;
    private final Optional<Path> dataDirectory;
    private final Optional<StandbyProbe> standby;
    private final Optional<Repository> repository;
    private final InstantSource clock;
    private final Waiter waiter = Waiter.sleeping(Duration.ofMillis(50));
    private final SameCluster clusters;
    private final Findings findings = new Findings();
    private @Nullable SystemIdentity identity;
    private boolean usesReceiver = true;

    SourceLook(
            CheckedSource source,
            Optional<Repository> repository,
            InstantSource clock,
            SameCluster clusters) {
        this.clusters = clusters;
        this.name = source.name();
        this.spec = source.connection();
        this.receiver = source.settings().receiver();
        this.lagLimited = source.settings().limits().maxReplicationLag().isPresent();
        this.dataDirectory = source.settings().dataDirectory();
        this.repository = repository;
        this.clock = clock;
        this.standby =
                source.standby()
                        .map(
                                there ->
                                        new StandbyProbe(
                                                source.settings().standby().orElseThrow(),
                                                there,
                                                clock,
                                                waiter));
    }

    List<Finding> look() {
        if (dataDirectory.isEmpty()) {
            findings.add(
                    Finding.ok(
                            "data-directory",
                            "without data-directory, backups come over the replication protocol;"
                                    + " the server's files and their space are not looked at"));
        }
        dataDirectory.ifPresent(
                directory ->
                        findings.look(
                                "files",
                                "every directory of " + directory + " can be read",
                                () -> Preflight.files(directory, waiter)));
        findings.look("connection", this::server);
        findings.look("replication", this::replication);
        Optional.ofNullable(identity)
                .map(SystemIdentity::systemId)
                .ifPresent(
                        system ->
                                findings.look(
                                        "same-cluster",
                                        () -> clusters.look(name, system, repository)));
        standby.ifPresent(
                probe -> findings.look("standby", () -> probe.look(Optional.ofNullable(identity))));
        if (usesReceiver) {
            findings.look("space-spool", () -> SpaceProbe.spool(receiver));
        }
        repository.ifPresent(
                open ->
                        findings.look(
                                "backup",
                                () ->
                                        new HistoryProbe(name, clock.instant())
                                                .look(
                                                        open.source(name),
                                                        Optional.ofNullable(identity))));
        return findings.all();
    }

    /// All that is asked over one session. Where there is none, that is what is found.
    private List<Finding> server() throws SQLException {
        try (Connection connection = SqlSession.openSql(spec, APPLICATION)) {
            findings.add(
                    Finding.ok(
                            "connection",
                            "PostgreSQL "
                                    + connection.getMetaData().getDatabaseProductVersion()
                                    + " answers "
                                    + spec));
            asked(connection);
            return List.of();
        } catch (MainstayException failed) {
            return List.of(
                    Finding.error(
                            "connection",
                            failed.code().id() + ": " + failed.getMessage(),
                            loginHint(failed)),
                    Finding.warning(
                            "not-looked-at",
                            "without a connection nothing can be said of rights, settings,"
                                    + " archiving, the slot and the clock",
                            "put the connection right and check again"));
        }
    }

    /// `check --fix` grants rights, but a role it cannot log in as is not its to make: whoever
    /// makes it chooses its password.
    private String loginHint(MainstayException failed) {
        String text = String.valueOf(failed.getMessage());
        if (text.contains("no password was provided")) {
            return "put its password into ~/.pgpass, PGPASSWORD or 'password' beside the url; if"
                    + " there is no such role yet, as a superuser: "
                    + makingRole();
        }
        return text.contains("role \"" + spec.user() + "\" does not exist")
                ? "as a superuser: " + makingRole()
                : failed.hint();
    }

    private String makingRole() {
        return "CREATE ROLE \""
                + spec.user().replace("\"", "\"\"")
                + "\" LOGIN REPLICATION PASSWORD '…'; then: mainstay check "
                + name
                + " --fix --admin-url URL";
    }

    private void asked(Connection connection) {
        findings.look(
                "server",
                "the server is a primary of a supported version",
                () -> Preflight.server(connection));
        dataDirectory.ifPresent(
                directory -> {
                    findings.look(
                            "cluster-mismatch",
                            "the server works on " + directory,
                            () -> Preflight.sameCluster(connection, directory, waiter));
                    findings.look(
                            "configuration",
                            "the configuration outside the data directory can be read",
                            () -> configuration(connection, directory));
                });
        if (dataDirectory.isEmpty()) {
            findings.look(
                    "configuration",
                    "the configuration outside the data directory can be read by the server's"
                            + " functions",
                    () -> configurationOnServer(connection));
        }
        findings.look("tls", () -> TlsProbe.look(connection, spec.sslMode()));
        findings.look(
                "rights",
                "role " + spec.user() + " may do what backups and the receiver do",
                () ->
                        dataDirectory.isPresent()
                                ? Preflight.rights(connection)
                                : Preflight.streamedRights(connection));
        if (lagLimited) {
            findings.look(
                    "right-lag",
                    "role " + spec.user() + " may see the lag that max-replication-lag limits",
                    () -> lag(connection));
        }
        findings.look(
                "settings",
                "wal_level, checksums and limits serve",
                () -> Preflight.settings(connection));
        findings.look("archiving", () -> archiving(connection));
        findings.look("clock", () -> ClockProbe.look(connection, clock));
    }

    private List<Finding> lag(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')")) {
            row.next();
            return row.getBoolean(1)
                    ? List.of()
                    : List.of(
                            Finding.error(
                                    "right-lag",
                                    "role "
                                            + spec.user()
                                            + " may not see the lag that max-replication-lag"
                                            + " limits",
                                    "as a superuser: GRANT pg_read_all_stats TO " + spec.user()));
        }
    }

    private static List<Finding> configuration(Connection connection, Path directory) {
        return ConfigurationFiles.read(connection, directory).unreadable().stream()
                .map(
                        file ->
                                Finding.warning(
                                        "configuration",
                                        "backups lack " + file.path() + ": " + file.reason(),
                                        "let the user who runs Mainstay read it"))
                .toList();
    }

    private static List<Finding> configurationOnServer(Connection connection) {
        return ConfigurationOnServer.read(connection).unreadable().stream()
                .map(
                        file ->
                                Finding.warning(
                                        "configuration",
                                        "backups lack " + file.path() + ": " + file.reason(),
                                        ConfigurationOnServer.RIGHTS))
                .toList();
    }

    private List<Finding> archiving(Connection connection) throws SQLException {
        ServerView view = ServerView.read(connection, receiver.slot());
        findings.look("archiving", () -> new ArchivingProbe(name, view, dataDirectory).look());
        usesReceiver = Archiving.of(view).usesReceiver(view);
        if (usesReceiver) {
            findings.look("slot", () -> SlotProbe.look(name, receiver.slot(), view));
            findings.look(
                    "rpo", () -> SynchronousProbe.look(spec, dataDirectory, receiver.slot(), view));
        }
        return List.of();
    }

    /// Opens what the receiver opens, as it opens it; only the name differs, so that the server
    /// never takes this for the receiver.
    private List<Finding> replication() {
        List<Finding> found = new ArrayList<>();
        try (ReplicationConnection server =
                ReplicationConnection.open(
                        spec.withApplicationName(APPLICATION),
                        ReplicationOptions.of(clock).withLiveness(LIVENESS))) {
            SystemIdentity answer = server.identifySystem();
            identity = answer;
            Optional<SystemId> local = localSystem();
            if (local.isPresent() && !local.get().equals(answer.systemId())) {
                found.add(
                        Finding.error(
                                "replication",
                                "the replication connection leads to system "
                                        + answer.systemId()
                                        + ", the data directory is of system "
                                        + local.get(),
                                "url and data-directory must name the same server"));
            } else {
                found.add(
                        Finding.ok(
                                "replication",
                                "a replication connection opens: system "
                                        + answer.systemId()
                                        + ", timeline "
                                        + answer.timeline()
                                        + ", "
                                        + answer.flushed()));
            }
        } catch (MainstayException failed) {
            Finding failure = Findings.failure("replication", failed);
            found.add(
                    Finding.error(
                            failure.id(),
                            "no replication connection: " + failure.text(),
                            hint(failed)));
        }
        return found;
    }

    private String hint(MainstayException failed) {
        return switch (failed.code()) {
            case SERVER_LOGIN_REFUSED ->
                    failed.hint()
                            + "; it takes a line like 'host replication "
                            + spec.user()
                            + " samehost scram-sha-256'";
            default -> failed.hint();
        };
    }

    private Optional<SystemId> localSystem() {
        try {
            return dataDirectory.map(directory -> ControlFile.read(directory, waiter).systemId());
        } catch (MainstayException unreadable) {
            return Optional.empty(); // said when the files were looked at
        }
    }
}
