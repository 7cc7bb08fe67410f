package dev.mainstay.postgres.wal;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// Reads what [ByteWriter] wrote, and refuses everything else.
final class ByteReader {
    private final byte[] bytes;
    private final int end;
    private int at;

    ByteReader(byte[] bytes, int begin, int end) {
        this.bytes = bytes;
        this.at = begin;
        this.end = end;
    }

    static MainstayException invalid(String why) {
        return new MainstayException(
                ErrorCode.WAL_FILE_INVALID, "the bytes are no WAL summary: " + why);
    }

    int remaining() {
        return end - at;
    }

    int u8() {
        if (at >= end) {
            throw invalid("they end too early");
        }
        return bytes[at++] & 0xff;
    }

    boolean flag() {
        int value = u8();
        if (value > 1) {
            throw invalid("there is a flag of " + value);
        }
        return value == 1;
    }

    long number() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int next = u8();
            value |= (long) (next & 0x7F) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        throw invalid("there is a number of more than 64 bits");
    }

    long u32() {
        long value = number();
        if (value >>> 32 != 0) {
            throw invalid("there is a number of more than 32 bits");
        }
        return value;
    }

    /// A count of things that take at least a byte each.
    int count() {
        long value = number();
        if (value < 0 || value > remaining()) {
            throw invalid("there is a count of " + Long.toUnsignedString(value));
        }
        return (int) value;
    }

    long signed() {
        long value = number();
        return (value >>> 1) ^ -(value & 1);
    }

    Lsn lsn() {
        return Lsn.of(number());
    }

    Instant time() {
        return PgTime.instant(signed());
    }

    String text() {
        int length = count();
        String text = new String(bytes, at, length, StandardCharsets.UTF_8);
        at += length;
        return text;
    }

    RelationFile file() {
        long tablespace = u32();
        long database = u32();
        return new RelationFile(tablespace, database, u32());
    }

    <T> List<T> list(Supplier<T> item) {
        int count = count();
        List<T> list = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            list.add(item.get());
        }
        return list;
    }

    List<Long> numbers() {
        return list(this::u32);
    }
}
