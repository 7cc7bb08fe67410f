package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

/// The source does not have the bytes yet; calling again after more have arrived goes on.
///
/// @param record where the record begins that is incomplete or not there at all
/// @param needed the first byte that is missing
public record WalPending(Lsn record, Lsn needed) implements WalStep {}
