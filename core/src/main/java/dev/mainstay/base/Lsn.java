package dev.mainstay.base;

/// A position in the write-ahead log: an unsigned 64-bit byte offset, printed as PostgreSQL does
/// (`16/B374D848`; src/include/access/xlogdefs.h).
public record Lsn(long value) implements Comparable<Lsn> {
    /// InvalidXLogRecPtr: no position.
    public static final Lsn NONE = new Lsn(0);

    public static Lsn of(long value) {
        return new Lsn(value);
    }

    /// @throws IllegalArgumentException if the text is not of the form `HEX/HEX`
    public static Lsn parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 1 || slash > 8 || text.length() - slash - 1 < 1 || text.length() - slash > 9) {
            throw new IllegalArgumentException("not an LSN: '" + text + "'");
        }
        try {
            long high = Integer.toUnsignedLong(Integer.parseUnsignedInt(text, 0, slash, 16));
            long low =
                    Integer.toUnsignedLong(
                            Integer.parseUnsignedInt(text, slash + 1, text.length(), 16));
            return new Lsn(high << 32 | low);
        } catch (NumberFormatException wrong) {
            throw new IllegalArgumentException("not an LSN: '" + text + "'", wrong);
        }
    }

    public Lsn plus(long bytes) {
        return new Lsn(value + bytes);
    }

    /// Bytes from `other` to this position; negative if this one lies before it.
    public long minus(Lsn other) {
        return value - other.value;
    }

    public boolean isBefore(Lsn other) {
        return compareTo(other) < 0;
    }

    public boolean isAfter(Lsn other) {
        return compareTo(other) > 0;
    }

    public boolean isNone() {
        return value == 0;
    }

    @Override
    public int compareTo(Lsn other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toHexString(value >>> 32).toUpperCase(java.util.Locale.ROOT)
                + "/"
                + Long.toHexString(value & 0xFFFFFFFFL).toUpperCase(java.util.Locale.ROOT);
    }
}
