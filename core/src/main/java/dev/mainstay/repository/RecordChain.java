package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.PutOutcome;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Executor;

/// The records of a source, as they were when they were listed (docs/format.md section 9). Each
/// carries the heads its writer saw, by name and hash, and a sequence number one above them.
public final class RecordChain {
    /// A record that was read.
    ///
    /// @param object the name it is stored under
    /// @param sizeBytes of the object
    /// @param sha256 of the object's bytes, as later records refer to it
    public record Event(
            String object, long sizeBytes, String sha256, long sequence, String type, Json body) {}

    private static final Comparator<Event> ORDER =
            Comparator.comparingLong(Event::sequence).thenComparing(Event::object);

    private record Link(String object, String sha256) {}

    /// A record that others refer to and that is not there, or is there with other bytes.
    ///
    /// @param sha256 that it should have; empty where any bytes will do
    public record Missing(String object, String sha256, String referredToBy) {}

    private final ProtectedSource source;
    private final List<Event> records = new ArrayList<>();
    private final List<CommittedBackup> backups = new ArrayList<>();
    private final List<DamagedRecord> damaged = new ArrayList<>();
    private final Set<String> present = new HashSet<>();
    private Map<BackupId, Hold> holds = Map.of();

    private RecordChain(ProtectedSource source) {
        this.source = source;
    }

    /// Reads every slot and record. One that cannot be read is told by [#damaged] and does not keep
    /// the others from being read.
    ///
    /// @throws MainstayException if the store cannot be asked
    static RecordChain read(ProtectedSource source) {
        RecordChain chain = new RecordChain(source);
        chain.slotsAndRecords();
        chain.records.sort(ORDER);
        chain.holds = Hold.inEffect(chain.records);
        chain.commits();
        return chain;
    }

    /// Of a source of which nothing is there.
    static RecordChain none(ProtectedSource source) {
        return new RecordChain(source);
    }

    /// Reads the slot of one backup, and every record; no other slots, of which there may be many.
    /// Empty where there is no such slot.
    ///
    /// @throws MainstayException if the store cannot be asked
    static RecordChain about(ProtectedSource source, BackupId backup) {
        RecordChain chain = new RecordChain(source);
        String slot = Names.slot(source.id(), backup);
        if (source.vault().store.size(slot).isPresent()) {
            chain.read(List.of(slot), ObjectType.SLOT);
            chain.read(Names.records(source.id()), ObjectType.RECORD);
            chain.records.sort(ORDER);
            chain.holds = Hold.inEffect(chain.records);
            chain.commits();
        }
        return chain;
    }

    /// The record of an expiry is put before the slots that it names are deleted. So records that
    /// were listed once every listed slot was read tell of each that is gone, and those that were
    /// listed beside that do so as well where none is.
    private void slotsAndRecords() {
        List<String> slots = names(Names.slots(source.id()));
        String prefix = Names.records(source.id());
        List<String> others;
        try (FetchAhead<List<String>> beside =
                FetchAhead.small(beside(), List.of(prefix), this::names)) {
            boolean all = read(slots, ObjectType.SLOT);
            others = all ? beside.next() : names(prefix);
        }
        read(others, ObjectType.RECORD);
    }

    private Executor beside() {
        return source.repository().ground().beside();
    }

    private List<String> names(String prefix) {
        List<String> names = new ArrayList<>();
        Listing.forEach(source.vault().store, prefix, object -> names.add(object.name()));
        return names;
    }

    private void read(String prefix, ObjectType type) {
        read(names(prefix), type);
    }

    /// @return whether all of them are there still
    private boolean read(List<String> names, ObjectType type) {
        boolean all = true;
        try (FetchAhead<byte[]> objects = FetchAhead.small(beside(), names, source.vault()::get)) {
            for (String name : names) {
                try {
                    records.add(event(source.vault(), name, type, objects.next()));
                    present.add(name);
                } catch (MainstayException broken) {
                    all &= isThere(name, broken);
                }
            }
        }
        return all;
    }

    /// @param why it cannot be read
    private boolean isThere(String name, MainstayException why) {
        if (why.code() == ErrorCode.STORE_UNAVAILABLE || why.code() == ErrorCode.INTERRUPTED) {
            throw why;
        }
        if (source.vault().isGone(name, why)) {
            return false; // it expired meanwhile
        }
        damaged.add(DamagedRecord.of(name, why));
        present.add(name);
        return true;
    }

    /// A backup that an expiry names is gone, whether or not its slot could be deleted; unless
    /// somebody holds it, who was not seen by that expiry.
    private void commits() {
        Set<String> gone = removedHashes();
        for (Event record : records) {
            if (record.type.equals("commit")) {
                try {
                    CommittedBackup backup = CommittedBackup.read(record);
                    if (!gone.contains(record.sha256) || holds.containsKey(backup.id())) {
                        backups.add(backup);
                    }
                } catch (MainstayException malformed) {
                    damaged.add(DamagedRecord.of(record.object, malformed));
                }
            }
        }
    }

    static Event open(Vault vault, String name, ObjectType type) {
        return event(vault, name, type, vault.get(name));
    }

