package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import java.time.Instant;
import java.util.Optional;

/// Something that happened, for people who look for the moment to go back to.
public sealed interface TimelineEvent {
    /// The record that made it so: for what a transaction did, its commit.
    Lsn lsn();

    /// The server's time, where the log has it.
    Optional<Instant> time();

    /// Commits of one minute, as far as one segment holds them.
    ///
    /// @param lsn the first record of that segment
    record Commits(Lsn lsn, Instant minute, long count) implements TimelineEvent {
        @Override
        public Optional<Instant> time() {
            return Optional.of(minute);
        }
    }

    /// A relation's file went away with a commit.
    ///
    /// @param lsn the commit: recovery to just before it brings the old content back
    record RelationChanged(
            Lsn lsn,
            long xid,
            Optional<Instant> time,
            RelationFile file,
            Fate fate,
            Optional<String> name)
            implements TimelineEvent {}

    /// What became of the relation.
    enum Fate {
        /// the relation is gone
        DROPPED,
        /// it lives in a new file, which began empty: TRUNCATE
        TRUNCATED,
        /// it lives in a new file: VACUUM FULL, CLUSTER, REINDEX, ALTER TABLE and the like
        REWRITTEN,
        /// the transaction both dropped and rewrote relations, or the log at hand does not tell
        DROPPED_OR_REWRITTEN
    }

    /// Vacuum gave pages at a relation's end back, or TRUNCATE emptied a relation made in the same
    /// transaction.
    record RelationShortened(
            Lsn lsn, long xid, RelationFile file, long blocks, Optional<String> name)
            implements TimelineEvent {
        @Override
        public Optional<Instant> time() {
            return Optional.empty();
        }
    }

    /// Anything else the summaries note: restore points, databases, tablespaces, ends of recovery.
    record Other(Lsn lsn, long xid, Optional<Instant> time, WalEvent event)
            implements TimelineEvent {}
}
