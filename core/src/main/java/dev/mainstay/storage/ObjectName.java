package dev.mainstay.storage;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

/// The rules for names of objects, in one place for all stores: 1 to 512 characters of `a-z A-Z 0-9
/// . _ -` in segments parted by single `/`; no segment is `.` or `..`, or longer than 255
/// characters, which is what file systems can hold. So a name never leads out of a store's
/// directory and means the same everywhere.
public final class ObjectName {
    private static final int MAX_LENGTH = 512;
    private static final int MAX_SEGMENT_LENGTH = 255;

    private ObjectName() {}

    /// Returns `name` if the rules allow it.
    ///
    /// @throws MainstayException STORE_NAME_INVALID
    public static String check(String name) {
        if (!isValid(name)) {
            throw invalid("'" + printable(name) + "' is no name for an object");
        }
        return name;
    }

    /// Returns `prefix` if some name may begin with it. The empty prefix is that of every name.
    ///
    /// @throws MainstayException STORE_NAME_INVALID
    public static String checkPrefix(String prefix) {
        // What stands after the last slash may still grow; what stands before it is complete.
        String completed =
                prefix.isEmpty() || prefix.endsWith("/") || prefix.endsWith(".")
                        ? prefix + "x"
                        : prefix;
        if (!isValid(completed) && !isValid(prefix)) {
            throw invalid("'" + printable(prefix) + "' is no prefix of an object's name");
        }
        return prefix;
    }

    public static boolean isValid(String name) {
        if (name.isEmpty() || name.length() > MAX_LENGTH) {
            return false;
        }
        int begin = 0;
        while (true) {
            int slash = name.indexOf('/', begin);
            int end = slash < 0 ? name.length() : slash;
            if (!isSegment(name, begin, end)) {
                return false;
            }
            if (slash < 0) {
                return true;
            }
            begin = slash + 1;
        }
    }

    private static boolean isSegment(String name, int begin, int end) {
        int length = end - begin;
        if (length == 0 || length > MAX_SEGMENT_LENGTH) {
            return false;
        }
        boolean onlyDots = true;
        for (int i = begin; i < end; i++) {
            char c = name.charAt(i);
            boolean allowed =
                    (c >= 'a' && c <= 'z')
                            || (c >= 'A' && c <= 'Z')
                            || (c >= '0' && c <= '9')
                            || c == '.'
                            || c == '_'
                            || c == '-';
            if (!allowed) {
                return false;
            }
            onlyDots &= c == '.';
        }
        return !onlyDots || length > 2;
    }

    private static MainstayException invalid(String message) {
        return new MainstayException(ErrorCode.STORE_NAME_INVALID, message);
    }

    private static String printable(String text) {
        String shown = text.length() > 80 ? text.substring(0, 80) + "..." : text;
        return shown.replaceAll("[^\\x20-\\x7e]", "?");
    }
}
