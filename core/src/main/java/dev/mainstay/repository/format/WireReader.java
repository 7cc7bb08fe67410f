package dev.mainstay.repository.format;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Reads what [WireWriter] wrote. Every length is checked against what is there, so that no input
/// makes it allocate or read beyond its bytes.
public final class WireReader {
    private final String what;
    private final byte[] bytes;
    private final int end;
    private int position;

    /// @param what names the thing in errors
    public WireReader(String what, byte[] bytes) {
        this(what, bytes, 0, bytes.length);
    }

    public WireReader(String what, byte[] bytes, int offset, int length) {
        this.what = what;
        this.bytes = bytes;
        this.position = offset;
        this.end = offset + length;
    }

    private int take(long length) {
        if (length < 0 || length > end - position) {
            throw malformed("ends early");
        }
        int at = position;
        position += (int) length;
        return at;
    }

    public MainstayException malformed(String why) {
        return new MainstayException(ErrorCode.OBJECT_DAMAGED, what + " is malformed: " + why);
    }

    public int u8() {
        return bytes[take(1)] & 0xFF;
    }

    public int u32() {
        return Bytes.getInt(bytes, take(4));
    }

    public long u64() {
        return Bytes.getLong(bytes, take(8));
    }

    public long varint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int next = u8();
            value |= (long) (next & 0x7F) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        throw malformed("number of more than ten bytes");
    }

    /// A varint that must fit a non-negative int: a count, a length or an index.
    public int count() {
        long value = varint();
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw malformed("count out of range");
        }
        return (int) value;
    }

    public byte[] raw(int length) {
        int at = take(length);
        return Arrays.copyOfRange(bytes, at, at + length);
    }

    public byte[] bytes() {
        return raw(count());
    }

    public String string() {
        return new String(bytes(), StandardCharsets.UTF_8);
    }

    /// Skips bytes and tells where they stand in the array given to the constructor.
    public int skip(int length) {
        return take(length);
    }

    public int remaining() {
        return end - position;
    }

    public int position() {
        return position;
    }

    public void expectEnd() {
        if (position != end) {
            throw malformed(end - position + " bytes too many");
        }
    }
}
