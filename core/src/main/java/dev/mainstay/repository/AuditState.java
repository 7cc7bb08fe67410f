package dev.mainstay.repository;

import java.util.List;

/// What servers keep of the audit trail outside the repository.
public interface AuditState {
    /// An entry and the hash that is written beside it.
    record Kept(AuditEntry entry, String hash) {}

    /// Where a trail ends.
    ///
    /// @param number of the newest entry
    /// @param published number up to which it was put into the repository
    record End(String trail, long number, String hash, long published) {}

    /// Where the trail ends that is written now.
    End end();

    /// The ids of all trails of which it has entries.
    List<String> trails();

    /// The entries of a trail with these numbers, both included, in order; without those that are
    /// not there.
    List<Kept> entries(String trail, long from, long to);
}
