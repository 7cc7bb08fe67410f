package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/// Writes WAL as a server does: pages with headers, records that continue over pages and segments.
final class SyntheticWal {
    static final long SYSTEM = 0x1122334455667788L;

    /// A record as written: where it begins, what the reader must find.
    record Written(long lsn, long previous, long xid, int info, int manager, ByteBuffer body) {}

    final int segmentBytes;
    final int pageBytes;
    final WalFormat format;
    final long base;
    final List<Written> written = new ArrayList<>();
    int timeline = 1;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private long previous;

    SyntheticWal(WalFormat format, int segmentBytes, int pageBytes, long firstSegment) {
        this.format = format;
        this.segmentBytes = segmentBytes;
        this.pageBytes = pageBytes;
        this.base = firstSegment * segmentBytes;
        this.previous = base - 40;
    }

    WalLayout layout() {
        return new WalLayout(
                segmentBytes, pageBytes, Optional.empty(), Optional.empty(), Optional.empty());
    }

    long position() {
        return base + out.size();
    }

    Lsn begin() {
        return Lsn.of(base);
    }

    private void pageHeader(long continued, int extraFlags) {
        boolean first = position() % segmentBytes == 0;
        ByteBuffer header = ByteBuffer.allocate(first ? 40 : 24).order(ByteOrder.LITTLE_ENDIAN);
        int flags = (continued > 0 ? 1 : 0) | (first ? 2 : 0) | extraFlags;
        header.putShort((short) format.magic()).putShort((short) flags).putInt(timeline);
        header.putLong(position()).putInt((int) continued).putInt(0);
        if (first) {
            header.putLong(SYSTEM).putInt(segmentBytes).putInt(pageBytes);
        }
        out.writeBytes(header.array());
    }

    private void raw(byte[] bytes) {
        int done = 0;
        while (done < bytes.length) {
            int inPage = (int) (position() % pageBytes);
            if (inPage == 0) {
                pageHeader(done == 0 ? 0 : bytes.length - done, 0);
                continue;
            }
            int count = Math.min(bytes.length - done, pageBytes - inPage);
            out.write(bytes, done, count);
            done += count;
        }
        while (out.size() % 8 != 0) {
            out.write(0);
        }
    }

    /// @param body everything after the record header
    long append(long xid, int manager, int info, byte[] body) {
        if (position() % pageBytes == 0) {
            pageHeader(0, 0);
        }
        long lsn = position();
        written.add(new Written(lsn, previous, xid, info, manager, ByteBuffer.wrap(body)));
        raw(record(xid, manager, info, body));
        previous = lsn;
        return lsn;
    }

    long appendMain(long xid, int manager, int info, byte[] main) {
        return append(xid, manager, info, main(main));
    }

    /// Begins a record that a crash tears at the page's end, as 14 and later replace it.
    void appendTorn(byte[] body) {
        if (position() % pageBytes == 0) {
            pageHeader(0, 0);
        }
        byte[] record = record(1, 0, 0xB0, body);
        int room = pageBytes - (int) (position() % pageBytes);
        if (record.length <= room) {
            throw new IllegalArgumentException("too short to be torn");
        }
        long torn = position();
        out.write(record, 0, room);
        pageHeader(0, 8);
        appendMain(
                0,
                0,
                XlogDecoder.OVERWRITE_CONTRECORD,
                ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(torn).array());
    }

    private byte[] record(long xid, int manager, int info, byte[] body) {
        ByteBuffer record = ByteBuffer.allocate(24 + body.length).order(ByteOrder.LITTLE_ENDIAN);
        record.putInt(24 + body.length).putInt((int) xid).putLong(previous);
        record.put((byte) info).put((byte) manager).putShort((short) 0).putInt(0).put(body);
        CRC32C crc = new CRC32C();
        crc.update(record.array(), 24, body.length);
        crc.update(record.array(), 0, 20);
        record.putInt(20, (int) crc.getValue());
        return record.array();
    }

    void switchSegment() {
        append(0, 0, XlogDecoder.SWITCH, new byte[0]);
        while (position() % segmentBytes != 0) {
            if (position() % pageBytes == 0) {
                pageHeader(0, 0);
            } else {
                out.write(0);
            }
        }
    }

    static byte[] main(byte[] main) {
        if (main.length == 0) {
            return main;
        }
        ByteBuffer body = ByteBuffer.allocate(main.length + 5).order(ByteOrder.LITTLE_ENDIAN);
        if (main.length < 256) {
            body.put((byte) 255).put((byte) main.length);
        } else {
            body.put((byte) 254).putInt(main.length);
        }
        body.put(main);
        return Arrays.copyOf(body.array(), body.position());
    }

    /// References to whole-page-initialised blocks of one relation's main fork, and main data.
    static byte[] references(RelationFile file, long[] blocks, byte[] main) {
        ByteBuffer body =
                ByteBuffer.allocate(blocks.length * 20 + main.length + 5)
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < blocks.length; i++) {
            body.put((byte) i).put((byte) (i == 0 ? 0x40 : 0xC0)).putShort((short) 0);
            if (i == 0) {
                body.putInt((int) file.tablespace()).putInt((int) file.database());
                body.putInt((int) file.number());
            }
            body.putInt((int) blocks[i]);
        }
        body.put(main(main));
        return Arrays.copyOf(body.array(), body.position());
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    /// The log up to here, nothing after it ever.
    WalSource source() {
        return source(bytes());
    }

    WalSource source(byte[] all) {
        return WalSource.segments(
                segmentBytes,
                number -> {
                    long from = number * segmentBytes - base;
                    return from < 0 || from >= all.length
                            ? Optional.empty()
                            : Optional.of(
                                    Arrays.copyOfRange(
                                            all,
                                            (int) from,
                                            (int) Math.min(all.length, from + segmentBytes)));
                });
    }
}
