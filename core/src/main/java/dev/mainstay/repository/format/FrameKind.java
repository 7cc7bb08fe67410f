package dev.mainstay.repository.format;

/// What a frame holds (docs/format.md section 4): the first byte of its plain content.
public enum FrameKind {
    /// Pages of one relation segment file; meta: path and block list.
    PAGES(1),
    /// A chunk of another file; meta: its id.
    CHUNK(2),
    /// Segment maps, one after the other.
    MAPS(3),
    /// Page fingerprints of one or more relation segment files.
    FINGERPRINTS(4),
    /// Entries of a backup's manifest.
    MANIFEST(5),
    /// Part of a catalog snapshot: JSON lines.
    CATALOG(6),
    /// A pack's directory; always its last frame.
    DIRECTORY(7),
    /// The only or first frame of an object that is no pack: what it says.
    BODY(8),
    /// Bytes of WAL or of another file, in order.
    DATA(9),
    /// Chunks of one large file, in order, that do not fit in its manifest entry.
    CHUNKS(10);

    private static final FrameKind[] KINDS = values();
    private final int number;

    FrameKind(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }

    public static FrameKind of(WireReader from, int number) {
        for (FrameKind kind : KINDS) {
            if (kind.number == number) {
                return kind;
            }
        }
        throw from.malformed("unknown frame kind " + number);
    }
}
