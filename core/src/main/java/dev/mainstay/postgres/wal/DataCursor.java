package dev.mainstay.postgres.wal;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// Reads a record's main data field by field. A field beyond the end means that the record is not
/// what its resource manager and info say: an error, because its CRC holds.
final class DataCursor {
    private final WalRecord record;
    private final byte[] bytes;
    private final int begin;
    private final int end;
    private int at;

    DataCursor(WalRecord record, byte[] bytes, int begin, int end) {
        this.record = record;
        this.bytes = bytes;
        this.begin = begin;
        this.at = begin;
        this.end = end;
    }

    private int take(long count) {
        if (count < 0 || count > end - at) {
            throw new MainstayException(
                    ErrorCode.WAL_RECORD_INVALID,
                    "the "
                            + record.managerName()
                            + " record at "
                            + record.lsn()
                            + " is shorter than records of its kind");
        }
        int here = at;
        at += (int) count;
        return here;
    }

    int remaining() {
        return end - at;
    }

    void skip(long count) {
        take(count);
    }

    /// Goes on at the next multiple of eight from the beginning of the data.
    void align8() {
        int used = at - begin;
        take(-used & 7);
    }

    int u8() {
        return bytes[take(1)] & 0xff;
    }

    int u16() {
        return Bytes.u16(bytes, take(2));
    }

    int i32() {
        return Bytes.i32(bytes, take(4));
    }

    long u32() {
        return Bytes.u32(bytes, take(4));
    }

    long i64() {
        return Bytes.i64(bytes, take(8));
    }

    Lsn lsn() {
        return Lsn.of(i64());
    }

    Instant time() {
        return PgTime.instant(i64());
    }

    RelationFile file() {
        long tablespace = u32();
        long database = u32();
        return new RelationFile(tablespace, database, u32());
    }

    /// A count that the rest must have room for.
    int count(int bytesEach) {
        long count = u32();
        if (count * bytesEach > remaining()) {
            take(count * bytesEach);
        }
        return (int) count;
    }

    List<Long> numbers(int count) {
        List<Long> numbers = new ArrayList<>(Math.min(count, remaining() / 4));
        for (int i = 0; i < count; i++) {
            numbers.add(u32());
        }
        return List.copyOf(numbers);
    }

    List<RelationFile> files(int count) {
        List<RelationFile> files = new ArrayList<>(Math.min(count, remaining() / 12));
        for (int i = 0; i < count; i++) {
            files.add(file());
        }
        return List.copyOf(files);
    }

    /// Text up to a zero byte; goes on after it, or at the end of the data.
    String text() {
        int from = at;
        while (at < end && bytes[at] != 0) {
            at++;
        }
        String text = new String(bytes, from, at - from, StandardCharsets.UTF_8);
        at = Math.min(at + 1, end);
        return text;
    }

    /// Text in a field of fixed width.
    String text(int width) {
        int from = take(width);
        int length = 0;
        while (length < width && bytes[from + length] != 0) {
            length++;
        }
        return new String(bytes, from, length, StandardCharsets.UTF_8);
    }
}