    static Event event(Vault vault, String name, ObjectType type, byte[] bytes) {
        Json body = vault.openJson(name, type, bytes);
        if (!body.string("object").equals(name)) {
            throw new MainstayException(
                    ErrorCode.SEAL_BROKEN,
                    "object " + name + " was written as " + body.string("object"));
        }
        Event event =
                new Event(
                        name,
                        bytes.length,
                        hash(bytes),
                        body.number("sequence"),
                        body.string("type"),
                        body);
        named(event); // so that a malformed list is found here
        damage(event);
        removed(event);
        Hold.inEffect(List.of(event));
        freed(event);
        return event;
    }

    private static List<Link> named(Event record) {
        return links(record.body, "heads");
    }

    /// Records that were there and could not be read when this one was written.
    private static List<String> damage(Event record) {
        return record.body.has("damaged") ? record.body.strings("damaged") : List.of();
    }

    /// Hashes of the commits that a record says are removed.
    static List<String> removedBy(Event record) {
        return removed(record).stream().map(Link::sha256).toList();
    }

    private static List<Link> removed(Event record) {
        return record.type.equals("expiry")
                ? links(record.body.object("body"), "removed")
                : List.of();
    }

    private static List<WalStretch> freed(Event record) {
        return record.type.equals("wal-expiry")
                ? record.body.object("body").objects("freed").stream()
                        .map(each -> WalStretch.read(record.object, each))
                        .toList()
                : List.of();
    }

    private static List<Link> links(Json from, String list) {
        return from.objects(list).stream()
                .map(each -> new Link(each.string("object"), each.string("sha256")))
                .toList();
    }

    private static String hash(byte[] bytes) {
        return Bytes.sha256Hex(bytes);
    }

    /// The sequence number that the name of a record tells; empty for a slot.
    public static OptionalLong sequenceOf(String object) {
        String[] words = object.split("/", -1);
        try {
            return words[0].equals("records")
                    ? OptionalLong.of(Long.parseLong(words[2], 0, 16, 16))
                    : OptionalLong.empty();
        } catch (IndexOutOfBoundsException | NumberFormatException foreign) {
            return OptionalLong.of(Long.MAX_VALUE);
        }
    }

    /// All records, by sequence number.
    public List<Event> records() {
        return List.copyOf(records);
    }

    /// Names of what expiries removed.
    Set<String> removedObjects() {
        Set<String> gone = new HashSet<>();
        records.forEach(record -> removed(record).forEach(each -> gone.add(each.object)));
        return gone;
    }

    private Set<String> removedHashes() {
        Set<String> gone = new HashSet<>();
        records.forEach(record -> removed(record).forEach(each -> gone.add(each.sha256)));
        return gone;
    }

    /// Commits that an expiry names and whose slots are there all the same: it was killed, or the
    /// store refused.
    List<BackupId> leftovers() {
        Set<String> gone = removedHashes();
        return records.stream()
                .filter(record -> record.type.equals("commit") && gone.contains(record.sha256))
                .flatMap(record -> Names.backupOfSlot(record.object).stream())
                .filter(backup -> !holds.containsKey(backup))
                .toList();
    }

    /// Backups that are held, and why.
    public Map<BackupId, Hold> holds() {
        return holds;
    }

    /// WAL that retention gave up for good. Some of it may still be there, or again.
    public WalStretches freedWal() {
        WalStretches freed = WalStretches.none();
        records.forEach(record -> freed(record).forEach(freed::add));
        return freed;
    }

    /// The WAL that retention gave up for good, without reading slots.
    ///
    /// @throws MainstayException if it cannot be told for certain
    static WalStretches freedWal(ProtectedSource source) {
        RecordChain chain = new RecordChain(source);
        String prefix = Names.records(source.id());
        chain.read(prefix, ObjectType.RECORD);
        if (!chain.damaged.isEmpty()) {
            throw chain.damaged.getFirst().refusal();
        }
        for (Missing missing : chain.missing()) {
            if (missing.object.startsWith(prefix)) {
                throw new MainstayException(
                        ErrorCode.CHAIN_BROKEN,
                        "record " + missing.object + " vanished, and may say what WAL was freed");
            }
        }
        return chain.freedWal();
    }

    /// Every backup whose slot is there and can be read, whether or not an expiry names it, oldest
    /// first.
    public List<CommittedBackup> committed() {
        List<CommittedBackup> committed = new ArrayList<>();
        for (Event record : records) {
            if (record.type.equals("commit")) {
                try {
                    committed.add(CommittedBackup.read(record));
                } catch (MainstayException malformed) {
                    // it is among the damaged ones
                }
            }
        }
        return committed;
    }

    /// Whether an expiry names a backup.
    boolean isRemoved(BackupId backup) {
        Set<String> gone = removedHashes();
        return slot(backup).filter(slot -> gone.contains(slot.sha256)).isPresent();
    }

    /// The slot of a backup that can be read.
    Optional<Event> slot(BackupId backup) {
        String name = Names.slot(source.id(), backup);
        return records.stream().filter(record -> record.object.equals(name)).findFirst();
    }

