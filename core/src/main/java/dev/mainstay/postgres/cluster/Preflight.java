package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Looks, before anything is copied, whether a server and a local data directory belong together,
/// and what is missing for backups. Each part can be asked for alone; a part that finds nothing
/// wrong answers with no finding.
///
/// Rights on functions are granted per database: the connections given here, that of the backup and
/// that of [#fix] have to lead to the same database.
public final class Preflight {
    private static final String MISMATCH = "cluster-mismatch";
    private static final String VERSION = "version";
    private static final String CONTROL_FILE = "control-file";
    private static final int RELOAD_ATTEMPTS = 20;
    private static final String STANDBY_TEXT = "the server is a standby";
    private static final String STANDBY_HINT = "name the primary; backups come from there";

    /// All that was found, the worst first.
    public record Report(List<Finding> findings) {
        public Report {
            findings = List.copyOf(findings);
        }

        /// @throws MainstayException naming the first error: BACKUP_CLUSTER_MISMATCH if server and
        ///   directory are two clusters, BACKUP_CONTROL_FILE without a data directory,
        ///   BACKUP_FILE_UNREADABLE, SERVER_VERSION_UNSUPPORTED, SERVER_RIGHT_MISSING, CHECK_FAILED
        public void requireReady() {
            for (Finding finding : findings) {
                if (finding.isError()) {
                    throw new MainstayException(
                            code(finding), finding.text(), finding.whatToDo(), null);
                }
            }
        }

        private static ErrorCode code(Finding finding) {
            return switch (finding.id()) {
                case MISMATCH -> ErrorCode.BACKUP_CLUSTER_MISMATCH;
                case CONTROL_FILE -> ErrorCode.BACKUP_CONTROL_FILE;
                case VERSION -> ErrorCode.SERVER_VERSION_UNSUPPORTED;
                case ReadableFiles.ID -> ErrorCode.BACKUP_FILE_UNREADABLE;
                default ->
                        finding.id().startsWith("right-")
                                ? ErrorCode.SERVER_RIGHT_MISSING
                                : ErrorCode.CHECK_FAILED;
            };
        }
    }

    private Preflight() {}

    /// Every part.
    ///
    /// @param connection of the role that backs up
    public static Report inspect(Connection connection, Path dataDirectory, Waiter waiter) {
        List<Finding> findings = new ArrayList<>(files(dataDirectory, waiter));
        findings.addAll(sameCluster(connection, dataDirectory, waiter));
        findings.addAll(server(connection));
        findings.addAll(rights(connection));
        findings.addAll(settings(connection));
        return new Report(findings);
    }

    /// Every part that can be looked at from another host, for a backup over the replication
    /// protocol.
    public static Report inspectStreamed(Connection connection) {
        List<Finding> findings = new ArrayList<>(server(connection));
        findings.addAll(streamedRights(connection));
        findings.addAll(settings(connection));
        return new Report(findings);
    }

    /// Every part that matters on a standby; its primary is asked for itself.
    ///
    /// @param dataDirectory empty for a backup over the replication protocol
    public static Report inspectStandby(
            Connection connection, Optional<Path> dataDirectory, Waiter waiter) {
        List<Finding> findings = new ArrayList<>();
        dataDirectory.ifPresent(
                directory -> {
                    findings.addAll(files(directory, waiter));
                    findings.addAll(sameCluster(connection, directory, waiter));
                });
        findings.addAll(
                dataDirectory.isPresent() ? rights(connection) : streamedRights(connection));
        return new Report(findings);
    }

    /// Whether this user can read the data directory, and whether it is one of a supported version.
    public static List<Finding> files(Path dataDirectory, Waiter waiter) {
        List<Finding> findings = new ArrayList<>(ReadableFiles.findings(dataDirectory));
        try {
            ServerVersion.ofDataDirectory(dataDirectory);
            ControlFile.read(dataDirectory, waiter);
        } catch (MainstayException unusable) {
            if (unusable.code() == ErrorCode.INTERRUPTED) {
                throw unusable;
            }
            boolean version = unusable.code() == ErrorCode.SERVER_VERSION_UNSUPPORTED;
            String id = version ? VERSION : CONTROL_FILE;
            findings.add(Finding.error(id, text(unusable), unusable.hint()));
        }
        return findings;
    }

    /// Whether the server works on the directory; nothing is said of a directory that is none.
    public static List<Finding> sameCluster(
            Connection connection, Path dataDirectory, Waiter waiter) {
        ControlFile control;
        ServerVersion local;
        try {
            local = ServerVersion.ofDataDirectory(dataDirectory);
            control = ControlFile.read(dataDirectory, waiter);
        } catch (MainstayException unusable) {
            return List.of();
        }
        try {
            return compare(connection, control, dataDirectory, local);
        } catch (SQLException e) {
            throw ServerFailure.of("compare the server with " + dataDirectory, e);
        }
    }

    /// Whether the server is of a supported version and a primary.
    public static List<Finding> server(Connection connection) {
        try (Statement statement = connection.createStatement()) {
            List<Finding> findings = new ArrayList<>();
            if (version(statement).isEmpty()) {
                findings.add(
                        Finding.error(
                                VERSION,
                                "the server runs PostgreSQL "
                                        + BackupSession.value(statement, "SHOW server_version")
                                        + ", which is not supported",
                                ErrorCode.SERVER_VERSION_UNSUPPORTED.hint()));
            }
            if (BackupSession.value(statement, "SELECT pg_catalog.pg_is_in_recovery()")
                    .equals("t")) {
                findings.add(Finding.error("standby", STANDBY_TEXT, STANDBY_HINT));
            }
            return findings;
        } catch (SQLException e) {
            throw ServerFailure.of("ask the server what it is", e);
        }
    }

