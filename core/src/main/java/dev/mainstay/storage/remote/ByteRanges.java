package dev.mainstay.storage.remote;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.util.Optional;

/// What stores over the network have in common where ranges of an object's bytes are read.
public final class ByteRanges {
    private ByteRanges() {}

    public static MainstayException missing(String name, @Nullable Throwable cause) {
        return new MainstayException(
                ErrorCode.STORE_OBJECT_MISSING, "object '" + name + "' is missing", cause);
    }

    /// @param size of the object in bytes, where it is known
    public static MainstayException tooShort(
            String name, Optional<Long> size, long offset, int length) {
        return new MainstayException(
                ErrorCode.STORE_READ_SHORT,
                "object '%s' %s, %d were wanted from %d"
                        .formatted(
                                name,
                                size.map(bytes -> "has " + bytes + " bytes").orElse("ends before"),
                                length,
                                offset));
    }

    /// HTTP knows no empty range, nor one that ends beyond every file: what such a read answers.
    ///
    /// @param size of the object in bytes; empty if there is none
    /// @throws MainstayException STORE_OBJECT_MISSING, STORE_READ_SHORT
    public static byte[] nothing(String name, Optional<Long> size, long offset, int length) {
        long there = size.orElseThrow(() -> missing(name, null));
        if (offset > there || length > 0) {
            throw tooShort(name, size, offset, length);
        }
        return new byte[0];
    }

    /// The object's size in bytes, of `bytes FROM-TO/SIZE`; empty if it is unknown there.
    public static Optional<Long> size(String contentRange) {
        try {
            return Optional.of(
                    Long.parseLong(contentRange.substring(contentRange.lastIndexOf('/') + 1)));
        } catch (NumberFormatException _) {
            return Optional.empty(); // an asterisk: unknown
        }
    }
}
