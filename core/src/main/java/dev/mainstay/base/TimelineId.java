package dev.mainstay.base;

import java.util.Locale;

/// A timeline of a cluster, from 1 (src/include/access/xlogdefs.h, TimeLineID).
public record TimelineId(int value) implements Comparable<TimelineId> {
    public TimelineId {
        if (value == 0) {
            throw new IllegalArgumentException("timeline 0 does not exist");
        }
    }

    public static TimelineId of(int value) {
        return new TimelineId(value);
    }

    /// Reads the eight hex digits that stand first in a WAL file's name.
    public static TimelineId parseHex(String eightDigits) {
        if (eightDigits.length() != 8) {
            throw new IllegalArgumentException("not a timeline: '" + eightDigits + "'");
        }
        try {
            return new TimelineId(Integer.parseUnsignedInt(eightDigits, 16));
        } catch (NumberFormatException wrong) {
            throw new IllegalArgumentException("not a timeline: '" + eightDigits + "'", wrong);
        }
    }

    /// Eight upper-case hex digits, as in WAL file names.
    public String hex() {
        return String.format(Locale.ROOT, "%08X", value);
    }

    /// Name of this timeline's history file.
    public String historyFileName() {
        return hex() + ".history";
    }

    @Override
    public int compareTo(TimelineId other) {
        return Integer.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return Integer.toUnsignedString(value);
    }
}
