package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;

import javax.net.ssl.SSLException;

/// One translator from what sockets and servers say to the catalogue.
final class Failures {
    private Failures() {}

    static MainstayException protocol(String what) {
        return new MainstayException(ErrorCode.SERVER_PROTOCOL, "unexpected answer: " + what);
    }

    static MainstayException of(IOException failure, String peer) {
        if (failure instanceof InterruptedIOException
                && !(failure instanceof SocketTimeoutException)) {
            return new MainstayException(
                    ErrorCode.INTERRUPTED, "interrupted while talking to " + peer, failure);
        }
        if (failure instanceof ClosedChannelException) {
            return new MainstayException(
                    ErrorCode.INTERRUPTED, "the connection to " + peer + " was closed", failure);
        }
        if (failure instanceof SSLException) {
            return new MainstayException(
                    ErrorCode.SERVER_TLS, "no TLS with " + peer + ": " + say(failure), failure);
        }
        return new MainstayException(
                ErrorCode.SERVER_UNREACHABLE,
                peer + " cannot be reached: " + say(failure),
                failure);
    }

    private static String say(IOException failure) {
        if (failure instanceof UnknownHostException) {
            return "unknown host";
        }
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message;
    }

    static ServerException of(ServerError error, String peer) {
        return new ServerException(code(error.sqlState()), peer + " says: " + error, error);
    }

    /// Login errors that have no class of their own mean the login, too.
    static ServerException ofLogin(ServerError error, String peer) {
        return new ServerException(
                loginCode(error.sqlState()), peer + " refused the login: " + error, error);
    }

    static ErrorCode loginCode(String sqlState) {
        boolean login = sqlState.equals("3D000") || sqlState.equals("42501");
        return login ? ErrorCode.SERVER_LOGIN_REFUSED : code(sqlState);
    }

    static ErrorCode code(String sqlState) {
        if (sqlState.startsWith("28")) {
            return ErrorCode.SERVER_LOGIN_REFUSED;
        }
        return switch (sqlState) {
            case "42501" -> ErrorCode.SERVER_RIGHT_MISSING;
            case "57P01", "57P02", "57P03", "57P05", "53300" -> ErrorCode.SERVER_UNREACHABLE;
            case "08P01" -> ErrorCode.SERVER_PROTOCOL;
            default ->
                    sqlState.startsWith("08")
                            ? ErrorCode.SERVER_UNREACHABLE
                            : ErrorCode.SERVER_QUERY_FAILED;
        };
    }
}
