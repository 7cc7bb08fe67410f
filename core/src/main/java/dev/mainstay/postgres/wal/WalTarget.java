package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import java.time.Instant;

/// Where a recovery is to stop, as PostgreSQL's recovery_target settings mean it.
///
/// - a time stops before the first commit or abort later than it (not inclusive: at or later),
/// - a transaction after its commit or abort (not inclusive: before it),
/// - a position after the first record that begins at or after it (not inclusive: before that),
/// - a name after the first restore point of that name.
public sealed interface WalTarget {
    record AtTime(Instant time, boolean inclusive) implements WalTarget {}

    record AtXid(long xid, boolean inclusive) implements WalTarget {}

    record AtLsn(Lsn lsn, boolean inclusive) implements WalTarget {}

    record AtName(String name) implements WalTarget {}
}
