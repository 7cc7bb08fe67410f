package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Bytes of the events a summary notes: a kind and its fields in the order of the event's record.
///
/// ```
///  1 restore point      name, time              2 checkpoint   15 fields
///  3 end of recovery    time, timeline, former  4 file created file, u8 fork
///  5 file truncated     file, blocks, u8 (1 main, 2 vm, 4 fsm)
///  6 transaction end    u8 (1 committed, 2 prepared), xid, time, subtransactions, files, (database,
///                       OID)s
///  7 database created   database, tablespace, u8 and the template's two if copied by file
///  8 database dropped   database, tablespaces
///  9 tablespace created tablespace, location   10 tablespace dropped  tablespace
/// 11 relation map       database, tablespace, count, (OID, file number)s by OID
/// 12 parameters         six numbers, u8 (1 hints, 2 commit timestamps)
/// 13 full page writes   u8                     14 running      next xid, oldest running xid
/// 15 pg_class row       database, old row, new row (block * 65536 + offset; 0 none)
/// 16 file first written file, u8 by the heap   17 backup end   start
/// ```
final class EventCodec {
    private EventCodec() {}

    static void encode(ByteWriter out, WalEvent event) {
        switch (event) {
            case WalEvent.RestorePoint e -> out.u8(1).text(e.name()).time(e.time());
            case WalEvent.Checkpoint e -> checkpoint(out.u8(2), e);
            case WalEvent.EndOfRecovery e ->
                    timeline(
                            timeline(out.u8(3).time(e.time()), e.timeline()), e.previousTimeline());
            case WalEvent.FileCreated e -> out.u8(4).file(e.file()).u8(e.fork().number());
            case WalEvent.FileTruncated e ->
                    out.u8(5)
                            .file(e.file())
                            .number(e.blocks())
                            .u8((e.main() ? 1 : 0) | (e.vm() ? 2 : 0) | (e.fsm() ? 4 : 0));
            case WalEvent.TransactionEnd e -> transactionEnd(out.u8(6), e);
            case WalEvent.DatabaseCreated e -> {
                out.u8(7).number(e.database()).number(e.tablespace());
                out.flag(e.template().isPresent());
                e.template().ifPresent(t -> out.number(t.database()).number(t.tablespace()));
            }
            case WalEvent.DatabaseDropped e ->
                    out.u8(8).number(e.database()).numbers(e.tablespaces());
            case WalEvent.TablespaceCreated e ->
                    out.u8(9).number(e.tablespace()).text(e.location());
            case WalEvent.TablespaceDropped e -> out.u8(10).number(e.tablespace());
            case WalEvent.RelationMapUpdated e -> {
                out.u8(11).number(e.database()).number(e.tablespace()).number(e.files().size());
                new TreeMap<>(e.files()).forEach((oid, file) -> out.number(oid).number(file));
            }
            case WalEvent.ParametersChanged e -> parameters(out.u8(12), e);
            case WalEvent.FullPageWritesChanged e -> out.u8(13).flag(e.on());
            case WalEvent.RunningTransactions e ->
                    out.u8(14).number(e.nextXid()).number(e.oldestRunningXid());
            case WalEvent.CatalogRowChanged e ->
                    out.u8(15).number(e.database()).number(e.oldRow()).number(e.newRow());
            case WalEvent.FileFirstWritten e -> out.u8(16).file(e.file()).flag(e.byHeap());
            case WalEvent.BackupEnd e -> out.u8(17).lsn(e.start());
            case WalEvent.TransactionPrepared _,
                    WalEvent.SubtransactionsAssigned _,
                    WalEvent.CheckpointRedo _,
                    WalEvent.SegmentSwitch _,
                    WalEvent.RecordOverwritten _,
                    WalEvent.RelationsTruncated _ ->
                    throw new IllegalArgumentException("summaries do not note " + event);
        }
    }

    private static ByteWriter timeline(ByteWriter out, TimelineId timeline) {
        return out.number(Integer.toUnsignedLong(timeline.value()));
    }

    private static TimelineId timeline(ByteReader in) {
        return TimelineId.of((int) in.u32());
    }

    private static void checkpoint(ByteWriter out, WalEvent.Checkpoint e) {
        out.flag(e.shutdown()).lsn(e.redo());
        timeline(timeline(out, e.timeline()), e.previousTimeline()).flag(e.fullPageWrites());
        out.number(e.nextXid()).number(e.nextOid()).number(e.nextMultiXact());
        out.number(e.nextMultiXactOffset()).number(e.oldestXid()).number(e.oldestXidDatabase());
        out.number(e.oldestMultiXact()).number(e.oldestMultiXactDatabase());
        out.time(e.time()).number(e.oldestActiveXid());
    }

