package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;

import org.jspecify.annotations.Nullable;

import java.util.Optional;
import java.util.zip.CRC32C;

/// Reads WAL record by record and checks what PostgreSQL's own reader checks (src/backend/access/
/// transam/xlogreader.c): page headers, record headers, the link to the record before, the CRC, and
/// that the parts of a record add up. Records that lie within a page are read where they are.
///
/// [#next] answers a record, [WalPending] when the source has no more yet — call again later,
/// nothing is read twice — or [WalEnd], for good. A record torn by a crash that the server itself
/// declared void (`XLOG_OVERWRITE_CONTRECORD`) is passed over. Not for several threads.
public final class WalReader {
    private final WalWindow window;
    private final WalPages pages;
    private final int pageBytes;
    private final int segmentBytes;
    private final WalRecord record = new WalRecord();
    private final CRC32C crc = new CRC32C();
    private final long skipBefore;
    private boolean seeking;
    private boolean mayRestart;
    private long next;
    private boolean linked;
    private long previous;
    private @Nullable WalEnd ended;

    private byte[] assembled = new byte[1 << 16];
    private boolean assembling;
    private long recordStart;
    private int recordBytes;
    private int assembledBytes;
    private long continuation;

    private WalReader(WalSource source, WalLayout layout, long start, boolean seeking) {
        this.window = new WalWindow(source, layout.segmentBytes(), layout.pageBytes());
        this.pages = new WalPages(window, layout);
        this.pageBytes = layout.pageBytes();
        this.segmentBytes = layout.segmentBytes();
        this.seeking = seeking;
        this.mayRestart = seeking;
        this.skipBefore = start;
        this.next = seeking ? start & -(long) pageBytes : start;
    }

    /// Reads from `record`, which is where a record begins, or the beginning of the page whose
    /// first record is meant.
    public static WalReader open(WalSource source, WalLayout layout, Lsn record) {
        if ((record.value() & 7) != 0) {
            throw new IllegalArgumentException("no record can begin at " + record);
        }
        return new WalReader(source, layout, record.value(), false);
    }

    /// Reads from the first record that begins at or after `position`, wherever that lies.
    public static WalReader seek(WalSource source, WalLayout layout, Lsn position) {
        return new WalReader(source, layout, position.value(), true);
    }

    /// Where the next record begins, or the page header before it, or the record that is
    /// incomplete.
    public Lsn position() {
        return Lsn.of(assembling ? recordStart : next);
    }

    /// The format of the pages read so far.
    public Optional<WalFormat> format() {
        return Optional.ofNullable(pages.format());
    }

    /// The system identifier in the long headers read so far.
    public Optional<SystemId> system() {
        return pages.system();
    }

    /// The next step. A record is valid until the next call.
    public WalStep next() {
        while (true) {
            if (ended != null) {
                return ended;
            }
            WalStep step = assembling ? assemble() : begin();
            if (step == null || restarts(step)) {
                continue;
            }
            if (step instanceof WalRecord && Long.compareUnsigned(record.begin(), skipBefore) < 0) {
                continue;
            }
            return step;
        }
    }

    /// Zeros where the search began may be the rest of a segment that was switched early: only its
    /// beginning tells.
    private boolean restarts(WalStep step) {
        boolean zeros = step instanceof WalEnd end && end.reason() == WalEnd.Reason.ZEROS;
        if (!zeros || !mayRestart || linked) {
            return false;
        }
        mayRestart = false;
        ended = null;
        seeking = true;
        assembling = false;
        next = skipBefore & -(long) segmentBytes;
        return true;
    }

    /// @return null when there is more to do
    private @Nullable WalStep begin() {
        long page = next & -(long) pageBytes;
        if (!pages.open(page)) {
            return blocked(next);
        }
        int offset = Math.max((int) (next - page), pages.headerBytes());
        if (offset == pages.headerBytes()) {
            if (pages.continuesRecord()) {
                if (!seeking) {
                    return fail(
                            WalEnd.Reason.PAGE_INVALID,
                            next,
                            "a record should begin here, but one continues");
                }
                long rest = Bytes.align8(pages.continuedBytes());
                int room = pageBytes - offset;
                next = rest >= room ? page + pageBytes : page + offset + rest;
                return null;
            }
        }
        seeking = false;
        next = page + offset;
        if (!fill(page, offset + 4)) {
            return blocked(next);
        }
        long total = Bytes.u32(window.bytes(), window.index(next));
        int onPage = pageBytes - offset;
        if (total < WalRecord.HEADER_BYTES || total > WalRecord.MAX_BYTES) {
            return total == 0
                    ? fail(WalEnd.Reason.ZEROS, next, "zeros where a record should begin")
                    : fail(WalEnd.Reason.RECORD_INVALID, next, "impossible length " + total);
        }
        return total <= onPage
                ? readWithinPage(page, offset, (int) total)
                : startAssembly(page, offset, (int) total);
    }

    private WalStep readWithinPage(long page, int offset, int total) {
        if (!fill(page, offset + WalRecord.HEADER_BYTES)) {
            return blocked(next);
        }
        WalEnd wrong = checkHeader(window.bytes(), window.index(next), next);
        if (wrong != null) {
            return wrong;
        }
        if (!fill(page, offset + total)) {
            return blocked(next);
        }
        return finish(window.bytes(), window.index(next), total, next, next + Bytes.align8(total));
    }

