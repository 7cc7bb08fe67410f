package dev.mainstay.storage.local;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.util.List;
import java.util.Locale;

/// What an [IOException] of the file system means in the catalogue.
final class Failures {
    // The JDK hands the operating system's own words on; there is no number to ask for.
    private static final List<String> FULL =
            List.of("no space left on device", "disk quota exceeded", "file too large");
    private static final List<String> REFUSED =
            List.of("operation not permitted", "read-only file system", "permission denied");

    private Failures() {}

    /// @param what was being done, with the name of the object: `cannot put 'wal/1'`
    static MainstayException translate(String what, IOException failure) {
        return new MainstayException(code(failure), what + ": " + words(failure), failure);
    }

    static ErrorCode code(IOException failure) {
        if (says(failure, FULL)) {
            return ErrorCode.STORE_FULL;
        }
        return isRefusal(failure) ? ErrorCode.STORE_REFUSED : ErrorCode.STORE_UNAVAILABLE;
    }

    static boolean isRefusal(IOException failure) {
        return failure instanceof AccessDeniedException
                || failure instanceof FileSystemLoopException
                || says(failure, REFUSED);
    }

    private static boolean says(IOException failure, List<String> phrases) {
        String text = words(failure).toLowerCase(Locale.ROOT);
        return phrases.stream().anyMatch(text::contains);
    }

    private static String words(IOException failure) {
        if (failure instanceof ClosedByInterruptException) {
            return "interrupted";
        }
        if (failure instanceof FileSystemException system && system.getReason() != null) {
            return system.getReason();
        }
        String kind = failure.getClass().getSimpleName();
        return failure.getMessage() == null ? kind : kind + " " + failure.getMessage();
    }
}
