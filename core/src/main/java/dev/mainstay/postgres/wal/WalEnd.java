package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

/// Nothing valid follows. A reader that answered this answers it for ever.
///
/// @param lsn the end of valid WAL: the first byte that belongs to no valid record (a record that
///   is broken begins here)
/// @param detail for an operator, lower case
public record WalEnd(Lsn lsn, Reason reason, String detail) implements WalStep {
    /// Why valid WAL ends. Only [#ZEROS] and [#STALE_PAGE] are how undamaged WAL ends in files;
    /// what was torn or damaged cannot be told apart from WAL that a crash left unfinished by one
    /// record alone.
    public enum Reason {
        /// zeros where a record or page should begin
        ZEROS,
        /// a page of an earlier use of the same file
        STALE_PAGE,
        /// a page header that cannot be: magic, flags, sizes, system identifier or timeline
        PAGE_INVALID,
        /// a record header or its parts contradict themselves
        RECORD_INVALID,
        /// the record's CRC does not hold
        CRC_MISMATCH,
        /// the record does not name the one before it as its predecessor
        LINK_BROKEN,
        /// the record's continuation is not on the page where it should be
        TORN,
        /// the source has no (more) bytes of this segment and never will
        SEGMENT_MISSING
    }
}
