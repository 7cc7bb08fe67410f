package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.PutOutcome;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;

/// The records of a source, as they were when they were listed (docs/format.md section 9). Each
/// carries the heads its writer saw, by name and hash, and a sequence number one above them.
public final class RecordChain {
    /// A record that was read.
    ///
    /// @param object the name it is stored under
    /// @param sha256 of the object's bytes, as later records refer to it
    public record Event(String object, String sha256, long sequence, String type, Json body) {}

    /// A record that others refer to and that is not there, or is there with other bytes.
    public record Missing(String object, String sha256, String referredToBy) {}

    private final ProtectedSource source;
    private final List<Event> records;

    private RecordChain(ProtectedSource source, List<Event> records) {
        this.source = source;
        this.records = records;
    }

    static RecordChain read(ProtectedSource source) {
        return read(
                source,
                (_, broken) -> {
                    throw broken;
                });
    }

    /// @param damaged is told of every record that cannot be read, and of why
    static RecordChain read(ProtectedSource source, BiConsumer<String, MainstayException> damaged) {
        List<Event> records = new ArrayList<>();
        Vault vault = source.vault();
        record Kind(String prefix, ObjectType type) {}
        for (Kind kind :
                List.of(
                        new Kind(Names.slots(source.id()), ObjectType.SLOT),
                        new Kind(Names.records(source.id()), ObjectType.RECORD))) {
            Listing.forEach(
                    vault.store,
                    kind.prefix,
                    object -> {
                        try {
                            records.add(open(vault, object.name(), kind.type));
                        } catch (MainstayException broken) {
                            damaged.accept(object.name(), broken);
                        }
                    });
        }
        records.sort(Comparator.comparingLong(Event::sequence).thenComparing(Event::object));
        return new RecordChain(source, records);
    }

    private static Event open(Vault vault, String name, ObjectType type) {
        byte[] bytes = vault.get(name);
        Json body = vault.openJson(name, type, bytes);
        if (!body.string("object").equals(name)) {
            throw new MainstayException(
                    ErrorCode.SEAL_BROKEN,
                    "object " + name + " was written as " + body.string("object"));
        }
        return new Event(name, hash(bytes), body.number("sequence"), body.string("type"), body);
    }

    private static String hash(byte[] bytes) {
        return HexFormat.of().formatHex(Bytes.sha256(bytes, 0, bytes.length));
    }

    /// All records, by sequence number.
    public List<Event> records() {
        return List.copyOf(records);
    }

    public List<CommittedBackup> backups() {
        return records.stream()
                .filter(record -> record.type().equals("commit"))
                .map(CommittedBackup::read)
                .toList();
    }

    /// Records that no other refers to.
    public List<Event> heads() {
        Set<String> referred = new HashSet<>();
        for (Event record : records) {
            record.body().objects("heads").forEach(head -> referred.add(head.string("sha256")));
        }
        return records.stream()
                .filter(record -> !record.type().equals("abort"))
                .filter(record -> !referred.contains(record.sha256()))
                .toList();
    }

    /// What vanished: a record whose removal nobody recorded leaves a link that leads nowhere.
    public List<Missing> missing() {
        Set<String> present = new HashSet<>();
        records.forEach(record -> present.add(record.sha256()));
        for (Event record : records) {
            if (record.type().equals("expiry")) {
                Json body = record.body().object("body");
                body.objects("removed").forEach(gone -> present.add(gone.string("sha256")));
            }
        }
        List<Missing> missing = new ArrayList<>();
        for (Event record : records) {
            for (Json head : record.body().objects("heads")) {
                if (!present.contains(head.string("sha256"))) {
                    missing.add(
                            new Missing(
                                    head.string("object"), head.string("sha256"), record.object()));
                }
            }
        }
        return missing;
    }

    /// The links that a new record carries: `type`, `object`, `source`, `sequence` and `heads`.
    Json link(String type, String object) {
        List<Event> heads = heads();
        return Json.object()
                .put("type", type)
                .put("object", object)
                .put("source", source.id().hex())
                .put("sequence", nextSequence())
                .put("written", source.repository().ground().clock().instant().toString())
                .put(
                        "heads",
                        heads.stream()
                                .map(
                                        head ->
                                                Json.object()
                                                        .put("object", head.object())
                                                        .put("sha256", head.sha256()))
                                .toList());
    }

    private long nextSequence() {
        return 1 + records.stream().mapToLong(Event::sequence).max().orElse(0);
    }

    /// Appends a record that is no commit: a hold, a release, a verification.
    public void append(String type, Json body) {
        String unique = HexFormat.of().formatHex(source.repository().ground().randomBytes(4));
        String name = Names.record(source.id(), nextSequence(), unique);
        Json linked = link(type, name).put("body", body);
        Vault vault = source.vault();
        if (vault.put(name, vault.sealJson(ObjectType.RECORD, linked)) == PutOutcome.EXISTED) {
            throw new MainstayException(
                    ErrorCode.STORE_OBJECT_EXISTS, "record " + name + " exists already");
        }
    }
}
