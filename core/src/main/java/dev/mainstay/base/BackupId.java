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
public record BackupId(String text) implements Comparable<BackupId> {
    private static final Pattern TEXT = Pattern.compile("\\d{8}T\\d{6}Z-[0-9a-f]{8}");
    private static final DateTimeFormatter SECOND =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    public BackupId {
        if (!TEXT.matcher(text).matches()) {
            throw new IllegalArgumentException("not a backup id: '" + text + "'");
        }
    }

    public static BackupId of(Instant begin, byte[] fourRandomBytes) {
        if (fourRandomBytes.length != 4) {
            throw new IllegalArgumentException("four random bytes are needed");
        }
        return new BackupId(SECOND.format(begin) + "-" + HexFormat.of().formatHex(fourRandomBytes));
    }

    public static BackupId parse(String text) {
        return new BackupId(text);
    }

    @Override
    public int compareTo(BackupId other) {
        return text.compareTo(other.text);
    }

    @Override
    public String toString() {
        return text;
    }
}
