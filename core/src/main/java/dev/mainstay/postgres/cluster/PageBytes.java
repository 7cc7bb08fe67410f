package dev.mainstay.postgres.cluster;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// The layout that all kinds of pages share (src/include/storage/bufpage.h): a header of 24 bytes,
/// item pointers of 4 bytes each up to `pd_lower`, a hole, items from `pd_upper` on, and from
/// `pd_special` on what the access method keeps there. Positions are counted from the page's start.
///
/// @param offset where the page begins
record PageBytes(byte[] bytes, int offset, int size) {
    static final int HEADER = 24;
    static final int CHECKSUM = 8;
    static final int FLAGS = 10;
    static final int LOWER = 12;
    static final int UPPER = 14;
    static final int PRUNE_XID = 20;

    /// The state of an item pointer whose item is in use.
    static final int ITEM_NORMAL = 1;

    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    /// As the server checks it before it touches a page's hole.
    boolean isPlausible() {
        return lower() >= HEADER && lower() <= upper() && upper() <= special() && special() <= size;
    }

    int lower() {
        return shortAt(LOWER);
    }

    int upper() {
        return shortAt(UPPER);
    }

    int special() {
        return shortAt(16);
    }

    int items() {
        return Math.max(0, lower() - HEADER) / 4;
    }

    /// An item pointer: 15 bits of position, 2 of state, 15 of length.
    ///
    /// @param number from 1
    int item(int number) {
        return intAt(HEADER + (number - 1) * 4);
    }

    static int itemState(int item) {
        return item >>> 15 & 3;
    }

    static int itemOffset(int item) {
        return item & 0x7FFF;
    }

    static int itemLength(int item) {
        return item >>> 17;
    }

    void item(int number, int value) {
        intAt(HEADER + (number - 1) * 4, value);
    }

    boolean isHoleEmpty() {
        int length = upper() - lower();
        return length == 0 || PageCheck.isZero(bytes, offset + lower(), length);
    }

    int shortAt(int at) {
        return Short.toUnsignedInt((short) SHORT.get(bytes, offset + at));
    }

    int intAt(int at) {
        return (int) INT.get(bytes, offset + at);
    }

    void shortAt(int at, int value) {
        SHORT.set(bytes, offset + at, (short) value);
    }

    void intAt(int at, int value) {
        INT.set(bytes, offset + at, value);
    }

    void clear(int from, int end) {
        Arrays.fill(bytes, offset + from, offset + end, (byte) 0);
    }

    void clearBits(int at, int mask) {
        shortAt(at, shortAt(at) & ~mask);
    }
}
