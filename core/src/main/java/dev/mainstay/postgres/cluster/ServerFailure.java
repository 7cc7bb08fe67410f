package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.sql.SQLException;

/// Turns what a driver reports into an entry of the catalogue.
final class ServerFailure {
    private ServerFailure() {}

    /// @param doing lower case, such as `start the backup`
    static MainstayException of(String doing, SQLException e) {
        return new MainstayException(
                code(e.getSQLState() == null ? "" : e.getSQLState()),
                "cannot " + doing + ": " + e.getMessage(),
                e);
    }

    private static ErrorCode code(String state) {
        if (state.startsWith("08") || state.startsWith("57P")) { // connection lost, shutdown
            return ErrorCode.BACKUP_SERVER_STOPPED;
        }
        return state.equals("42501")
                ? ErrorCode.SERVER_RIGHT_MISSING
                : ErrorCode.SERVER_QUERY_FAILED;
    }
}
