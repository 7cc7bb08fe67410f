package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;

import java.util.Optional;

/// The header at the beginning of each WAL page (src/include/access/xlog_internal.h), all numbers
/// little-endian:
///
/// ```
///  0  u16 magic (tells the version)   2  u16 flags      4  u32 timeline
///  8  u64 position of the page       16  u32 bytes of a record continued from the page before
/// 24  u64 system identifier          32  u32 segment size   36  u32 page size   (long header only)
/// ```
///
/// A short header takes 24 bytes, a long one — the first page of every segment — 40.
///
/// @param timeline as written; zero is possible in damaged pages
public record WalPageHeader(
        WalFormat format,
        int flags,
        int timeline,
        Lsn position,
        long continuedBytes,
        Optional<SystemId> system,
        int segmentBytes,
        int pageBytes) {
    static final int CONTINUES_RECORD = 1;
    static final int LONG_HEADER = 2;
    static final int BACKUP_REMOVABLE = 4;
    static final int OVERWRITES_RECORD = 8;
    static final int ALL_FLAGS = 15;
    static final int SHORT_BYTES = 24;
    static final int LONG_BYTES = 40;

    /// The header at `offset`, or nothing if no supported version writes one like it.
    public static Optional<WalPageHeader> read(byte[] bytes, int offset) {
        if (bytes.length - offset < SHORT_BYTES) {
            return Optional.empty();
        }
        Optional<WalFormat> format = WalFormat.ofMagic(Bytes.u16(bytes, offset));
        int flags = Bytes.u16(bytes, offset + 2);
        boolean isLong = (flags & LONG_HEADER) != 0;
        if (format.isEmpty()
                || (flags & ~ALL_FLAGS) != 0
                || (isLong && bytes.length - offset < LONG_BYTES)) {
            return Optional.empty();
        }
        return Optional.of(
                new WalPageHeader(
                        format.get(),
                        flags,
                        Bytes.i32(bytes, offset + 4),
                        Lsn.of(Bytes.i64(bytes, offset + 8)),
                        Bytes.u32(bytes, offset + 16),
                        isLong
                                ? Optional.of(SystemId.of(Bytes.i64(bytes, offset + 24)))
                                : Optional.empty(),
                        isLong ? Bytes.i32(bytes, offset + 32) : 0,
                        isLong ? Bytes.i32(bytes, offset + 36) : 0));
    }

    public boolean isLong() {
        return (flags & LONG_HEADER) != 0;
    }

    /// The page begins with the rest of a record of an earlier page.
    public boolean continuesRecord() {
        return (flags & CONTINUES_RECORD) != 0;
    }

    /// A crash tore the record that should continue here; what begins here replaces it.
    public boolean overwritesRecord() {
        return (flags & OVERWRITES_RECORD) != 0;
    }
}
