package dev.mainstay.postgres.cluster;

/// Which access method a page of a main fork belongs to, told from the page itself: from the size
/// of its special space and, where several methods have the same, from the mark that most of them
/// leave in its last two bytes so that tools like this one can tell (src/include/access and
/// contrib/bloom).
///
/// Pages of free space maps, and what is in a visibility map, look like heap pages without items.
public enum PageKind {
    /// Nothing was ever put there (`pd_upper` is 0).
    NEW,
    /// A table's, a TOAST table's or a materialized view's.
    HEAP,
    BTREE,
    HASH,
    GIN,
    GIST,
    SPGIST,
    BRIN,
    SEQUENCE,
    /// Of an access method that logs its changes as generic WAL.
    GENERIC,
    /// None of these, or with a header that makes no sense.
    UNKNOWN;

    private static final int HASH_MARK = 0xFF80;
    private static final int GIST_MARK = 0xFF81;
    private static final int SPGIST_MARK = 0xFF82;
    private static final int BLOOM_MARK = 0xFF83;
    private static final int BRIN_META_MARK = 0xF091;
    private static final int BRIN_REGULAR_MARK = 0xF093;
    private static final int LARGEST_CYCLE = 0xFF7F;
    private static final int GIN_FLAGS = 0xFF;
    private static final int SEQUENCE_MAGIC = 0x1717;

    /// What the page at `offset` seems to be.
    public static PageKind of(byte[] bytes, int offset, int blockSizeBytes) {
        PageBytes page = new PageBytes(bytes, offset, blockSizeBytes);
        if (page.upper() == 0) {
            return NEW;
        }
        if (!page.isPlausible()) {
            return UNKNOWN;
        }
        return switch (blockSizeBytes - page.special()) {
            case 0 -> page.items() > 0 || page.isHoleEmpty() ? HEAP : UNKNOWN;
            case 8 -> withSmallSpecial(page);
            case 16 -> withLargeSpecial(page);
            default -> UNKNOWN;
        };
    }

    private static PageKind withSmallSpecial(PageBytes page) {
        int mark = page.shortAt(page.special() + 6);
        if (mark == SPGIST_MARK) {
            return SPGIST;
        }
        if (mark >= BRIN_META_MARK && mark <= BRIN_REGULAR_MARK) {
            return BRIN;
        }
        if (mark == BLOOM_MARK) {
            return GENERIC;
        }
        boolean sequence =
                page.intAt(page.special()) == SEQUENCE_MAGIC
                        && page.intAt(page.special() + 4) == 0
                        && page.items() == 1;
        if (sequence) {
            return SEQUENCE;
        }
        return mark <= GIN_FLAGS ? GIN : UNKNOWN;
    }

    private static PageKind withLargeSpecial(PageBytes page) {
        int mark = page.shortAt(page.special() + 14);
        return switch (mark) {
            case HASH_MARK -> HASH;
            case GIST_MARK -> GIST;
            default -> mark <= LARGEST_CYCLE ? BTREE : UNKNOWN;
        };
    }
}
