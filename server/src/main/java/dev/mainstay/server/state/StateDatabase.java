package dev.mainstay.server.state;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ServerHost;

import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

import javax.sql.DataSource;

/// The open database, embedded or shared. It holds history and rights, never what a backup is: if
/// it is lost, everything about backups is found again in the repository.
public final class StateDatabase implements AutoCloseable {
    private static final int CONNECTIONS = 8;
    private static final long PATIENCE_MILLIS = 10_000;

    /// What a server held when its host vanished is let go soon: others wait for the same rows.
    private static final String LET_GO =
            String.join(
                    ";",
                    "set idle_in_transaction_session_timeout = '30s'",
                    "set tcp_keepalives_idle = 20",
                    "set tcp_keepalives_interval = 5",
                    "set tcp_keepalives_count = 4");

    private final HikariDataSource source;
    private final Optional<FolderLock> lock;

    private StateDatabase(HikariDataSource source, Optional<FolderLock> lock) {
        this.source = source;
        this.lock = lock;
    }

    /// Whether there may be one, without making it.
    public static boolean isThere(ServerState state) {
        return switch (state) {
            case ServerState.Directory(Path path) -> Files.exists(path.resolve("state.mv.db"));
            case ServerState.Shared _ -> true;
        };
    }

    /// @throws MainstayException SERVER_STATE, SERVER_STATE_IN_USE
    public static StateDatabase open(ServerState state, Map<String, String> environment) {
        return switch (state) {
            case ServerState.Directory(Path path) -> embedded(path);
            case ServerState.Shared shared -> shared(shared, environment);
        };
    }

    public DataSource source() {
        return source;
    }

    /// Whether other servers may use it at the same time.
    public boolean isShared() {
        return lock.isEmpty();
    }

    @Override
    public void close() {
        source.close();
        lock.ifPresent(FolderLock::close);
    }

    private static StateDatabase embedded(Path folder) {
        try {
            Files.createDirectories(folder);
            if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
            }
        } catch (IOException wrong) {
            throw new MainstayException(
                    ErrorCode.SERVER_STATE,
                    "cannot use server.state.directory " + folder + ": " + wrong,
                    wrong);
        }
        FolderLock lock = FolderLock.take(folder);
        HikariConfig config = config();
        // Its files are read and written asynchronously: a thread that is interrupted meanwhile
        // would close any other channel. What is committed is written at once, or a server that is
        // killed forgets what it has begun.
        config.setJdbcUrl(
                "jdbc:h2:async:"
                        + folder.resolve("state").toAbsolutePath()
                        + ";MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE;DEFAULT_NULL_ORDERING=HIGH"
                        + ";DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0");
        try {
            return new StateDatabase(
                    opened(config, "server.state.directory " + folder), Optional.of(lock));
        } catch (MainstayException failed) {
            lock.close();
            throw failed;
        }
    }

    private static StateDatabase shared(
            ServerState.Shared state, Map<String, String> environment) {
        Map<String, String> variables = new HashMap<>(environment);
        state.password().ifPresent(password -> variables.put("PGPASSWORD", password.reveal()));
        ConnectionSpec spec = ConnectionSpec.parse(state.url(), variables);
        if (spec.hosts().size() != 1) {
            throw new MainstayException(
                    ErrorCode.CONFIG_INVALID,
                    "server.state.url names several hosts",
                    "name one: the primary, or the address that always leads to it",
                    null);
        }
        ServerHost host = spec.hosts().getFirst();
        HikariConfig config = config();
        config.setJdbcUrl(spec.jdbcUrl(host));
        config.setDataSourceProperties(spec.jdbcProperties(host));
        config.setConnectionInitSql(LET_GO);
        return new StateDatabase(opened(config, "server.state.url " + spec), Optional.empty());
    }

    private static HikariConfig config() {
        HikariConfig config = new HikariConfig();
        config.setPoolName("state");
        config.setMaximumPoolSize(CONNECTIONS);
        config.setInitializationFailTimeout(PATIENCE_MILLIS);
        config.setConnectionTimeout(PATIENCE_MILLIS);
        return config;
    }

    private static HikariDataSource opened(HikariConfig config, String what) {
        try {
            HikariDataSource source = new HikariDataSource(config);
            migrate(source, what);
            return source;
        } catch (HikariPool.PoolInitializationException failed) {
            Throwable why = failed.getCause() == null ? failed : failed.getCause();
            throw new MainstayException(
                    ErrorCode.SERVER_STATE,
                    "cannot open " + what + ": " + why.getMessage(),
                    failed);
        }
    }

    private static void migrate(HikariDataSource source, String what) {
        try {
            Flyway.configure()
                    .dataSource(source)
                    .locations("classpath:/dev/mainstay/server/migration")
                    .table("schema_history")
                    .validateMigrationNaming(true)
                    .load()
                    .migrate();
        } catch (FlywayException wrong) {
            source.close();
            throw new MainstayException(
                    ErrorCode.SERVER_STATE,
                    "cannot bring " + what + " up to date: " + wrong.getMessage(),
                    wrong);
        }
    }
}
