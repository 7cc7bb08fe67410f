package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Looks, before anything is copied, whether a server and a local data directory belong together,
/// and what is missing for backups.
///
/// Rights on functions are granted per database: the connections given here, that of the backup and
/// that of [#fix] have to lead to the same database.
public final class Preflight {
    /// @param settings as in `pg_settings`, those that the role may read
    public record Report(
            ServerVersion version,
            Optional<ControlFile> control,
            Map<String, String> settings,
            List<Finding> findings) {
        /// @throws MainstayException SERVER_RIGHT_MISSING or CHECK_FAILED, naming the first error
        public void requireReady() {
            for (Finding finding : findings) {
                if (finding.severity() == Finding.Severity.ERROR) {
                    throw new MainstayException(
                            finding.id().startsWith("right-")
                                    ? ErrorCode.SERVER_RIGHT_MISSING
                                    : ErrorCode.CHECK_FAILED,
                            finding.text(),
                            finding.whatToDo(),
                            null);
                }
            }
        }
    }

    private static final String STANDBY_TEXT = "the server is a standby";
    private static final String STANDBY_HINT = "name the primary; backups come from there";

    private Preflight() {}

    /// @param connection of the role that backs up
    /// @throws MainstayException BACKUP_CLUSTER_MISMATCH if server and directory are two clusters;
    ///   BACKUP_CONTROL_FILE if there is no data directory
    public static Report inspect(Connection connection, Path dataDirectory, Waiter waiter) {
        try (Statement statement = connection.createStatement()) {
            ServerVersion version =
                    ServerVersion.ofServerVersionNum(
                            Integer.parseInt(
                                    BackupSession.value(statement, "SHOW server_version_num")));
            ServerSettings settings = ServerSettings.read(connection);
            List<Finding> findings = new ArrayList<>();
            if (isStandby(statement)) {
                findings.add(Finding.error("standby", STANDBY_TEXT, STANDBY_HINT));
            }
            List<Path> closed = unreadable(dataDirectory);
            Optional<ControlFile> control = Optional.empty();
            if (closed.isEmpty()) {
                control = Optional.of(ControlFile.read(dataDirectory, waiter));
                compareVersion(version, dataDirectory);
                compare(connection, settings, control.get(), dataDirectory);
            } else {
                findings.add(
                        Finding.error(
                                "files-unreadable",
                                "this user cannot read " + closed.getFirst(),
                                "run Mainstay as the owner of the data directory"));
            }
            findings.addAll(ServerRights.missing(connection, version));
            findings.addAll(settings.findings());
            return new Report(
                    version, control, Map.copyOf(settings.values()), List.copyOf(findings));
        } catch (SQLException e) {
            throw ServerFailure.of("check the server", e);
        }
    }

    /// Runs the statements of the findings, and has the server read its settings again.
    ///
    /// @param connection of a role that may do so, to the same server and database
    /// @return those that hold only after a restart of the server
    public static List<Finding> fix(Connection connection, List<Finding> findings) {
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
                statement.execute("SELECT pg_catalog.pg_reload_conf()");
            }
            return restart;
        } catch (SQLException e) {
            throw ServerFailure.of(last, e);
        }
    }

    static MainstayException standby() {
        return new MainstayException(ErrorCode.CHECK_FAILED, STANDBY_TEXT, STANDBY_HINT, null);
    }

    private static boolean isStandby(Statement statement) throws SQLException {
        return BackupSession.value(statement, "SELECT pg_catalog.pg_is_in_recovery()").equals("t");
    }

    private static void compareVersion(ServerVersion live, Path dataDirectory) {
        ServerVersion local = ServerVersion.ofDataDirectory(dataDirectory);
        if (local != live) {
            throw mismatch("version", String.valueOf(live.major()), dataDirectory, local.major());
        }
    }

    private static void compare(
            Connection connection, ServerSettings settings, ControlFile control, Path directory)
            throws SQLException {
        if (ServerRights.mayExecute(connection, ServerRights.SYSTEM_ID)) {
            try (Statement statement = connection.createStatement()) {
                String query = "SELECT system_identifier FROM pg_catalog.pg_control_system()";
                long live = Long.parseLong(BackupSession.value(statement, query));
                if (!SystemId.of(live).equals(control.systemId())) {
                    throw mismatch(
                            "system id",
                            SystemId.of(live).toString(),
                            directory,
                            control.systemId());
                }
            }
        }
        Optional<String> live = settings.value("data_directory");
        if (live.isPresent() && !isSame(Path.of(live.get()), directory)) {
            throw mismatch("data directory", live.get(), directory, "another");
        }
        Optional<String> segment = settings.value("wal_segment_size");
        int local = control.layout().walSegmentSizeBytes();
        if (segment.isPresent() && Integer.parseInt(segment.get()) != local) {
            throw mismatch("WAL segment size", segment.get(), directory, local);
        }
    }

    private static boolean isSame(Path live, Path local) {
        try {
            return Files.isSameFile(live, local);
        } catch (IOException absentHere) {
            return false;
        }
    }

    private static MainstayException mismatch(
            String what, String live, Path directory, Object local) {
        return new MainstayException(
                ErrorCode.BACKUP_CLUSTER_MISMATCH,
                "the server has " + what + " " + live + ", " + directory + " has " + local);
    }

    /// What this user of the operating system cannot read, looking at every database's directory
    /// and one of its files' own directory level, not at every file.
    private static List<Path> unreadable(Path dataDirectory) {
        List<Path> closed = new ArrayList<>();
        open(dataDirectory, closed);
        for (String name : new String[] {"global", "base", "pg_tblspc", "pg_wal", "pg_xact"}) {
            Path directory = dataDirectory.resolve(name);
            open(directory, closed);
            if (closed.isEmpty() && !name.equals("pg_wal") && Files.isDirectory(directory)) {
                try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
                    children.forEach(child -> open(child, closed));
                } catch (IOException e) {
                    closed.add(directory);
                }
            }
        }
        return closed;
    }

    private static void open(Path file, List<Path> closed) {
        if (Files.exists(file)
                && (!Files.isReadable(file)
                        || (Files.isDirectory(file) && !Files.isExecutable(file)))) {
            closed.add(file);
        }
    }
}
