package dev.mainstay.repository.format;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Writes the primitive types of docs/format.md section 2: big-endian integers, LEB128 varints,
/// length-prefixed bytes and strings.
public final class WireWriter {
    private byte[] bytes;
    private int size;

    public WireWriter() {
        this(256);
    }

    public WireWriter(int capacity) {
        bytes = new byte[Math.max(16, capacity)];
    }

    private void room(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }

    public WireWriter u8(int value) {
        room(1);
        bytes[size++] = (byte) value;
        return this;
    }

    public WireWriter u32(int value) {
        room(4);
        Bytes.putInt(bytes, size, value);
        size += 4;
        return this;
    }

    public WireWriter u64(long value) {
        room(8);
        Bytes.putLong(bytes, size, value);
        size += 8;
        return this;
    }

    /// Unsigned LEB128, 1 to 10 bytes.
    public WireWriter varint(long value) {
        room(10);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes[size++] = (byte) (rest & 0x7F | 0x80);
            rest >>>= 7;
        }
        bytes[size++] = (byte) rest;
        return this;
    }

    /// Bytes without their length; the reader knows it.
    public WireWriter raw(byte[] value) {
        return raw(value, 0, value.length);
    }

    public WireWriter raw(byte[] value, int offset, int length) {
        room(length);
        System.arraycopy(value, offset, bytes, size, length);
        size += length;
        return this;
    }

    /// Varint length, then the bytes.
    public WireWriter bytes(byte[] value) {
        return varint(value.length).raw(value);
    }

    /// A string as UTF-8 bytes.
    public WireWriter string(String value) {
        return bytes(value.getBytes(StandardCharsets.UTF_8));
    }

    public int size() {
        return size;
    }

    public void clear() {
        size = 0;
    }

    /// The bytes written so far, without a copy: valid until the next write.
    public byte[] array() {
        return bytes;
    }

    public byte[] toBytes() {
        return Arrays.copyOf(bytes, size);
    }
}
