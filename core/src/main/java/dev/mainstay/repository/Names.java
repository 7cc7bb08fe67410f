package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import java.util.Locale;
import java.util.Optional;

/// Where objects are (docs/format.md section 1).
final class Names {
    static final String FORMAT = "format";
    static final String ROOT_KEYS = "keys/root/";
    static final String SOURCE_KEYS = "keys/source/";
    static final String EPOCHS = "keys/epoch/";
    static final String SHREDDED = "keys/shredded/";
    static final String PACKS = "packs/";
    static final String RECORDS = "records/";
    static final String INDEXES = "index/";
    static final String WAL = "wal/";
    static final String PARTS = "parts/";
    static final String SUMMARIES = "summaries/";
    static final String CANDIDATES = "gc/";
    static final String SLOTS = "slots/";
    static final String INTENTS = "intents/";
    static final String MOVED = "moved/";
    static final String AUDIT = "audit/";

    private Names() {}

    static String rootKey(int epoch, String recipient) {
        return ROOT_KEYS + hex(epoch) + "/" + recipient;
    }

    /// What begins an epoch.
    static String epoch(int epoch) {
        return EPOCHS + hex(epoch);
    }

    /// The epoch that the name of a root key or a source key tells; empty if it tells none.
    static Optional<Integer> epochOf(String name) {
        String[] words = name.split("/", -1);
        try {
            String epoch = words[name.startsWith(SOURCE_KEYS) ? 3 : 2];
            return Optional.of(Integer.parseInt(epoch, 16)).filter(number -> number > 0);
        } catch (IndexOutOfBoundsException | NumberFormatException foreign) {
            return Optional.empty();
        }
    }

    /// The recipient that the name of a root key tells.
    static String recipientOf(String name) {
        return name.substring(name.lastIndexOf('/') + 1);
    }

    static String sourceKey(SourceId source, int epoch) {
        return sourceKeys(source) + hex(epoch);
    }

    static String sourceKeys(SourceId source) {
        return SOURCE_KEYS + source + "/";
    }

    static String shredded(SourceId source) {
        return SHREDDED + source;
    }

    private static String hex(int epoch) {
        return String.format(Locale.ROOT, "%08x", epoch);
    }

    static String pack(PackClass packClass, PackId id) {
        String hex = id.hex();
        return PACKS + packClass.folder() + "/" + hex.substring(0, 2) + "/" + hex;
    }

    /// The pack that has this name; empty for other names.
    static Optional<PackId> packOf(String name) {
        String[] words = name.split("/", -1);
        try {
            Optional<PackId> id =
                    words.length == 4 ? Optional.of(PackId.parse(words[3])) : Optional.empty();
            return id.filter(pack -> name.equals(pack(PackClass.parse(words[1]), pack)));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    static String slots(SourceId source) {
        return SLOTS + source + "/";
    }

    static String slot(SourceId source, BackupId backup) {
        return slots(source) + backup;
    }

    /// The backup whose slot has this name; empty for other names.
    static Optional<BackupId> backupOfSlot(String name) {
        String[] words = name.split("/", -1);
        try {
            return words.length == 3 && words[0].equals("slots")
                    ? Optional.of(BackupId.parse(words[2]))
                    : Optional.empty();
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    static String intent(SourceId source, BackupId backup) {
        return INTENTS + source + "/" + backup;
    }

    static String progress(SourceId source) {
        return "progress/" + source + "/";
    }

    static String progress(SourceId source, BackupId backup) {
        return progress(source) + backup + "/";
    }

    static String progress(SourceId source, BackupId backup, int number) {
        return progress(source, backup) + String.format(Locale.ROOT, "%08x", number);
    }

    static String records(SourceId source) {
        return RECORDS + source + "/";
    }

    static String record(SourceId source, long sequence, String unique) {
        return records(source) + String.format(Locale.ROOT, "%016x-%s", sequence, unique);
    }

    /// The publication of an audit trail that ends with an entry.
    static String audit(String trail, long last) {
        return AUDIT + trail + String.format(Locale.ROOT, "/%016x", last);
    }

    /// The audit trail whose publication has this name.
    static String trailOf(String name) {
        return name.split("/", -1)[1];
    }

    static String index(SourceId source) {
        return INDEXES + source + "/";
    }

    static String moved(PackId pack) {
        return MOVED + pack.hex() + "/";
    }

    /// Where frames of a pack are since it was compacted.
    ///
    /// @param place the pack that has them now
    /// @param part of what has to be said
    static String moved(PackId pack, PackId place, int part) {
        return moved(pack) + place.hex() + String.format(Locale.ROOT, "-%04x", part);
    }

    /// The pack whose frames an object below `moved/` tells.
    static Optional<PackId> movedFrom(String name) {
        String[] words = name.split("/", -1);
        return words.length == 3 ? packId(words[1]) : Optional.empty();
    }

    /// The one pack that an object below `moved/` leads to; empty if its name does not tell.
    static Optional<PackId> movedTo(String name) {
        String last = name.substring(name.lastIndexOf('/') + 1);
        return last.length() == 69 && last.charAt(64) == '-'
                ? packId(last.substring(0, 64))
                : Optional.empty();
    }

    private static Optional<PackId> packId(String hex) {
        try {
            return Optional.of(PackId.parse(hex));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    static String wal(SystemId system) {
        return WAL + system + "/";
    }

    static String wal(SystemId system, TimelineId timeline) {
        return wal(system) + timeline.hex() + "/";
    }

    static String parts(SystemId system, TimelineId timeline) {
        return PARTS + system + "/" + timeline.hex() + "/";
    }

    /// Where the whole segment is that a part is of.
    static String wholeOfPart(String part) {
        return WAL + part.substring(PARTS.length(), part.lastIndexOf('/'));
    }

    static String summaries(SystemId system, TimelineId timeline) {
        return SUMMARIES + system + "/" + timeline.hex() + "/";
    }
}
