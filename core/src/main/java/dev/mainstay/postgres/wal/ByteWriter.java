package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;

/// Writes the numbers and texts a summary is made of.
final class ByteWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    ByteWriter u8(int value) {
        out.write(value);
        return this;
    }

    ByteWriter flag(boolean value) {
        return u8(value ? 1 : 0);
    }

    /// An unsigned number of 64 bits.
    ByteWriter number(long value) {
        while ((value & ~0x7FL) != 0) {
            out.write((int) ((value & 0x7F) | 0x80));
            value >>>= 7;
        }
        out.write((int) value);
        return this;
    }

    ByteWriter signed(long value) {
        return number((value << 1) ^ (value >> 63));
    }

    ByteWriter lsn(Lsn lsn) {
        return number(lsn.value());
    }

    ByteWriter time(Instant time) {
        return signed(PgTime.micros(time));
    }

    ByteWriter text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        number(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    ByteWriter file(RelationFile file) {
        return number(file.tablespace()).number(file.database()).number(file.number());
    }

    ByteWriter numbers(List<Long> numbers) {
        number(numbers.size());
        numbers.forEach(this::number);
        return this;
    }

    ByteWriter raw(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    byte[] bytes() {
        return out.toByteArray();
    }
}
