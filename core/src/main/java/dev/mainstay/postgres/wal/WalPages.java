package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;

import org.jspecify.annotations.Nullable;

import java.util.Objects;
import java.util.Optional;

/// The pages under a reader: fetches one at a time and checks its header once.
final class WalPages {
    private final WalWindow window;
    private final WalLayout layout;
    private @Nullable WalFormat format;
    private Optional<SystemId> system;
    private int newestTimeline;
    private long opened = -1;
    private int flags;
    private long continuedBytes;
    private int headerBytes;
    private boolean pending;
    private WalEnd.Reason failure = WalEnd.Reason.SEGMENT_MISSING;
    private String failureDetail = "";

    WalPages(WalWindow window, WalLayout layout) {
        this.window = window;
        this.layout = layout;
        this.format = layout.format().orElse(null);
        this.system = layout.system();
    }

    @Nullable WalFormat format() {
        return format;
    }

    /// The format, once a page was opened.
    WalFormat openFormat() {
        return Objects.requireNonNull(format);
    }

    Optional<SystemId> system() {
        return system;
    }

    boolean continuesRecord() {
        return (flags & WalPageHeader.CONTINUES_RECORD) != 0;
    }

    boolean overwritesRecord() {
        return (flags & WalPageHeader.OVERWRITES_RECORD) != 0;
    }

    long continuedBytes() {
        return continuedBytes;
    }

    int headerBytes() {
        return headerBytes;
    }

    boolean isPending() {
        return pending;
    }

    WalEnd.Reason failure() {
        return failure;
    }

    String failureDetail() {
        return failureDetail;
    }

    /// Gets the page's header and checks it.
    ///
    /// @return false if it is not there or invalid; the other methods say which
    boolean open(long page) {
        if (page == opened) {
            return true;
        }
        boolean first = (page & (layout.segmentBytes() - 1L)) == 0;
        int bytes = first ? WalPageHeader.LONG_BYTES : WalPageHeader.SHORT_BYTES;
        if (!fill(page, bytes)) {
            return false;
        }
        int at = window.index(page);
        if (isZero(at, bytes)) {
            return fail(WalEnd.Reason.ZEROS, page, "the page is zeros");
        }
        Optional<WalPageHeader> read = WalPageHeader.read(window.bytes(), at);
        if (read.isEmpty()) {
            return fail(WalEnd.Reason.PAGE_INVALID, page, "the page header is none of 14 to 18");
        }
        if (!accept(page, first, read.get())) {
            return false;
        }
        WalPageHeader header = read.get();
        flags = header.flags();
        continuedBytes = header.continuedBytes();
        headerBytes = bytes;
        format = header.format();
        newestTimeline = header.timeline();
        opened = page;
        return true;
    }

    private boolean accept(long page, boolean first, WalPageHeader header) {
        if (header.position().value() != page) {
            return fail(WalEnd.Reason.STALE_PAGE, page, "the page belongs to " + header.position());
        }
        if (format != null && header.format() != format) {
            return fail(
                    WalEnd.Reason.PAGE_INVALID,
                    page,
                    "the page was written by version " + header.format().major());
        }
        if (header.isLong() != first) {
            return fail(WalEnd.Reason.PAGE_INVALID, page, "the page header has the wrong length");
        }
        if (first
                && (header.segmentBytes() != layout.segmentBytes()
                        || header.pageBytes() != layout.pageBytes())) {
            return fail(
                    WalEnd.Reason.PAGE_INVALID, page, "the segment was written with other sizes");
        }
        if (first) {
            if (system.isPresent() && !system.equals(header.system())) {
                return fail(
                        WalEnd.Reason.PAGE_INVALID, page, "the segment belongs to another cluster");
            }
            system = header.system();
        }
        return acceptTimeline(page, header.timeline());
    }

    private boolean acceptTimeline(long page, int timeline) {
        boolean tooNew =
                layout.timeline()
                        .filter(limit -> Integer.compareUnsigned(timeline, limit.value()) > 0)
                        .isPresent();
        boolean tooOld = Integer.compareUnsigned(timeline, newestTimeline) < 0;
        if (timeline == 0 || tooNew || tooOld) {
            return fail(
                    WalEnd.Reason.PAGE_INVALID,
                    page,
                    "the page is of timeline "
                            + Integer.toUnsignedString(timeline)
                            + ", which cannot be here");
        }
        return true;
    }

    private boolean isZero(int at, int count) {
        for (int i = 0; i < count; i++) {
            if (window.bytes()[at + i] != 0) {
                return false;
            }
        }
        return true;
    }

    /// Gets the first `count` bytes of a page.
    boolean fill(long page, int count) {
        WalWindow.Fill fill = window.need(page, count);
        pending = fill == WalWindow.Fill.PENDING;
        return switch (fill) {
            case READY -> true;
            case PENDING -> false;
            case MISSING -> fail(WalEnd.Reason.SEGMENT_MISSING, window.limit(), "there is no WAL");
        };
    }

    private boolean fail(WalEnd.Reason reason, long page, String detail) {
        pending = false;
        failure = reason;
        failureDetail = detail + " at " + Lsn.of(page);
        return false;
    }
}
