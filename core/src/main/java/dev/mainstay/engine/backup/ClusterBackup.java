package dev.mainstay.engine.backup;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.storage.wrap.Throttle;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;

/// Backs up a running primary, or a standby of it: in its data directory where the configuration
/// names one, else over the replication protocol ([StreamedBackup]).
///
/// The order is what makes the result recoverable: server and directory are proved to be one
/// cluster; the backup is announced in the repository and started in the server, while a segment of
/// WAL is on its way; once that has arrived, the archive is alive, and only then files are listed
/// and read, `pg_control` last; the server ends the backup; the WAL up to its end is seen in the
/// repository; and then the commit record is put.
public final class ClusterBackup {
    /// What the server calls the sessions of a backup.
    public static final String APPLICATION = "mainstay backup";

    /// What to do.
    ///
    /// @param type `auto` takes an incremental wherever an earlier backup can serve
    /// @param archiveTimeout how long a WAL segment may take to arrive in the repository
    /// @param verifyChanges read everything, and fail if the log does not name what changed
    /// @param begins is told of each backup that is begun, before it can exist
    public record Request(
            Type type,
            Duration archiveTimeout,
            Waiter waiter,
            boolean verifyChanges,
            Consumer<BackupId> begins) {
        public Request(Type type, Duration archiveTimeout, Waiter waiter, boolean verifyChanges) {
            this(type, archiveTimeout, waiter, verifyChanges, _ -> {});
        }

        public Request(Type type, Duration archiveTimeout, Waiter waiter) {
            this(type, archiveTimeout, waiter, false);
        }

        public Request(
                Type type, Duration archiveTimeout, Waiter waiter, Consumer<BackupId> begins) {
            this(type, archiveTimeout, waiter, false, begins);
        }

        public enum Type {
            AUTO,
            FULL,
            INCREMENTAL
        }
    }

    /// What was done.
    public record Result(CommittedBackup backup, BackupDetails details, Duration duration) {}

    private final ProtectedSource source;
    private final RepositorySettings repository;
    private final PostgresSettings settings;
    private final ConnectionSpec connection;
    private final Progress progress;

    /// From where on the log has to tell what changed since an earlier backup. Its start: while it
    /// was copied, pages changed that it has in their earlier state.
    private Function<BackupDetails, Lsn> since = BackupDetails::startLsn;

    private Optional<ConnectionSpec> standbyConnection = Optional.empty();

    /// Holds every byte of the cluster that is read.
    private Throttle throttle;

    public ClusterBackup(
            ProtectedSource source,
            RepositorySettings repository,
            PostgresSettings settings,
            ConnectionSpec connection,
            Progress progress) {
        this.source = source;
        this.repository = repository;
        this.settings = settings;
        this.connection = connection;
        this.progress = progress;
        this.throttle =
                settings.limits().maxRate().isEmpty() && settings.limits().isConsiderate()
                        ? Throttle.adjustable()
                        : Throttle.of(settings.limits().maxRate());
    }

    /// Says how the standby of the settings is reached.
    public ClusterBackup withStandby(ConnectionSpec there) {
        standbyConnection = Optional.of(there);
        return this;
    }

    /// For the test that shows that any other interval is wrong.
    ClusterBackup withChangesSince(Function<BackupDetails, Lsn> other) {
        since = other;
        return this;
    }

    /// Reads by another clock than the system's, for tests of `max-rate`.
    ClusterBackup withThrottle(Throttle other) {
        throttle = other;
        return this;
    }

    /// Takes the backup.
    ///
    /// @throws MainstayException with a 05xx or 06xx code; the repository then holds nothing new
    public Result run(Request request) {
        return run(request, SqlSession.openSql(connection, APPLICATION));
    }

