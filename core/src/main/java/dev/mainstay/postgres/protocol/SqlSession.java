package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import javax.net.ssl.SSLException;

/// Opens SQL sessions, and says in the catalogue's words what goes wrong in them.
public final class SqlSession {
    private SqlSession() {}

    /// Logs in to the first host that answers and is of the wanted kind.
    ///
    /// @throws MainstayException SERVER_UNREACHABLE, SERVER_LOGIN_REFUSED or SERVER_TLS
    public static Connection openSql(ConnectionSpec spec, String applicationName) {
        ConnectionSpec named = spec.withApplicationName(applicationName);
        List<MainstayException> failures = new ArrayList<>();
        for (ServerHost host : named.hosts()) {
            try {
                return open(named, host);
            } catch (MainstayException failure) {
                if (failure.code() != ErrorCode.SERVER_UNREACHABLE) {
                    throw failure;
                }
                failures.add(failure);
            }
        }
        throw Login.allFailed(failures);
    }

    private static Connection open(ConnectionSpec spec, ServerHost host) {
        Connection connection = connect(spec, host);
        boolean done = false;
        try {
            done =
                    spec.targetSession() == TargetSession.ANY
                            || spec.targetSession().accepts(inRecovery(connection));
        } catch (SQLException failure) {
            throw failure("asking " + host + " whether it is a standby", failure);
        } finally {
            if (!done) {
                closeQuietly(connection);
            }
        }
        if (!done) {
            throw new MainstayException(
                    ErrorCode.SERVER_UNREACHABLE,
                    host + " is not a " + spec.targetSession().text());
        }
        return connection;
    }

    private static Connection connect(ConnectionSpec spec, ServerHost host) {
        try {
            return DriverManager.getConnection(spec.jdbcUrl(host), spec.jdbcProperties(host));
        } catch (SQLException failure) {
            throw loginFailure(spec, host, failure);
        }
    }

    private static boolean inRecovery(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT pg_is_in_recovery()")) {
            return result.next() && result.getBoolean(1);
        }
    }

    private static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException _) {
            // it was of no use anyway
        }
    }

    private static MainstayException loginFailure(
            ConnectionSpec spec, ServerHost host, SQLException failure) {
        ServerError error = error(failure);
        ErrorCode code = Failures.loginCode(error.sqlState());
        if (hasTlsCause(failure)) {
            code = ErrorCode.SERVER_TLS;
        } else if (error.sqlState().equals("08004")) {
            // The driver's own refusals: no TLS where it is required, no way to authenticate.
            code =
                    error.message().contains("SSL")
                            ? ErrorCode.SERVER_TLS
                            : ErrorCode.SERVER_LOGIN_REFUSED;
        }
        String ignored = spec.password(host, spec.database()).ignored().orElse("");
        return new ServerException(
                code,
                host
                        + " cannot be logged in to: "
                        + error
                        + (ignored.isEmpty() ? "" : " (" + ignored + ")"),
                error,
                failure);
    }

    private static boolean hasTlsCause(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SSLException) {
                return true;
            }
        }
        return false;
    }

    /// Translates a failure of a statement.
    ///
    /// @param doing what was being done, for the message
    public static MainstayException failure(String doing, SQLException failure) {
        ServerError error = error(failure);
        return new ServerException(
                Failures.code(error.sqlState()), doing + ": " + error, error, failure);
    }

    /// What plain JDBC tells; the driver puts details and hints into its message.
    private static ServerError error(SQLException failure) {
        String state = failure.getSQLState();
        String message = failure.getMessage();
        return new ServerError(
                Map.of(
                        'C', state == null ? "" : state,
                        'M', message == null ? failure.getClass().getSimpleName() : message));
    }
}