    /// What the role of the connection may not do and a backup or the receiver of WAL has to.
    public static List<Finding> rights(Connection connection) {
        return rights(connection, ServerVersion::backupFunctions);
    }

    /// The same for backups over the replication protocol.
    public static List<Finding> streamedRights(Connection connection) {
        return rights(connection, _ -> List.of());
    }

    private static List<Finding> rights(
            Connection connection, Function<ServerVersion, List<String>> functions) {
        try (Statement statement = connection.createStatement()) {
            Optional<ServerVersion> version = version(statement);
            return version.isPresent()
                    ? ServerRights.missing(connection, functions.apply(version.get()))
                    : List.of();
        } catch (SQLException e) {
            throw ServerFailure.of("ask for the role's rights", e);
        }
    }

    /// Settings of the server that do not serve.
    public static List<Finding> settings(Connection connection) {
        try {
            return ServerSettings.read(connection).findings();
        } catch (SQLException e) {
            throw ServerFailure.of("read the server's settings", e);
        }
    }

    /// Runs the statements of the findings, and has the server read its settings again; waits until
    /// it has.
    ///
    /// @param connection of a role that may do so, to the same server and database
    /// @return those that hold only after a restart of the server
    public static List<Finding> fix(Connection connection, List<Finding> findings, Waiter waiter) {
        String last = "put the server right";
        try (Statement statement = connection.createStatement()) {
            connection.setAutoCommit(true); // ALTER SYSTEM refuses transactions
            List<Finding> restart = new ArrayList<>();
            boolean reload = false;
            for (Finding finding : findings) {
                if (finding.statement().isPresent()) {
                    String sql = finding.statement().get();
                    last = "run " + sql;
                    statement.execute(sql);
                    reload |= sql.startsWith("ALTER SYSTEM");
                }
                if (finding.restartNeeded()) {
                    restart.add(finding);
                }
            }
            if (reload) {
                last = "reload the settings";
                reload(statement, waiter);
            }
            return restart;
        } catch (SQLException e) {
            throw ServerFailure.of(last, e);
        }
    }

    /// A session reads the settings again after the postmaster has, so once it did, new sessions
    /// have the new ones.
    private static void reload(Statement statement, Waiter waiter) throws SQLException {
        String loaded = "SELECT pg_catalog.pg_conf_load_time()";
        String before = BackupSession.value(statement, loaded);
        statement.execute("SELECT pg_catalog.pg_reload_conf()");
        for (int attempt = 1;
                attempt <= RELOAD_ATTEMPTS && BackupSession.value(statement, loaded).equals(before);
                attempt++) {
            waiter.await(attempt);
        }
    }

    static MainstayException standby() {
        return new MainstayException(ErrorCode.CHECK_FAILED, STANDBY_TEXT, STANDBY_HINT, null);
    }

    private static Optional<ServerVersion> version(Statement statement) throws SQLException {
        int number = Integer.parseInt(BackupSession.value(statement, "SHOW server_version_num"));
        try {
            return Optional.of(ServerVersion.ofServerVersionNum(number));
        } catch (MainstayException unsupported) {
            return Optional.empty();
        }
    }

    private static List<Finding> compare(
            Connection connection, ControlFile control, Path directory, ServerVersion local)
            throws SQLException {
        List<Finding> findings = new ArrayList<>();
        ServerSettings settings = ServerSettings.read(connection);
        try (Statement statement = connection.createStatement()) {
            int live = Integer.parseInt(BackupSession.value(statement, "SHOW server_version_num"));
            if (live / 10_000 != local.major()) {
                findings.add(mismatch("version", live / 10_000, directory, local.major()));
            }
            if (ServerRights.mayExecute(connection, ServerRights.SYSTEM_ID)) {
                String query = "SELECT system_identifier FROM pg_catalog.pg_control_system()";
                SystemId system =
                        SystemId.of(Long.parseLong(BackupSession.value(statement, query)));
                if (!system.equals(control.systemId())) {
                    findings.add(mismatch("system id", system, directory, control.systemId()));
                }
            }
        }
        Optional<String> live = settings.value("data_directory");
        if (live.isPresent() && !isSame(Path.of(live.get()), directory)) {
            findings.add(mismatch("data directory", live.get(), directory, "another"));
        }
        Optional<String> segment = settings.value("wal_segment_size");
        int size = control.layout().walSegmentSizeBytes();
        if (segment.isPresent() && Integer.parseInt(segment.get()) != size) {
            findings.add(mismatch("WAL segment size", segment.get(), directory, size));
        }
        return findings;
    }

    private static boolean isSame(Path live, Path local) {
        try {
            return Files.isSameFile(live, local);
        } catch (IOException absentHere) {
            return false;
        }
    }

    private static Finding mismatch(String what, Object live, Path directory, Object local) {
        return Finding.error(
                MISMATCH,
                "the server has " + what + " " + live + ", " + directory + " has " + local,
                ErrorCode.BACKUP_CLUSTER_MISMATCH.hint());
    }

    private static String text(MainstayException failed) {
        return String.valueOf(failed.getMessage());
    }
}
