package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.wrap.Throttle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/// Brings another repository up to date: afterwards it holds the same objects, byte for byte, and
/// can be used in place of the first one. What is there already is not read again, so a run that
/// was stopped goes on where it was.
///
/// Whenever it stops, the copy is a repository in which every backup is whole: content comes before
/// the records that name it, records before the WAL summaries that swear to them (docs/format.md
/// sections 9 and 11). What the first repository removed stays in the copy, but for parts of WAL
/// segments that are whole by now. Not thread-safe.
public final class RepositoryCopy {
    /// Without these nothing else can be read.
    private static final List<String> KEYS =
            List.of(Names.ROOT_KEYS, Names.EPOCHS, Names.SOURCE_KEYS);

    /// What records and backups need, and the audit trails of servers.
    private static final List<String> CONTENT =
            List.of(Names.PACKS, Names.MOVED, Names.INDEXES, Names.WAL, Names.PARTS, Names.AUDIT);

    private static final List<String> ENDS = List.of(Names.SLOTS, Names.RECORDS);

    /// Names of summaries that are kept in memory; what is beyond waits for the next round.
    private static final int SUMMARIES_AT_ONCE = 100_000;

    /// A repository in which something is removed each time is looked at so often.
    private static final int ROUNDS = 10;

    private final Repository from;
    private final ObjectStore to;
    private final ObjectCopies objects;
    private final Optional<SubsetCopy> subset;

    /// What a run did.
    ///
    /// @param copied by the first word of the names
    /// @param damaged objects that are not what they say, and so were not copied
    /// @param partsRemoved of segments that the copy has whole by now
    /// @param stillReadable names of sources that were shredded in the first repository, and not in
    ///   the copy
    /// @param otherWaysIn ids of recipients that open the copy, and not the first repository
    /// @param partial of a copy that holds some of the backups
    public record Result(
            Map<String, Amount> copied,
            List<DamagedObject> damaged,
            long partsRemoved,
            List<String> stillReadable,
            List<String> otherWaysIn,
            Partial partial) {
        public Amount total() {
            return RepositoryCopy.total(copied);
        }
    }

    /// What else there is to say of a copy that holds some of the backups.
    ///
    /// @param waiting what could not be brought yet, and why
    /// @param fellOut how many backups were removed from it
    /// @param freedBytes what was removed as nothing there needs it any more
    public record Partial(List<String> waiting, int fellOut, long freedBytes) {
        static final Partial NONE = new Partial(List.of(), 0, 0);

        public Partial {
            waiting = List.copyOf(waiting);
        }
    }

    /// An object of the first repository that was not copied.
    public record DamagedObject(String name, MainstayException why) {}

    /// A copy of everything.
    public RepositoryCopy(
            Repository from,
            ObjectStore to,
            Throttle throttle,
            int threads,
            Consumer<Long> copied) {
        this(from, to, Optional.empty(), throttle, threads, copied);
    }

    /// @param to the copy's store; closed by whoever opened it
    /// @param subset which backups it is to hold, if not all
    /// @param throttle for every byte that is copied
    /// @param threads that copy at the same time; 0 for the one that asks alone
    /// @param copied is told of bytes, by any thread
    public RepositoryCopy(
            Repository from,
            ObjectStore to,
            Optional<CopySubset> subset,
            Throttle throttle,
            int threads,
            Consumer<Long> copied) {
        this.from = from;
        this.to = to;
        this.objects = new ObjectCopies(from.store(), to, throttle, threads, copied);
        this.subset = subset.map(which -> new SubsetCopy(from, to, objects, which));
    }

    /// The sum over all kinds.
    public static Amount total(Map<String, Amount> amounts) {
        return amounts.values().stream().reduce(Amount.NONE, Amount::plus);
    }

    /// Whether a copy has a backup, and so all that the backup needs.
    public static boolean holds(ObjectStore copy, ProtectedSource source, CommittedBackup backup) {
        return copy.size(Names.slot(source.id(), backup.id())).isPresent();
    }