    /// Takes the backup with a session that is open already, and closes it.
    ///
    /// @throws MainstayException as [#run(Request)]
    public Result run(Request request, Connection sql) {
        Optional<Considerate> heed;
        try {
            heed = Considerate.begin(connection, settings, throttle, progress);
        } catch (RuntimeException | Error failed) {
            close(sql);
            throw failed;
        }
        try {
            return settings.standby().isPresent()
                    ? preferStandby(settings.standby().get(), request, sql)
                    : run(request, Node.primary(sql, Optional.empty()));
        } finally {
            heed.ifPresent(Considerate::close);
        }
    }

    /// Until its first file is read, the primary can take a standby's place.
    private Result preferStandby(
            PostgresSettings.Standby standby, Request request, Connection sql) {
        ConnectionSpec there = standbyConnection.orElseThrow();
        Optional<Node> node = Optional.empty();
        boolean mine = true;
        try {
            node =
                    Optional.of(
                            Node.standby(
                                    SqlSession.openSql(there, APPLICATION),
                                    new Primary(connection, sql)));
            return new ClusterBackup(source, repository, settings.of(standby), there, progress)
                    .withThrottle(throttle)
                    .withChangesSince(since)
                    .run(request, node.get());
        } catch (MainstayException unfit) {
            boolean late = node.filter(Node::isRead).isPresent();
            if (standby.required() || late || !isOfTheStandby(unfit)) {
                throw unfit;
            }
            String why = unfit.code().id() + ": " + unfit.getMessage();
            progress.note("WARNING: reading the primary, not the standby: " + why);
            mine = false;
            return run(request, Node.primary(sql, Optional.of(why)));
        } finally {
            if (mine) {
                close(sql);
            }
        }
    }

    /// An archive that does not work would not work for the primary either, nor a repository.
    private static boolean isOfTheStandby(MainstayException failed) {
        return switch (failed.code()) {
            case SERVER_UNREACHABLE,
                    SERVER_LOGIN_REFUSED,
                    SERVER_VERSION_UNSUPPORTED,
                    SERVER_RIGHT_MISSING,
                    SERVER_PROTOCOL,
                    SERVER_TLS,
                    SERVER_QUERY_FAILED,
                    BACKUP_CLUSTER_MISMATCH,
                    BACKUP_CONTROL_FILE,
                    BACKUP_SERVER_STOPPED,
                    BACKUP_FILE_UNREADABLE,
                    BACKUP_STANDBY_UNFIT,
                    CHECK_FAILED ->
                    true;
            default -> false;
        };
    }

    private static void close(Connection sql) {
        try {
            sql.close();
        } catch (SQLException _) {
            // nothing hangs on it any more
        }
    }

    private Result run(Request request, Node node) {
        if (settings.dataDirectory().isEmpty()) {
            return new StreamedBackup(source, repository, settings, connection, throttle, progress)
                    .run(request, node);
        }
        return new FilesBackup(source, repository, settings, connection, throttle, since, progress)
                .run(request, node);
    }

    static void abort(BackupWriter writer, Throwable failed, Progress progress) {
        boolean interrupted = Thread.interrupted(); // cleaning up must not be cut short
        try {
            if (writer.abort()) {
                progress.note(
                        "what backup "
                                + writer.id()
                                + " has stored is kept: the next one goes on from there");
            }
        } catch (RuntimeException alsoFailed) {
            failed.addSuppressed(alsoFailed);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Returns when none works any more.
    static void endWorkers(ExecutorService workers) {
        workers.shutdownNow();
        boolean interrupted = Thread.interrupted();
        try {
            while (!workers.awaitTermination(1, java.util.concurrent.TimeUnit.MINUTES)) {
                // a worker ends with the file it is reading; its buffers must not be closed before
            }
        } catch (InterruptedException _) {
            interrupted = true;
            workers.close();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// What a worker brought, or its failure in this thread.
    static <T> T outcome(Future<T> task) {
        try {
            return task.get();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "the backup was interrupted", interrupted);
        } catch (ExecutionException failed) {
            switch (failed.getCause()) {
                case RuntimeException known -> throw known;
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException(failed);
            }
        }
    }
}
