package dev.mainstay.repository.format;

import java.util.Locale;

/// Packs are kept apart by how long their content is expected to be needed, so that expiry frees
/// whole packs (docs/format.md section 6).
public enum PackClass {
    /// Pages of full backups.
    BASE(1),
    /// Changed and refreshed pages.
    INCREMENTAL(2),
    /// Chunks of other files.
    FILES(3),
    /// Maps, manifests, catalog snapshots.
    METADATA(4),
    /// Page fingerprints: needed for the newest backup of a source only.
    FINGERPRINTS(5);

    private static final PackClass[] CLASSES = values();
    private final int number;

    PackClass(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }

    static PackClass read(WireReader in) {
        int number = in.u8();
        for (PackClass packClass : CLASSES) {
            if (packClass.number == number) {
                return packClass;
            }
        }
        throw in.malformed("unknown pack class " + number);
    }

    /// The folder under `packs/`.
    public String folder() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static PackClass parse(String folder) {
        return valueOf(folder.toUpperCase(Locale.ROOT));
    }
}