    /// What a run would copy, by the first word of the names. Nothing is changed.
    ///
    /// @throws MainstayException REPOSITORY_FOREIGN if the copy's place holds something else
    public Map<String, Amount> missing() {
        Map<String, Amount> missing = new TreeMap<>();
        if (!isBegun()) {
            count(missing, new StoredObject(Names.FORMAT, size(Names.FORMAT)));
        }
        if (subset.isPresent()) {
            KEYS.forEach(prefix -> missing(prefix, object -> count(missing, object)));
            subset.get().missing(isBegun(), object -> count(missing, object));
            return missing;
        }
        for (List<String> prefixes : List.of(KEYS, CONTENT, ENDS, List.of(Names.SUMMARIES))) {
            prefixes.forEach(prefix -> missing(prefix, object -> count(missing, object)));
        }
        return missing;
    }

    private long size(String name) {
        return from.store().size(name).orElse(0L);
    }

    private static void count(Map<String, Amount> amounts, StoredObject object) {
        amounts.merge(
                object.name().split("/", -1)[0],
                Amount.NONE.plus(object.sizeBytes()),
                Amount::plus);
    }

    /// Copies what is missing; durable when this returns.
    ///
    /// @throws MainstayException REPOSITORY_FOREIGN if the copy's place holds something else,
    ///   COPY_CONFLICT if it holds an object of the same name and another content, COPY_UNSETTLED,
    ///   INTERRUPTED, or what one of the stores says. What was copied counts.
    public Result run() {
        begin();
        try (objects) {
            for (int round = 0; round < ROUNDS; round++) {
                if (subset.isPresent() ? part(subset.get()) : round()) {
                    return new Result(
                            objects.copied(),
                            damaged(),
                            removeParts(),
                            stillReadable(),
                            otherWaysIn(),
                            subset.map(SubsetCopy::partial).orElse(Partial.NONE));
                }
            }
        }
        throw new MainstayException(
                ErrorCode.COPY_UNSETTLED,
                "backups were removed from "
                        + from.store().facts().url()
                        + " each time that it was looked through, so "
                        + to.facts().url()
                        + " got no new ones");
    }

    private boolean part(SubsetCopy some) {
        KEYS.forEach(prefix -> missing(prefix, objects::copyNow));
        return some.round();
    }

    private List<DamagedObject> damaged() {
        List<DamagedObject> damaged = new ArrayList<>(objects.damaged());
        subset.ifPresent(some -> damaged.addAll(some.damaged()));
        return damaged;
    }

    /// Makes sure that the copy is one of this repository, or begins it.
    private void begin() {
        if (isBegun()) {
            return;
        }
        Repository.demandNone(to);
        Listing.all(from.store(), Names.ROOT_KEYS).forEach(objects::copyNow);
        objects.copyNow(new StoredObject(Names.FORMAT, size(Names.FORMAT)));
    }

