package dev.mainstay.base;

/// The identifier that initdb gave a cluster: an unsigned 64-bit number (pg_control,
/// `system_identifier`).
public record SystemId(long value) {
    public static SystemId of(long value) {
        return new SystemId(value);
    }

    /// @throws IllegalArgumentException if the text is no unsigned decimal number
    public static SystemId parse(String decimal) {
        try {
            return new SystemId(Long.parseUnsignedLong(decimal));
        } catch (NumberFormatException wrong) {
            throw new IllegalArgumentException("not a system identifier: '" + decimal + "'", wrong);
        }
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(value);
    }
}
