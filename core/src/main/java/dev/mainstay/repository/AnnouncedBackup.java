package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.SourceId;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A backup that was announced and has not ended.
///
/// @param source its source's name; the id where its key is not there
public record AnnouncedBackup(SourceId sourceId, String source, BackupId backup) {
    private static final int TIME = "20261121T041500Z".length();
    private static final DateTimeFormatter SECOND =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    /// Names of all announcements.
    static List<String> intents(ObjectStore store) {
        return Listing.all(store, Names.INTENTS).stream().map(StoredObject::name).toList();
    }

    /// Those announced under these names that have not ended: there is no slot, and no expiry names
    /// one. Names that are none are passed over: no writer of ours put them.
    static List<AnnouncedBackup> open(
            List<String> intents, PackReferences references, ObjectStore store) {
        List<AnnouncedBackup> open = new ArrayList<>();
        for (String name : intents) {
            Optional<AnnouncedBackup> announced = of(name, references);
            announced
                    .filter(each -> references.end(each.sourceId, each.backup).isEmpty())
                    .filter(each -> store.size(Names.slot(each.sourceId, each.backup)).isEmpty())
                    .ifPresent(open::add);
        }
        return open;
    }

    private static Optional<AnnouncedBackup> of(String intent, PackReferences references) {
        String[] words = intent.split("/", -1);
        try {
            SourceId source = SourceId.parse(words[1]);
            String name = references.source(source).map(ProtectedSource::name).orElse(source.hex());
            return Optional.of(new AnnouncedBackup(source, name, BackupId.parse(words[2])));
        } catch (IllegalArgumentException | IndexOutOfBoundsException foreign) {
            return Optional.empty();
        }
    }

    /// When it began, by the clock of whoever began it.
    static Optional<Instant> begin(BackupId backup) {
        try {
            return Optional.of(SECOND.parse(backup.text().substring(0, TIME), Instant::from));
        } catch (DateTimeParseException impossible) {
            return Optional.empty();
        }
    }
}
