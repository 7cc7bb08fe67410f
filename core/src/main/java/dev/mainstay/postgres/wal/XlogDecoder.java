package dev.mainstay.postgres.wal;

import dev.mainstay.base.TimelineId;

import java.util.Optional;

/// Records of the log's own resource manager (src/include/catalog/pg_control.h and
/// access/xlog_internal.h).
final class XlogDecoder {
    static final int CHECKPOINT_SHUTDOWN = 0x00;
    static final int CHECKPOINT_ONLINE = 0x10;
    static final int NOOP = 0x20;
    static final int NEXT_OID = 0x30;
    static final int SWITCH = 0x40;
    static final int BACKUP_END = 0x50;
    static final int PARAMETER_CHANGE = 0x60;
    static final int RESTORE_POINT = 0x70;
    static final int FPW_CHANGE = 0x80;
    static final int END_OF_RECOVERY = 0x90;
    static final int FPI_FOR_HINT = 0xA0;
    static final int FPI = 0xB0;
    static final int OVERWRITE_CONTRECORD = 0xD0;
    static final int CHECKPOINT_REDO = 0xE0;

    private XlogDecoder() {}

    /// Whether this version of the decoder knows what a record with this info does.
    static boolean isKnown(int operation) {
        return operation != 0xC0 && operation != 0xF0;
    }

    static Optional<WalEvent> decode(WalRecord record) {
        DataCursor data = record.data();
        return switch (record.operation()) {
            case CHECKPOINT_SHUTDOWN -> Optional.of(checkpoint(record, data, true));
            case CHECKPOINT_ONLINE -> Optional.of(checkpoint(record, data, false));
            case SWITCH -> Optional.of(new WalEvent.SegmentSwitch());
            case BACKUP_END -> Optional.of(new WalEvent.BackupEnd(data.lsn()));
            case PARAMETER_CHANGE -> Optional.of(parameters(data));
            case RESTORE_POINT -> {
                var time = data.time();
                yield Optional.of(new WalEvent.RestorePoint(data.text(64), time));
            }
            case FPW_CHANGE -> Optional.of(new WalEvent.FullPageWritesChanged(data.u8() != 0));
            case END_OF_RECOVERY -> {
                var time = data.time();
                TimelineId timeline = timeline(record, data);
                yield Optional.of(
                        new WalEvent.EndOfRecovery(time, timeline, timeline(record, data)));
            }
            case OVERWRITE_CONTRECORD -> {
                var torn = data.lsn();
                yield Optional.of(new WalEvent.RecordOverwritten(torn, data.time()));
            }
            case CHECKPOINT_REDO -> Optional.of(new WalEvent.CheckpointRedo());
            default -> Optional.empty();
        };
    }

    private static TimelineId timeline(WalRecord record, DataCursor data) {
        int value = data.i32();
        if (value == 0) {
            throw WalEvent.invalid(record, "names timeline 0");
        }
        return TimelineId.of(value);
    }

    private static WalEvent parameters(DataCursor data) {
        return new WalEvent.ParametersChanged(
                data.i32(),
                data.i32(),
                data.i32(),
                data.i32(),
                data.i32(),
                data.i32(),
                data.u8() != 0,
                data.u8() != 0);
    }

    private static WalEvent checkpoint(WalRecord record, DataCursor data, boolean shutdown) {
        var redo = data.lsn();
        TimelineId timeline = timeline(record, data);
        TimelineId previous = timeline(record, data);
        boolean fullPageWrites = data.u8() != 0;
        data.align8(); // the level of WAL is here from 18 on; the offsets after it are the same
        long nextXid = data.i64();
        long nextOid = data.u32();
        long nextMulti = data.u32();
        long nextMultiOffset = data.u32();
        long oldestXid = data.u32();
        long oldestXidDatabase = data.u32();
        long oldestMulti = data.u32();
        long oldestMultiDatabase = data.u32();
        data.align8();
        var time = java.time.Instant.ofEpochSecond(data.i64());
        data.skip(8); // commit timestamps
        return new WalEvent.Checkpoint(
                shutdown,
                redo,
                timeline,
                previous,
                fullPageWrites,
                nextXid,
                nextOid,
                nextMulti,
                nextMultiOffset,
                oldestXid,
                oldestXidDatabase,
                oldestMulti,
                oldestMultiDatabase,
                time,
                data.u32());
    }
}
