package dev.mainstay.engine.backup;

import dev.mainstay.repository.ChangedPages;

import java.util.Arrays;

/// What the log says of the pages of one relation segment file since an earlier backup.
///
/// @param limit from this page on nothing is as it was: the file was created, or truncated here. 0
///   if all of it is new, `Long.MAX_VALUE` if it was never shorter
/// @param named the pages that were changed, rising; of those from the limit on only what was
///   changed after the last truncation
record LoggedPages(long limit, int[] named) implements ChangedPages {
    @Override
    public int next(int from, int end) {
        int found = Arrays.binarySearch(named, from);
        int at = found < 0 ? -found - 1 : found;
        long next = at < named.length ? named[at] : Long.MAX_VALUE;
        return (int) Math.min(end, Math.min(next, Math.max(from, limit)));
    }
}
