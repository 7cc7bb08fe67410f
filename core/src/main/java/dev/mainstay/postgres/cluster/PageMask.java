package dev.mainstay.postgres.cluster;

import java.util.Arrays;

/// Compares two states of a page, leaving out what the server may change without logging it. That
/// is what its own `wal_consistency_checking` leaves out (bufmask.c and the mask function of each
/// access method), and nothing else: position of the last logged change, checksum, hint bits, the
/// hole between item pointers and items, and what else a method treats as a hint. One thing is left
/// out that the server's comparison never meets, because no record carries it: the first page of an
/// SP-GiST index remembers which pages had room last, changed without a record and lost in a crash.
///
/// A page that fits no access method known here, or whose header makes no sense, is compared
/// without its position and checksum only; so are pages of other forks, where "unused" space may be
/// in use ([PageKind#UNKNOWN]).
///
/// Not for use by several threads at once.
public final class PageMask {
    /// What differs.
    public enum Difference {
        /// Nothing, not even a hint.
        IDENTICAL,
        /// Only what the server changes without logging it.
        MASKED,
        /// The page's content, or where it belongs.
        DIFFERENT
    }

    private static final int HINT_FLAGS = 1 | 2 | 4; // free item pointers, full, all visible

    private static final int TUPLE_HEADER = 23;
    private static final int TUPLE_CID = 8;
    private static final int TUPLE_CTID = 12;
    private static final int TUPLE_INFO = 20;
    private static final int XMIN_FROZEN = 0x0300;
    private static final int XMAX_HINTS = 0x0C00;
    private static final int TRANSACTION_BITS = 0xFFF0;
    private static final int SPECULATIVE = 0xFFFE;

    private static final int BTREE_LEAF = 1;
    private static final int BTREE_HINTS = 64 | 32; // garbage, end of a split

    private static final int HASH_TYPE = 1 | 2 | 4 | 8;
    private static final int HASH_WITH_ENTRIES = 1 | 2; // overflow, bucket
    private static final int HASH_HINTS = 128; // dead entries

    private static final int GIN_DELETED = 4;

    private static final int GIST_LEAF = 1;
    private static final int GIST_HINTS = 8 | 16; // follow right, garbage

    private static final int SPGIST_META = 1;
    private static final int SPGIST_LAST_USED = PageBytes.HEADER + 4; // behind a magic number
    private static final int SPGIST_LAST_USED_END = SPGIST_LAST_USED + 8 * 8;

    private static final int BRIN_META = 0xF091;
    private static final int BRIN_REGULAR = 0xF093;
    private static final int BRIN_HINTS = 1; // is being evacuated

    private final int blockSize;
    private final PageBytes one;
    private final PageBytes other;

    public PageMask(int blockSizeBytes) {
        this.blockSize = blockSizeBytes;
        this.one = new PageBytes(new byte[blockSizeBytes], 0, blockSizeBytes);
        this.other = new PageBytes(new byte[blockSizeBytes], 0, blockSizeBytes);
    }

    /// Compares pages of a main fork, of the kind they seem to be.
    ///
    /// @param block their number within the fork, over all segment files; unsigned
    public Difference compare(byte[] a, int aOffset, byte[] b, int bOffset, int block) {
        PageKind kind = PageKind.of(a, aOffset, blockSize);
        PageKind also = PageKind.of(b, bOffset, blockSize);
        return compare(a, aOffset, b, bOffset, block, kind == also ? kind : PageKind.UNKNOWN);
    }

    /// Compares pages of a known kind.
    ///
    /// @param block as above
    public Difference compare(
            byte[] a, int aOffset, byte[] b, int bOffset, int block, PageKind kind) {
        if (Arrays.equals(a, aOffset, aOffset + blockSize, b, bOffset, bOffset + blockSize)) {
            return Difference.IDENTICAL;
        }
        System.arraycopy(a, aOffset, one.bytes(), 0, blockSize);
        System.arraycopy(b, bOffset, other.bytes(), 0, blockSize);
        boolean plausible = one.isPlausible() && other.isPlausible() || kind == PageKind.NEW;
        mask(one, block, plausible ? kind : PageKind.UNKNOWN);
        mask(other, block, plausible ? kind : PageKind.UNKNOWN);
        return Arrays.equals(one.bytes(), other.bytes()) ? Difference.MASKED : Difference.DIFFERENT;
    }

