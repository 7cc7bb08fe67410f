package dev.mainstay.base;

import java.util.Locale;
import java.util.regex.Pattern;

/// One WAL segment file: its timeline, its number and the cluster's segment size in bytes
/// (src/include/access/xlog_internal.h, XLogFileName). The name alone does not tell the size, so
/// [#parse] is told it.
public record WalSegment(TimelineId timeline, long number, int sizeBytes)
        implements Comparable<WalSegment> {
    private static final Pattern NAME = Pattern.compile("[0-9A-F]{24}");

    public WalSegment {
        if (Integer.bitCount(sizeBytes) != 1 || sizeBytes < 1 << 20 || sizeBytes > 1 << 30) {
            throw new IllegalArgumentException("not a WAL segment size: " + sizeBytes);
        }
    }

    /// The segment that holds the byte at `lsn`.
    public static WalSegment containing(TimelineId timeline, Lsn lsn, int sizeBytes) {
        return new WalSegment(timeline, Long.divideUnsigned(lsn.value(), sizeBytes), sizeBytes);
    }

    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /// @throws IllegalArgumentException if the name is none of a segment of this size
    public static WalSegment parse(String name, int sizeBytes) {
        if (!isName(name)) {
            throw new IllegalArgumentException("not a WAL segment name: '" + name + "'");
        }
        long perId = 0x1_0000_0000L / sizeBytes;
        long high = Long.parseUnsignedLong(name, 8, 16, 16);
        long low = Long.parseUnsignedLong(name, 16, 24, 16);
        if (low >= perId) {
            throw new IllegalArgumentException(
                    "'" + name + "' is no segment of " + ByteSize.of(sizeBytes));
        }
        return new WalSegment(
                TimelineId.parseHex(name.substring(0, 8)), high * perId + low, sizeBytes);
    }

    public Lsn start() {
        return Lsn.of(number * sizeBytes);
    }

    /// First byte after this segment.
    public Lsn end() {
        return Lsn.of((number + 1) * sizeBytes);
    }

    public WalSegment next() {
        return new WalSegment(timeline, number + 1, sizeBytes);
    }

    public WalSegment onTimeline(TimelineId other) {
        return new WalSegment(other, number, sizeBytes);
    }

    public boolean contains(Lsn lsn) {
        return !lsn.isBefore(start()) && lsn.isBefore(end());
    }

    /// The 24 hex digits PostgreSQL names the file with.
    public String fileName() {
        long perId = 0x1_0000_0000L / sizeBytes;
        return String.format(
                Locale.ROOT, "%s%08X%08X", timeline.hex(), number / perId, number % perId);
    }

    @Override
    public int compareTo(WalSegment other) {
        int byNumber = Long.compare(number, other.number);
        return byNumber != 0 ? byNumber : timeline.compareTo(other.timeline);
    }

    @Override
    public String toString() {
        return fileName();
    }
}
