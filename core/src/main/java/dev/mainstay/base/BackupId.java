package dev.mainstay.base;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;

/// The id of a backup: the UTC second it began, for people, and eight random hex digits, for
/// uniqueness (`20261121T041500Z-3f9a1c07`). The order of backups comes from the record chain,
/// never from this text.
///
/// @param second the digits of that second: as a number, since servers know of very many backups
/// @param unique the hex digits
public record BackupId(long second, int unique) implements Comparable<BackupId> {
    private static final Pattern TEXT = Pattern.compile("\\d{8}T\\d{6}Z-[0-9a-f]{8}");
    private static final DateTimeFormatter SECOND =
            DateTimeFormatter.ofPattern("uuuuMMddHHmmss", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final int DATE_DIGITS = 8;
    private static final int TIME_DIGITS = 6;
    private static final long DAY = 1_000_000;
    private static final long END = DAY * 100_000_000;

    public BackupId {
        if (second < 0 || second >= END) {
            throw new IllegalArgumentException("not the second of a backup id: " + second);
        }
    }

    public static BackupId of(Instant begin, byte[] fourRandomBytes) {
        if (fourRandomBytes.length != 4) {
            throw new IllegalArgumentException("four random bytes are needed");
        }
        return new BackupId(
                Long.parseLong(SECOND.format(begin)),
                Integer.parseUnsignedInt(HexFormat.of().formatHex(fourRandomBytes), 16));
    }

    /// @throws IllegalArgumentException if it is none
    public static BackupId parse(String text) {
        if (!TEXT.matcher(text).matches()) {
            throw new IllegalArgumentException("not a backup id: '" + text + "'");
        }
        int time = DATE_DIGITS + 1;
        int zone = time + TIME_DIGITS;
        return new BackupId(
                Integer.parseInt(text, 0, DATE_DIGITS, 10) * DAY
                        + Integer.parseInt(text, time, zone, 10),
                Integer.parseUnsignedInt(text, zone + 2, text.length(), 16));
    }

    public String text() {
        StringBuilder text = new StringBuilder();
        padded(text, Long.toString(second / DAY), DATE_DIGITS).append('T');
        padded(text, Long.toString(second % DAY), TIME_DIGITS).append("Z-");
        return text.append(HexFormat.of().toHexDigits(unique)).toString();
    }

    private static StringBuilder padded(StringBuilder to, String number, int digits) {
        return to.repeat('0', digits - number.length()).append(number);
    }

    /// As their texts.
    @Override
    public int compareTo(BackupId other) {
        int seconds = Long.compare(second, other.second);
        return seconds != 0 ? seconds : Integer.compareUnsigned(unique, other.unique);
    }

    @Override
    public String toString() {
        return text();
    }
}
