package dev.mainstay.repository.format;

/// What an object is (docs/format.md section 3). The number is byte 9 of every object and part of
/// what its key is derived from, so an object of one type never opens as another.
public enum ObjectType {
    FORMAT(1),
    ROOT_KEY(2),
    SOURCE_KEY(3),
    PACK(4),
    SLOT(5),
    RECORD(6),
    INTENT(7),
    CANDIDATES(8),
    MOVED(9),
    INDEX(10),
    WAL_SEGMENT(11),
    WAL_PART(12),
    WAL_FILE(13),
    WAL_SUMMARY(14),
    WAL_TOMBSTONE(15),
    PROGRESS(16);

    private final int number;

    ObjectType(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }
}
