package dev.mainstay.postgres.cluster;

import dev.mainstay.base.Lsn;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Reads the header of a data page (src/include/storage/bufpage.h) and compares its checksum.
///
/// As the server has it: a page whose `pd_upper` is 0 is new; it is sound if and only if it is all
/// zeros. Every other page must carry its checksum.
public final class PageCheck {
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int CHECKSUM = 8;
    private static final int UPPER = 14;

    private PageCheck() {}

    /// What a page was found to be.
    public sealed interface Result {
        default boolean sound() {
            return !(this instanceof Mismatch);
        }
    }

    /// The checksum holds.
    public record Ok() implements Result {
        static final Ok INSTANCE = new Ok();
    }

    /// Nothing but zeros: the relation was extended and the page not written yet.
    public record New() implements Result {
        static final New INSTANCE = new New();
    }

    /// @param found in the page's header
    /// @param expected computed
    public record Mismatch(Lsn lsn, int found, int expected) implements Result {}

    /// Checks the page at `offset`.
    ///
    /// @param block number within the relation fork, over all segment files; unsigned
    public static Result verify(byte[] bytes, int offset, int blockSizeBytes, int block) {
        if (upper(bytes, offset) == 0 && isZero(bytes, offset, blockSizeBytes)) {
            return New.INSTANCE;
        }
        int found = Short.toUnsignedInt((short) SHORT.get(bytes, offset + CHECKSUM));
        int expected = PageChecksum.of(bytes, offset, blockSizeBytes, block);
        boolean holds = found == expected && upper(bytes, offset) != 0;
        return holds ? Ok.INSTANCE : new Mismatch(lsn(bytes, offset), found, expected);
    }

    /// The position after the last WAL record that changed the page (`pd_lsn`).
    public static Lsn lsn(byte[] bytes, int offset) {
        long high = Integer.toUnsignedLong((int) INT.get(bytes, offset));
        long low = Integer.toUnsignedLong((int) INT.get(bytes, offset + 4));
        return Lsn.of(high << 32 | low);
    }

    /// Whether the page was never initialised, or is damaged so that it seems so.
    public static boolean isNew(byte[] bytes, int offset) {
        return upper(bytes, offset) == 0;
    }

    public static boolean isZero(byte[] bytes, int offset, int length) {
        return bytes[offset] == 0
                && Arrays.equals(
                        bytes, offset, offset + length - 1, bytes, offset + 1, offset + length);
    }

    private static short upper(byte[] bytes, int offset) {
        return (short) SHORT.get(bytes, offset + UPPER);
    }
}
