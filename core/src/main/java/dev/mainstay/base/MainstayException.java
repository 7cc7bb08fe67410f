package dev.mainstay.base;

import org.jspecify.annotations.Nullable;

/// The one exception that leaves a room on purpose: a numbered entry of the [ErrorCode] catalogue,
/// a lower-case message that names the thing, and a hint at what to do.
public class MainstayException extends RuntimeException {
    private final ErrorCode code;
    private final String hint;

    public MainstayException(ErrorCode code, String message) {
        this(code, message, code.hint(), null);
    }

    public MainstayException(ErrorCode code, String message, @Nullable Throwable cause) {
        this(code, message, code.hint(), cause);
    }

    /// @param hint replaces the catalogue's hint where the place knows better
    public MainstayException(
            ErrorCode code, String message, String hint, @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
        this.hint = hint;
    }

    public ErrorCode code() {
        return code;
    }

    public String hint() {
        return hint;
    }
}
