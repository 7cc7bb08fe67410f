package dev.mainstay.postgres.wal;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;

import java.util.Optional;

/// What a reader must know of a cluster's WAL before it reads the first page: sizes, and — where
/// known — format, system identifier and the newest timeline whose pages may appear. What is left
/// empty is taken from the first page that tells it; what is given is checked on every page.
public record WalLayout(
        int segmentBytes,
        int pageBytes,
        Optional<WalFormat> format,
        Optional<SystemId> system,
        Optional<TimelineId> timeline) {
    /// Of the header at the beginning of every segment; no record begins before it ends.
    public static final int LONG_HEADER_BYTES = WalPageHeader.LONG_BYTES;

    public WalLayout {
        if (Integer.bitCount(pageBytes) != 1 || pageBytes < 1024 || pageBytes > 65536) {
            throw new IllegalArgumentException("not a WAL page size: " + pageBytes);
        }
        if (Integer.bitCount(segmentBytes) != 1
                || segmentBytes < 2 * pageBytes
                || segmentBytes > 1 << 30) {
            throw new IllegalArgumentException("not a WAL segment size: " + segmentBytes);
        }
    }

    /// Pages of 8 KiB, as nearly every build has, and nothing else known.
    public static WalLayout of(int segmentBytes) {
        return new WalLayout(
                segmentBytes, 8192, Optional.empty(), Optional.empty(), Optional.empty());
    }

    /// Reads the layout from the long header at the beginning of a segment file.
    ///
    /// @param head at least the first 40 bytes of a segment
    /// @throws MainstayException WAL_FILE_INVALID if these bytes begin no segment
    public static WalLayout read(byte[] head) {
        WalPageHeader header =
                WalPageHeader.read(head, 0)
                        .filter(WalPageHeader::isLong)
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.WAL_FILE_INVALID,
                                                "the bytes do not begin a WAL segment"));
        try {
            return new WalLayout(
                    header.segmentBytes(),
                    header.pageBytes(),
                    Optional.of(header.format()),
                    header.system(),
                    Optional.empty());
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.WAL_FILE_INVALID,
                    "the segment's header names impossible sizes",
                    wrong);
        }
    }

    public WalLayout withFormat(WalFormat known) {
        return new WalLayout(segmentBytes, pageBytes, Optional.of(known), system, timeline);
    }

    public WalLayout withSystem(SystemId known) {
        return new WalLayout(segmentBytes, pageBytes, format, Optional.of(known), timeline);
    }

    /// Pages of a newer timeline than `newest` end the WAL.
    public WalLayout withTimeline(TimelineId newest) {
        return new WalLayout(segmentBytes, pageBytes, format, system, Optional.of(newest));
    }
}
