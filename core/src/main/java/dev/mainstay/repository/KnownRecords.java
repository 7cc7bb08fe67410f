package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.RecordChain.Event;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.StoredObject;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// The backups of a source as a [RecordChain] would tell them, for who looks again and again: an
/// object is written once, so what was read and understood is not read again while its name and
/// size stand in the listing; what could not be read is tried each time. Of a backup only what the
/// caller makes of it is kept, of other records only what says which backups are held or removed:
/// some hundred bytes each. Thread-safe.
///
/// @param <F> what the caller keeps of a backup
public final class KnownRecords<F> {
    private static final Set<String> TELLING = Set.of("hold", "release", "expiry");
    private static final Comparator<Event> ORDER =
            Comparator.comparingLong(Event::sequence).thenComparing(Event::object);

    private final Function<CommittedBackup, F> facts;
    private Map<Object, Item<F>> items = new HashMap<>();
    private @Nullable Known<F> last;

    /// @param facts what to keep; may throw as reading does, of a record that does not tell
    public KnownRecords(Function<CommittedBackup, F> facts) {
        this.facts = facts;
    }

    /// What is known at a time.
    ///
    /// @param tag as [ProtectedSource#recordsTag] tells it
    /// @param backups committed backups whose records can be read and that were not removed on
    ///   record, oldest first by the chain
    /// @param holds what is held, and why
    /// @param damaged slots and records that cannot be read
    public record Known<F>(
            String tag, List<F> backups, Map<BackupId, Hold> holds, List<DamagedRecord> damaged) {
        public Known {
            backups = List.copyOf(backups);
            holds = Map.copyOf(holds);
            damaged = List.copyOf(damaged);
        }

        /// Slots that cannot be read: each was a backup, or one that was given up.
        public List<DamagedRecord> damagedBackups() {
            return damaged.stream().filter(each -> each.backup().isPresent()).toList();
        }
    }

    /// SHA-256 of a record.
    private record Hash(long first, long second, long third, long fourth) {
        static Hash parse(String hex) {
            return new Hash(word(hex, 0), word(hex, 1), word(hex, 2), word(hex, 3));
        }

        private static long word(String hex, int number) {
            return HexFormat.fromHexDigitsToLong(hex, number * 16, number * 16 + 16);
        }
    }

    private sealed interface Item<F> {
        /// Of the object, by which it is known again.
        long size();
    }

    /// A slot that was read.
    ///
    /// @param facts absent of a backup that was given up
    private record Slot<F>(BackupId backup, long size, long sequence, Hash hash, @Nullable F facts)
            implements Item<F> {}

    /// Another record that was read.
    ///
    /// @param event absent where it tells nothing of backups
    private record Other<F>(long size, Optional<Event> event) implements Item<F> {}

    /// Lists the records, and reads those that are new.
    ///
    /// @return the same as the last time, where nothing has changed
    /// @throws MainstayException if the store cannot be asked; what was read until then stays known
    public Known<F> read(ProtectedSource source) {
        return read(source, List.of());
    }

    /// The same without reading what somebody has just read.
    public Known<F> read(ProtectedSource source, RecordChain chain) {
        return read(source, chain.records());
    }

    private synchronized Known<F> read(ProtectedSource source, List<Event> events) {
        Map<String, Event> read = HashMap.newHashMap(events.size());
        events.forEach(event -> read.put(event.object(), event));
        RecordsTag tag = new RecordsTag();
        List<StoredObject> listed = new ArrayList<>();
        for (String prefix : RecordsTag.prefixes(source)) {
            Listing.forEach(
                    source.vault().store,
                    prefix,
                    object -> {
                        tag.add(object);
                        listed.add(object);
                    });
        }
        Map<Object, Item<F>> there = HashMap.newHashMap(listed.size());
        List<DamagedRecord> damaged = new ArrayList<>();
        for (StoredObject object : listed) {
            Object key = key(source, object.name());
            Item<F> item = items.get(key);
            if (item == null || item.size() != object.sizeBytes()) {
                item = open(source, object, read.get(object.name()), damaged);
            }
            if (item != null) {
                items.put(item instanceof Slot<F> slot ? slot.backup : key, item);
                there.put(item instanceof Slot<F> slot ? slot.backup : key, item);
            }
        }
        items = there;
        return known(tag.text(), damaged);
    }

    /// The backup of a slot, which takes less than its name.
    private static Object key(ProtectedSource source, String name) {
        Optional<BackupId> backup =
                Names.backupOfSlot(name).filter(id -> name.equals(Names.slot(source.id(), id)));
        return backup.isPresent() ? backup.get() : name;
    }

    /// Nothing of what cannot be read.
    ///
    /// @param read if somebody has
    private @Nullable Item<F> open(
            ProtectedSource source,
            StoredObject object,
            @Nullable Event read,
            List<DamagedRecord> damaged) {
        String name = object.name();
        try {
            boolean slot = name.startsWith(Names.SLOTS);
            Event event =
                    read != null && read.sizeBytes() == object.sizeBytes()
                            ? read
                            : RecordChain.open(
                                    source.vault(),
                                    name,
                                    slot ? ObjectType.SLOT : ObjectType.RECORD);
            if (event.type().equals("commit")) {
                CommittedBackup backup = CommittedBackup.read(event);
                return slot(object, event, backup.id(), facts.apply(backup));
            }
            Object key = key(source, name);
            return key instanceof BackupId backup && !TELLING.contains(event.type())
                    ? slot(object, event, backup, null)
                    : new Other<>(
                            object.sizeBytes(),
                            Optional.of(event).filter(each -> TELLING.contains(each.type())));
        } catch (MainstayException broken) {
            if (broken.code() == ErrorCode.STORE_UNAVAILABLE
                    || broken.code() == ErrorCode.INTERRUPTED) {
                throw broken;
            }
            if (!source.vault().isGone(name, broken)) { // else it expired meanwhile
                damaged.add(DamagedRecord.of(name, broken));
            }
            return null;
        }
    }

    private static <F> Slot<F> slot(
            StoredObject object, Event event, BackupId backup, @Nullable F facts) {
        return new Slot<>(
                backup, object.sizeBytes(), event.sequence(), Hash.parse(event.sha256()), facts);
    }

    private Known<F> known(String tag, List<DamagedRecord> damaged) {
        Known<F> before = last;
        if (before != null && before.tag.equals(tag) && before.damaged.equals(damaged)) {
            return before;
        }
        List<Event> telling = new ArrayList<>();
        List<Slot<F>> slots = new ArrayList<>();
        for (Item<F> item : items.values()) {
            switch (item) {
                case Slot<F> slot -> slots.add(slot);
                case Other<F> other -> other.event.ifPresent(telling::add);
            }
        }
        telling.sort(ORDER);
        Map<BackupId, Hold> holds = Hold.inEffect(telling);
        Set<Hash> gone = new HashSet<>();
        telling.forEach(
                each -> RecordChain.removedBy(each).forEach(hash -> gone.add(Hash.parse(hash))));
        slots.sort(
                Comparator.comparingLong((Slot<F> slot) -> slot.sequence)
                        .thenComparing(slot -> slot.backup));
        List<F> backups = new ArrayList<>();
        for (Slot<F> slot : slots) {
            F told = slot.facts;
            if (told != null && (!gone.contains(slot.hash) || holds.containsKey(slot.backup))) {
                backups.add(told);
            }
        }
        Known<F> now = new Known<>(tag, backups, holds, damaged);
        last = now;
        return now;
    }
}