    private static void mask(PageBytes page, int block, PageKind kind) {
        if (kind == PageKind.NEW) {
            return; // one that is new has no position either
        }
        page.clear(0, PageBytes.FLAGS);
        switch (kind) {
            case HEAP -> heap(page, block);
            case BTREE -> btree(page);
            case HASH -> hash(page);
            case GIN -> gin(page);
            case GIST -> gist(page);
            case SPGIST -> spgist(page);
            case BRIN -> brin(page);
            case SEQUENCE, GENERIC -> hole(page);
            case NEW, UNKNOWN -> {}
        }
    }

    private static void hints(PageBytes page) {
        page.intAt(PageBytes.PRUNE_XID, 0);
        page.clearBits(PageBytes.FLAGS, HINT_FLAGS);
    }

    private static void hole(PageBytes page) {
        page.clear(page.lower(), page.upper());
    }

    /// Item pointers of leaf pages are marked dead without a record.
    private static void itemStates(PageBytes page) {
        for (int number = 1; number <= page.items(); number++) {
            page.item(number, page.item(number) & ~(3 << 15));
        }
    }

    /// What is on a page that is no longer part of its index.
    private static void content(PageBytes page) {
        page.intAt(PageBytes.LOWER, 0); // and pd_upper
        page.clear(PageBytes.HEADER, page.size());
    }

    private static void heap(PageBytes page, int block) {
        hints(page);
        hole(page);
        for (int number = 1; number <= page.items(); number++) {
            int item = page.item(number);
            int at = PageBytes.itemOffset(item);
            int length = PageBytes.itemLength(item);
            if (length == 0 || at < page.upper() || at + length > page.special()) {
                continue;
            }
            if (PageBytes.itemState(item) == PageBytes.ITEM_NORMAL && length >= TUPLE_HEADER) {
                tuple(page, at, block, number);
            }
            page.clear(at + length, Math.min(at + (length + 7 & ~7), page.special()));
        }
    }

    private static void tuple(PageBytes page, int at, int block, int number) {
        boolean frozen = (page.shortAt(at + TUPLE_INFO) & XMIN_FROZEN) == XMIN_FROZEN;
        page.clearBits(at + TUPLE_INFO, frozen ? XMAX_HINTS : TRANSACTION_BITS);
        page.intAt(at + TUPLE_CID, 0);
        if (page.shortAt(at + TUPLE_CTID + 4) == SPECULATIVE) {
            page.shortAt(at + TUPLE_CTID, block >>> 16);
            page.shortAt(at + TUPLE_CTID + 2, block);
            page.shortAt(at + TUPLE_CTID + 4, number);
        }
    }

    private static void btree(PageBytes page) {
        hints(page);
        hole(page);
        int flags = page.special() + 12;
        if ((page.shortAt(flags) & BTREE_LEAF) != 0) {
            itemStates(page);
        }
        page.clearBits(flags, BTREE_HINTS);
        page.shortAt(page.special() + 14, 0); // the vacuum cycle of its last split
    }

    private static void hash(PageBytes page) {
        hints(page);
        hole(page);
        int flags = page.special() + 12;
        int type = page.shortAt(flags) & HASH_TYPE;
        if (type == 0) {
            content(page);
        } else if ((type & HASH_WITH_ENTRIES) == type) {
            itemStates(page);
        }
        if (type != 0) {
            page.clearBits(flags, HASH_HINTS);
        }
    }

    private static void gin(PageBytes page) {
        hints(page);
        if ((page.shortAt(page.special() + 6) & GIN_DELETED) != 0) {
            content(page);
        } else if (page.lower() > PageBytes.HEADER) {
            hole(page);
        }
    }

    private static void gist(PageBytes page) {
        hints(page);
        hole(page);
        int flags = page.special() + 12;
        page.clear(page.special(), page.special() + 8); // a position of the log, too
        if ((page.shortAt(flags) & GIST_LEAF) != 0) {
            itemStates(page);
        }
        page.clearBits(flags, GIST_HINTS);
    }

    private static void spgist(PageBytes page) {
        hints(page);
        hole(page);
        if ((page.shortAt(page.special()) & SPGIST_META) != 0) {
            page.clear(SPGIST_LAST_USED, SPGIST_LAST_USED_END);
        }
    }

    private static void brin(PageBytes page) {
        hints(page);
        int type = page.shortAt(page.special() + 6);
        if (type == BRIN_REGULAR || type == BRIN_META && page.lower() > PageBytes.HEADER) {
            hole(page);
        }
        page.clearBits(page.special() + 4, BRIN_HINTS);
    }
}