    private boolean isBegun() {
        if (to.size(Names.FORMAT).isEmpty()) {
            return false;
        }
        byte[] ours = from.store().get(Names.FORMAT, 0, (int) size(Names.FORMAT));
        byte[] theirs = to.get(Names.FORMAT, 0, to.size(Names.FORMAT).orElse(0L).intValue());
        if (!Arrays.equals(ours, theirs)) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_FOREIGN,
                    to.facts().url() + " holds another repository, not a copy of this one");
        }
        return true;
    }

    /// @return whether nothing was left out
    private boolean round() {
        List<StoredObject> summaries = new ArrayList<>();
        boolean[] more = new boolean[1];
        missing(
                Names.SUMMARIES,
                object -> {
                    if (summaries.size() < SUMMARIES_AT_ONCE) {
                        summaries.add(object);
                    } else {
                        more[0] = true;
                    }
                });
        Set<String> records = records();
        Set<String> moved = names(Names.MOVED);
        KEYS.forEach(prefix -> missing(prefix, objects::copyNow));
        CONTENT.forEach(prefix -> missing(prefix, objects::copy));
        // Frames that moved while packs were listed may have been in none that was. No pack goes
        // before it is said where its frames are: if nothing was said meanwhile, none has moved.
        if (!objects.await() || !isStill(records) || !moved.equals(names(Names.MOVED))) {
            return false;
        }
        ordered(records).forEach(objects::copyNow);
        summaries.forEach(objects::copy);
        return objects.await() && !more[0];
    }

    /// Names of all slots and records.
    private Set<String> records() {
        Set<String> names = new HashSet<>();
        ENDS.forEach(prefix -> names.addAll(names(prefix)));
        return names;
    }

    private Set<String> names(String prefix) {
        Set<String> names = new HashSet<>();
        Listing.forEach(from.store(), prefix, object -> names.add(object.name()));
        return names;
    }

    /// Whether all that backups of these records need was there while it was copied: none of the
    /// records is gone, and none but the ends of further backups was added.
    private boolean isStill(Set<String> records) {
        Set<String> now = records();
        return now.containsAll(records)
                && now.stream()
                        .allMatch(name -> records.contains(name) || name.startsWith(Names.SLOTS));
    }

    /// Those that are missing, none before one that it refers to.
    private List<StoredObject> ordered(Set<String> records) {
        Map<String, Long> sequences = new HashMap<>();
        from.sources((_, _) -> {})
                .forEach(
                        source ->
                                source.records()
                                        .records()
                                        .forEach(
                                                record ->
                                                        sequences.put(
                                                                record.object(),
                                                                record.sequence())));
        List<StoredObject> missing = new ArrayList<>();
        for (String prefix : ENDS) {
            missing(
                    prefix,
                    object -> {
                        if (records.contains(object.name())) {
                            missing.add(object);
                        }
                    });
        }
        // What cannot be read refers to nothing that anybody knows of.
        missing.sort(
                Comparator.comparing(
                        object -> sequences.getOrDefault(object.name(), Long.MAX_VALUE)));
        return missing;
    }

    private void missing(String prefix, Consumer<StoredObject> each) {
        missing(from, to, prefix, each);
    }

    static void missing(
            Repository from, ObjectStore to, String prefix, Consumer<StoredObject> each) {
        ListingCursor there = new ListingCursor(to, prefix);
        Listing.forEach(
                from.store(),
                prefix,
                object -> {
                    StoredObject same = there.at(object.name());
                    if (same == null) {
                        if (!Shredding.isDone(to, object.name())) {
                            each.accept(object);
                        }
                    } else if (same.sizeBytes() != object.sizeBytes()
                            && !isGivenUp(from, object.name())) {
                        throw ObjectCopies.conflict(to, object.name());
                    }
                });
    }

    /// Whether a slot of the first repository says that its backup does not exist. A collector that
    /// slept while the backup was committed and removed may have put that; what the copy has is the
    /// commit then, and stays like everything that was removed.
    private static boolean isGivenUp(Repository from, String slot) {
        Optional<BackupId> backup = Names.backupOfSlot(slot);
        return backup.isPresent()
                && from.sources((_, _) -> {}).stream()
                        .filter(source -> Names.slot(source.id(), backup.get()).equals(slot))
                        .anyMatch(source -> source.isGivenUp(backup.get()));
    }

    /// What was shredded is shredded in each place by itself: who does it here by mistake, or by
    /// malice, has not done it there.
    private List<String> stillReadable() {
        return from.shredded().stream()
                .filter(gone -> !to.list(Names.sourceKeys(gone.id()), "", 1).objects().isEmpty())
                .map(ShreddedSource::name)
                .toList();
    }

    private List<String> otherWaysIn() {
        Set<String> there = new TreeSet<>();
        Listing.forEach(to, Names.ROOT_KEYS, object -> there.add(Names.recipientOf(object.name())));
        Listing.forEach(
                from.store(),
                Names.ROOT_KEYS,
                object -> there.remove(Names.recipientOf(object.name())));
        return List.copyOf(there);
    }

    /// Removes parts of segments that were stored whole meanwhile, as the first repository did.
    private long removeParts() {
        long removed = 0;
        ListingCursor ours = new ListingCursor(from.store(), Names.PARTS);
        for (StoredObject part : Listing.all(to, Names.PARTS)) {
            if (ours.at(part.name()) == null
                    && to.size(Names.wholeOfPart(part.name())).isPresent()) {
                to.delete(part.name());
                removed++;
            }
        }
        return removed;
    }
}
