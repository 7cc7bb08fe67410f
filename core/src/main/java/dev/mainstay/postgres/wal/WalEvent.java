package dev.mainstay.postgres.wal;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// What a record says, for the kinds of record that matter outside the pages they change. Times are
/// the server's clock; transactions, OIDs and file numbers are unsigned 32-bit numbers.
public sealed interface WalEvent {
    /// Takes a record apart, if it is of a kind listed here.
    ///
    /// @throws MainstayException WAL_RECORD_INVALID if the record is too short for its kind
    static Optional<WalEvent> of(WalRecord record) {
        int id = record.managerId();
        if (!Rmgr.isKnown(id)) {
            return Optional.empty();
        }
        return switch (id) {
            case 0 -> XlogDecoder.decode(record);
            case 1 -> TransactionDecoder.decode(record);
            case 2, 4, 5, 7 -> StorageDecoder.decode(record);
            case 8 -> StorageDecoder.decodeStandby(record);
            case 10 -> StorageDecoder.decodeHeap(record);
            default -> Optional.empty();
        };
    }

    /// A transaction committed or aborted, with or without having been prepared before.
    ///
    /// @param xid the transaction that ended (of a prepared one: its own, not the finisher's)
    /// @param dropped files deleted with the end of the transaction
    /// @param droppedRelations (database, OID) of relations whose statistics were dropped; from 15
    /// @param gid name of the prepared transaction, where the record has it
    record TransactionEnd(
            boolean committed,
            boolean prepared,
            long xid,
            Instant time,
            List<Long> subtransactions,
            List<RelationFile> dropped,
            List<RelationId> droppedRelations,
            Optional<String> gid,
            Optional<Origin> origin)
            implements WalEvent {}

    record RelationId(long database, long oid) {}

    /// Where a replicated transaction came from.
    record Origin(Lsn lsn, Instant time) {}

    record TransactionPrepared(
            long xid,
            String gid,
            Instant time,
            long database,
            List<Long> subtransactions,
            List<RelationFile> droppedOnCommit,
            List<RelationFile> droppedOnAbort)
            implements WalEvent {}

    record SubtransactionsAssigned(long topLevelXid, List<Long> subtransactions)
            implements WalEvent {}

    /// @param redo where recovery from this checkpoint begins
    /// @param nextXid with its epoch: 64 bits
    record Checkpoint(
            boolean shutdown,
            Lsn redo,
            TimelineId timeline,
            TimelineId previousTimeline,
            boolean fullPageWrites,
            long nextXid,
            long nextOid,
            long nextMultiXact,
            long nextMultiXactOffset,
            long oldestXid,
            long oldestXidDatabase,
            long oldestMultiXact,
            long oldestMultiXactDatabase,
            Instant time,
            long oldestActiveXid)
            implements WalEvent {}

    /// From 17: the redo position of an online checkpoint that is beginning.
    record CheckpointRedo() implements WalEvent {}

    record RestorePoint(String name, Instant time) implements WalEvent {}

    record EndOfRecovery(Instant time, TimelineId timeline, TimelineId previousTimeline)
            implements WalEvent {}

    /// An exclusive or non-exclusive backup that began at `start` is consistent from here.
    record BackupEnd(Lsn start) implements WalEvent {}

    record SegmentSwitch() implements WalEvent {}

    record ParametersChanged(
            int maxConnections,
            int maxWorkerProcesses,
            int maxWalSenders,
            int maxPreparedTransactions,
            int maxLocksPerTransaction,
            int walLevel,
            boolean walLogHints,
            boolean trackCommitTimestamp)
            implements WalEvent {
        /// Less than `replica`: such WAL cannot serve recovery of a backup.
        public boolean isWalLevelMinimal() {
            return walLevel == 0;
        }
    }

    record FullPageWritesChanged(boolean on) implements WalEvent {}

    record RecordOverwritten(Lsn torn, Instant time) implements WalEvent {}

    record FileCreated(RelationFile file, Fork fork) implements WalEvent {}

    /// @param blocks what is left of the main fork, where that is truncated
    record FileTruncated(RelationFile file, long blocks, boolean main, boolean vm, boolean fsm)
            implements WalEvent {}

    /// TRUNCATE, logged with `wal_level=logical` only.
    record RelationsTruncated(long database, List<Long> relations) implements WalEvent {}

    /// @param template the database copied from and its tablespace; present when the copy was made
    ///   file by file and is not in the WAL
    record DatabaseCreated(long database, long tablespace, Optional<CopiedFrom> template)
            implements WalEvent {}

    record CopiedFrom(long database, long tablespace) {}

    record DatabaseDropped(long database, List<Long> tablespaces) implements WalEvent {}

    record TablespaceCreated(long tablespace, String location) implements WalEvent {}

    record TablespaceDropped(long tablespace) implements WalEvent {}

    /// @param files file number of each mapped relation, by OID
    record RelationMapUpdated(long database, long tablespace, Map<Long, Long> files)
            implements WalEvent {
        private static final long PG_CLASS = 1259;

        public OptionalLong pgClass() {
            Long file = files.get(PG_CLASS);
            return file == null ? OptionalLong.empty() : OptionalLong.of(file);
        }
    }

    /// A row of `pg_class` was inserted, moved by an update, or deleted; a summary's evidence of
    /// what became of relations.
    ///
    /// @param oldRow block * 65536 + offset; 0 for an insert
    /// @param newRow the same; 0 for a delete
    record CatalogRowChanged(long database, long oldRow, long newRow) implements WalEvent {}

    /// The first record about a file that was created before in the same segment.
    ///
    /// @param byHeap an ordinary insert, as opposed to an index or a copied page
    record FileFirstWritten(RelationFile file, boolean byHeap) implements WalEvent {}

    record RunningTransactions(long nextXid, long oldestRunningXid) implements WalEvent {}

    /// Makes an error of what a decoder could not understand.
    static MainstayException invalid(WalRecord record, String why) {
        return new MainstayException(
                ErrorCode.WAL_RECORD_INVALID,
                "the " + record.managerName() + " record at " + record.lsn() + " " + why);
    }
}
