package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

/// The server refused something, and said why.
public final class ServerException extends MainstayException {
    private final ServerError error;

    ServerException(ErrorCode code, String message, ServerError error) {
        this(code, message, error, null);
    }

    ServerException(ErrorCode code, String message, ServerError error, @Nullable Throwable cause) {
        super(code, message, error.hint().orElse(code.hint()), cause);
        this.error = error;
    }

    public ServerError error() {
        return error;
    }

    public String sqlState() {
        return error.sqlState();
    }
}
