package dev.mainstay.server.api;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

/// How much of a list one answer may hold.
public final class PageLimit {
    static final int MOST = 1000;

    private PageLimit() {}

    /// @throws MainstayException USAGE_INVALID
    public static void demand(int limit) {
        if (limit < 1 || limit > MOST) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "limit is no number from 1 to " + MOST);
        }
    }
}