    /// Committed backups whose records can be read and that were not removed on record, oldest
    /// first.
    public List<CommittedBackup> backups() {
        return List.copyOf(backups);
    }

    /// Slots and records that are there and cannot be read.
    public List<DamagedRecord> damaged() {
        return List.copyOf(damaged);
    }

    /// Slots that cannot be read: each was a backup, or one that was given up.
    public List<DamagedRecord> damagedBackups() {
        return damaged.stream().filter(each -> each.backup().isPresent()).toList();
    }

    /// Records that no other refers to, of those that were not removed on record.
    public List<Event> heads() {
        return headsWithout(Set.of());
    }

    /// What only these records refer to, which are about to go, is a head again.
    private List<Event> headsWithout(Set<String> hashes) {
        Set<String> gone = removedHashes();
        gone.addAll(hashes);
        return heads(records.stream().filter(record -> !gone.contains(record.sha256)).toList());
    }

    /// Those of some records that none of them refers to.
    static List<Event> heads(List<Event> among) {
        Set<String> referred = new HashSet<>();
        among.forEach(record -> named(record).forEach(head -> referred.add(head.sha256)));
        return among.stream()
                .filter(record -> !record.type.equals("abort"))
                .filter(record -> !referred.contains(record.sha256))
                .toList();
    }

    /// What vanished: a record whose removal nobody recorded leaves a link that leads nowhere. What
    /// was damaged when a later record named it only has to be there still.
    public List<Missing> missing() {
        Set<String> known = new HashSet<>();
        Set<String> gone = new HashSet<>();
        records.forEach(record -> known.add(record.sha256));
        for (Event record : records) {
            for (Link each : removed(record)) {
                known.add(each.sha256);
                gone.add(each.object);
            }
        }
        List<Missing> missing = new ArrayList<>();
        for (Event record : records) {
            for (Link head : named(record)) {
                if (!known.contains(head.sha256)) {
                    missing.add(new Missing(head.object, head.sha256, record.object));
                }
            }
            for (String object : damage(record)) {
                if (!present.contains(object) && !gone.contains(object)) {
                    missing.add(new Missing(object, "", record.object));
                }
            }
        }
        return missing;
    }

    /// Whether a record that somebody knew is there, was removed on record, or is there and
    /// damaged, which is told anyhow.
    boolean accountsFor(NewestRecords.Head head) {
        return damaged.stream().anyMatch(each -> each.object().equals(head.object()))
                || records.stream().anyMatch(record -> record.sha256.equals(head.sha256()))
                || records.stream()
                        .flatMap(record -> removed(record).stream())
                        .anyMatch(gone -> gone.sha256.equals(head.sha256()));
    }

    /// The links that a new record carries: `type`, `object`, `source`, `sequence`, `heads`, and
    /// `damaged` where there is a record that nobody can read and that no other names.
    Json link(String type, String object) {
        return link(type, object, Set.of());
    }

    private Json link(String type, String object, Set<String> going) {
        Json linked =
                Json.object()
                        .put("type", type)
                        .put("object", object)
                        .put("source", source.id().hex())
                        .put("sequence", nextSequence())
                        .put("written", source.repository().ground().clock().instant().toString())
                        .put(
                                "heads",
                                headsWithout(going).stream()
                                        .map(head -> link(new Link(head.object, head.sha256)))
                                        .toList());
        List<String> unread = unnamedDamage();
        return unread.isEmpty() ? linked : linked.putStrings("damaged", unread);
    }

    private static Json link(Link to) {
        return Json.object().put("object", to.object).put("sha256", to.sha256);
    }

    /// Unreadable records that no readable one names. Each may have been one above the highest that
    /// its writer saw.
    private List<String> unnamedDamage() {
        Set<String> names = new HashSet<>();
        for (Event record : records) {
            names.add(record.object);
            named(record).forEach(head -> names.add(head.object));
            names.addAll(damage(record));
        }
        return damaged.stream()
                .map(DamagedRecord::object)
                .filter(object -> !names.contains(object))
                .toList();
    }

    /// Above every record, also above those that cannot be read.
    private long nextSequence() {
        return 1
                + records.stream().mapToLong(Event::sequence).max().orElse(0)
                + unnamedDamage().size();
    }

    /// Appends a record that is no commit: a hold, a release, a verification.
    ///
    /// @return its name
    public String append(String type, Json body) {
        return append(type, body, Set.of());
    }

    /// @param going hashes of records that the new one removes
    String append(String type, Json body, Set<String> going) {
        String unique = HexFormat.of().formatHex(source.repository().ground().randomBytes(4));
        String name = Names.record(source.id(), nextSequence(), unique);
        Json linked = link(type, name, going).put("body", body);
        Vault vault = source.vault();
        byte[] bytes = vault.sealJson(ObjectType.RECORD, linked);
        if (vault.put(name, bytes) == PutOutcome.EXISTED
                && !Arrays.equals(bytes, vault.get(name))) {
            throw new MainstayException(
                    ErrorCode.STORE_OBJECT_EXISTS, "record " + name + " exists already");
        }
        return name;
    }
}
