package dev.mainstay.base;

import java.util.HexFormat;

/// The stable id of a source: 16 random bytes, printed as 32 lower-case hex digits. It survives
/// renames and `pg_upgrade`; the name in the configuration is only a label for it.
public record SourceId(String hex) implements Comparable<SourceId> {
    public SourceId {
        if (hex.length() != 32 || !hex.matches("[0-9a-f]{32}")) {
            throw new IllegalArgumentException("not a source id: '" + hex + "'");
        }
    }

    public static SourceId of(byte[] sixteenBytes) {
        return new SourceId(HexFormat.of().formatHex(sixteenBytes));
    }

    public static SourceId parse(String hex) {
        return new SourceId(hex);
    }

    public byte[] bytes() {
        return HexFormat.of().parseHex(hex);
    }

    @Override
    public int compareTo(SourceId other) {
        return hex.compareTo(other.hex);
    }

    @Override
    public String toString() {
        return hex;
    }
}
