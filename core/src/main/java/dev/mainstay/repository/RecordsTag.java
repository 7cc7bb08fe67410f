package dev.mainstay.repository;

import dev.mainstay.repository.format.Bytes;
import dev.mainstay.storage.StoredObject;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/// What [ProtectedSource#recordsTag] tells, of a listing that is under way.
final class RecordsTag {
    private static final int BYTES = 16;

    private final MessageDigest digest = Bytes.sha256();

    /// Where the records of a source are, in the order in which they are listed.
    static List<String> prefixes(ProtectedSource source) {
        return List.of(Names.slots(source.id()), Names.records(source.id()));
    }

    static String of(ProtectedSource source) {
        RecordsTag tag = new RecordsTag();
        prefixes(source).forEach(prefix -> Listing.forEach(source.vault().store, prefix, tag::add));
        return tag.text();
    }

    void add(StoredObject object) {
        digest.update(
                (object.name() + " " + object.sizeBytes() + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /// Once, of all that was added.
    String text() {
        return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
    }
}
