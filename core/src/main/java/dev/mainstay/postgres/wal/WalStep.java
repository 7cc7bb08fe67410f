package dev.mainstay.postgres.wal;

/// What [WalReader#next] found: a record, nothing yet, or the end of valid WAL.
public sealed interface WalStep permits WalRecord, WalPending, WalEnd {}