    private static WalEvent checkpoint(ByteReader in) {
        return new WalEvent.Checkpoint(
                in.flag(),
                in.lsn(),
                timeline(in),
                timeline(in),
                in.flag(),
                in.number(),
                in.number(),
                in.number(),
                in.number(),
                in.number(),
                in.number(),
                in.number(),
                in.number(),
                in.time(),
                in.number());
    }

    private static void transactionEnd(ByteWriter out, WalEvent.TransactionEnd e) {
        out.u8((e.committed() ? 1 : 0) | (e.prepared() ? 2 : 0)).number(e.xid()).time(e.time());
        out.numbers(e.subtransactions()).number(e.dropped().size());
        e.dropped().forEach(out::file);
        out.number(e.droppedRelations().size());
        e.droppedRelations().forEach(one -> out.number(one.database()).number(one.oid()));
    }

    private static WalEvent transactionEnd(ByteReader in) {
        int flags = in.u8();
        long xid = in.u32();
        Instant time = in.time();
        List<Long> subtransactions = in.numbers();
        List<RelationFile> files = in.list(in::file);
        return new WalEvent.TransactionEnd(
                (flags & 1) != 0,
                (flags & 2) != 0,
                xid,
                time,
                subtransactions,
                files,
                in.list(
                        () -> {
                            long database = in.u32();
                            return new WalEvent.RelationId(database, in.u32());
                        }),
                Optional.empty(),
                Optional.empty());
    }

    private static void parameters(ByteWriter out, WalEvent.ParametersChanged e) {
        out.number(e.maxConnections()).number(e.maxWorkerProcesses()).number(e.maxWalSenders());
        out.number(e.maxPreparedTransactions()).number(e.maxLocksPerTransaction());
        out.number(e.walLevel());
        out.u8((e.walLogHints() ? 1 : 0) | (e.trackCommitTimestamp() ? 2 : 0));
    }

    private static WalEvent parameters(ByteReader in) {
        int[] values = new int[6];
        for (int i = 0; i < values.length; i++) {
            values[i] = (int) in.number();
        }
        int flags = in.u8();
        return new WalEvent.ParametersChanged(
                values[0],
                values[1],
                values[2],
                values[3],
                values[4],
                values[5],
                (flags & 1) != 0,
                (flags & 2) != 0);
    }

    static WalEvent decode(ByteReader in) {
        int kind = in.u8();
        return switch (kind) {
            case 1 -> {
                String name = in.text();
                yield new WalEvent.RestorePoint(name, in.time());
            }
            case 2 -> checkpoint(in);
            case 3 -> new WalEvent.EndOfRecovery(in.time(), timeline(in), timeline(in));
            case 4 -> {
                RelationFile file = in.file();
                yield new WalEvent.FileCreated(
                        file,
                        Fork.ofNumber(in.u8()).orElseThrow(() -> ByteReader.invalid("no fork")));
            }
            case 5 -> {
                RelationFile file = in.file();
                long blocks = in.u32();
                int flags = in.u8();
                yield new WalEvent.FileTruncated(
                        file, blocks, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
            }
            case 6 -> transactionEnd(in);
            case 7 ->
                    new WalEvent.DatabaseCreated(
                            in.u32(),
                            in.u32(),
                            in.flag()
                                    ? Optional.of(new WalEvent.CopiedFrom(in.u32(), in.u32()))
                                    : Optional.empty());
            case 8 -> new WalEvent.DatabaseDropped(in.u32(), in.numbers());
            case 9 -> new WalEvent.TablespaceCreated(in.u32(), in.text());
            case 10 -> new WalEvent.TablespaceDropped(in.u32());
            case 11 -> {
                long database = in.u32();
                long tablespace = in.u32();
                Map<Long, Long> files = new TreeMap<>();
                int count = in.count();
                for (int i = 0; i < count; i++) {
                    long oid = in.u32();
                    files.put(oid, in.u32());
                }
                yield new WalEvent.RelationMapUpdated(database, tablespace, Map.copyOf(files));
            }
            case 12 -> parameters(in);
            case 13 -> new WalEvent.FullPageWritesChanged(in.flag());
            case 14 -> new WalEvent.RunningTransactions(in.u32(), in.u32());
            case 15 -> new WalEvent.CatalogRowChanged(in.u32(), in.number(), in.number());
            case 16 -> new WalEvent.FileFirstWritten(in.file(), in.flag());
            case 17 -> new WalEvent.BackupEnd(Lsn.of(in.number()));
            default -> throw ByteReader.invalid("there is an event of the kind " + kind);
        };
    }
}
