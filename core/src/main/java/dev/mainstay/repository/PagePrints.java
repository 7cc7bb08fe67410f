package dev.mainstay.repository;

/// What a backup knows of the pages of a relation segment file: a fingerprint of each
/// (docs/format.md section 7). Nothing stored is fetched. Thread-safe.
public final class PagePrints {
    private final Fingerprints fingerprints;
    private final long[] values;

    PagePrints(Fingerprints fingerprints, long[] values) {
        this.fingerprints = fingerprints;
        this.values = values;
    }

    /// Whether bytes are a page as it is stored. Others pass for it by an accident of about 1 in
    /// 2^64.
    ///
    /// @param page counted from the file's beginning
    public boolean holds(int page, byte[] bytes, int offset, int length) {
        return fingerprints.of(bytes, offset, length) == values[page];
    }

    /// CRC-32C of a page as it is stored.
    public int crc(int page) {
        return Fingerprints.crc(values[page]);
    }
}
