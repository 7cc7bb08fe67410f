package dev.mainstay.postgres.wal;

/// A page image inside a record, as it was written.
///
/// @param applied replay writes the image over the page; otherwise it serves consistency checks
///   only
/// @param holeOffset where zeros were left out of the page
/// @param holeLength how many; 0 in an uncompressed image, where it follows from the page size
/// @param storedBytes how many bytes the image takes in the log ([WalRecord#imageBytes])
public record PageImage(
        Compression compression, boolean applied, int holeOffset, int holeLength, int storedBytes) {
    public enum Compression {
        NONE,
        PGLZ,
        LZ4,
        ZSTD,
        UNKNOWN
    }

    static Compression compression(WalFormat format, int flags) {
        if (!format.hasImageCompressionMethods()) {
            return (flags & 2) != 0 ? Compression.PGLZ : Compression.NONE;
        }
        return switch (flags & 0x1c) {
            case 0 -> Compression.NONE;
            case 4 -> Compression.PGLZ;
            case 8 -> Compression.LZ4;
            case 16 -> Compression.ZSTD;
            default -> Compression.UNKNOWN;
        };
    }
}