    private @Nullable WalStep startAssembly(long page, int offset, int total) {
        int onPage = pageBytes - offset;
        if (onPage >= WalRecord.HEADER_BYTES) {
            if (!fill(page, offset + WalRecord.HEADER_BYTES)) {
                return blocked(next);
            }
            WalEnd wrong = checkHeader(window.bytes(), window.index(next), next);
            if (wrong != null) {
                return wrong;
            }
        }
        if (!fill(page, pageBytes)) {
            return blocked(next);
        }
        assembledBytes = 0;
        append(window.index(next), onPage, total);
        assembling = true;
        recordStart = next;
        recordBytes = total;
        continuation = page + pageBytes;
        return null;
    }

    /// @return null if the record was declared void: reading goes on after it
    private @Nullable WalStep assemble() {
        while (true) {
            if (!pages.open(continuation)) {
                return blocked(recordStart);
            }
            if (pages.overwritesRecord()) {
                assembling = false;
                next = continuation;
                return null;
            }
            long rest = pages.continuedBytes();
            if (!pages.continuesRecord() || rest != recordBytes - assembledBytes) {
                return fail(
                        WalEnd.Reason.TORN,
                        recordStart,
                        "the record does not continue on the page at " + Lsn.of(continuation));
            }
            int header = pages.headerBytes();
            int count = (int) Math.min(rest, pageBytes - header);
            if (!fill(continuation, header + count)) {
                return blocked(recordStart);
            }
            boolean headerWasSplit = assembledBytes < WalRecord.HEADER_BYTES;
            append(window.index(continuation) + header, count, recordBytes);
            if (headerWasSplit) {
                WalEnd wrong = checkHeader(assembled, 0, recordStart);
                if (wrong != null) {
                    return wrong;
                }
            }
            if (assembledBytes == recordBytes) {
                assembling = false;
                long end = continuation + header + Bytes.align8(count);
                return finish(assembled, 0, recordBytes, recordStart, end);
            }
            continuation += pageBytes;
        }
    }

    private void append(int from, int count, int total) {
        if (assembledBytes + count > assembled.length) {
            long doubled = Math.max(2L * assembled.length, assembledBytes + (long) count);
            byte[] larger = new byte[(int) Math.min(doubled, total)];
            System.arraycopy(assembled, 0, larger, 0, assembledBytes);
            assembled = larger;
        }
        System.arraycopy(window.bytes(), from, assembled, assembledBytes, count);
        assembledBytes += count;
    }

    private @Nullable WalEnd checkHeader(byte[] bytes, int at, long lsn) {
        int manager = bytes[at + 17] & 0xff;
        if (!Rmgr.isValid(manager, pages.openFormat())) {
            return fail(WalEnd.Reason.RECORD_INVALID, lsn, "unknown resource manager " + manager);
        }
        long link = Bytes.i64(bytes, at + 8);
        boolean holds = linked ? link == previous : Long.compareUnsigned(link, lsn) < 0;
        if (!holds) {
            return fail(
                    WalEnd.Reason.LINK_BROKEN,
                    lsn,
                    "the record names "
                            + Lsn.of(link)
                            + " as the one before it"
                            + (linked ? ", which is " + Lsn.of(previous) : ""));
        }
        return null;
    }

    private WalStep finish(byte[] bytes, int at, int total, long lsn, long end) {
        crc.reset();
        crc.update(bytes, at + WalRecord.HEADER_BYTES, total - WalRecord.HEADER_BYTES);
        crc.update(bytes, at, 20);
        if ((int) crc.getValue() != Bytes.i32(bytes, at + 20)) {
            return fail(WalEnd.Reason.CRC_MISMATCH, lsn, "the record's CRC does not hold");
        }
        boolean switches =
                bytes[at + 17] == Rmgr.XLOG.id() && (bytes[at + 16] & 0xf0) == XlogDecoder.SWITCH;
        long after = switches ? (end + segmentBytes - 1) & -(long) segmentBytes : end;
        String wrong = record.decode(pages.openFormat(), bytes, at, total, lsn, after);
        if (!wrong.isEmpty()) {
            return fail(WalEnd.Reason.RECORD_INVALID, lsn, wrong);
        }
        previous = lsn;
        linked = true;
        next = after;
        return record;
    }

    private boolean fill(long page, int count) {
        return pages.fill(page, count);
    }

    /// The step that says why the last page or fill did not succeed.
    private WalStep blocked(long lsn) {
        if (pages.isPending()) {
            return new WalPending(Lsn.of(lsn), Lsn.of(window.limit()));
        }
        WalEnd.Reason reason = pages.failure();
        if (assembling && reason == WalEnd.Reason.ZEROS) {
            reason = WalEnd.Reason.TORN;
        }
        return fail(reason, lsn, pages.failureDetail());
    }

    private WalEnd fail(WalEnd.Reason reason, long lsn, String detail) {
        ended = new WalEnd(Lsn.of(lsn), reason, detail);
        return ended;
    }
}
