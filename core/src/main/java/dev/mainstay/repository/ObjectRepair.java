package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.SystemId;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// Puts damaged and missing objects right: from copies, each checked with this repository's keys
/// before it is put and read back afterwards, or from what is here itself. What is well is never
/// touched, and nothing is removed of which anything could still be read.
///
/// Whoever is stopped anywhere has left each object as it was or whole; running it again goes on.
/// Writers, collectors and other repairs may be at work: what is put is what was there. Not
/// thread-safe.
public final class ObjectRepair {
    /// @param how it was put right, in words
    public record Repaired(String object, String how) {}

    private final Repository repository;
    private final ObjectStore store;
    private final List<Donor> donors;
    private final Map<SourceId, ProtectedSource> known = new HashMap<>();
    private final ObjectJudge judge;
    private final Map<String, String> unasked = new LinkedHashMap<>();
    private final Map<String, String> wanted = new HashMap<>();
    private final WalStretches freed = WalStretches.none();

    public ObjectRepair(Repository repository, List<Donor> donors) {
        this.repository = repository;
        this.store = repository.store();
        this.donors = List.copyOf(donors);
        repository.sources((_, _) -> {}).forEach(source -> known.put(source.id(), source));
        this.judge = new ObjectJudge(repository, known);
        for (ProtectedSource source : known.values()) {
            RecordChain chain = source.records();
            chain.missing()
                    .forEach(link -> wanted.merge(link.object(), link.sha256(), String::concat));
            freed.addAll(chain.freedWal());
        }
    }

    /// Copies that could not be asked, and why.
    public Map<String, String> unasked() {
        return Map.copyOf(unasked);
    }

    /// The objects to put right for what was found of one: mostly itself; the keys without which it
    /// cannot be read; all segments of a gap that begins with it.
    public Set<String> suspects(String object, ErrorCode code) {
        return switch (code) {
            case KEY_MISSING -> keysOf(object);
            case WAL_GAP -> gap(object);
            default -> Set.of(object);
        };
    }

    /// Where frames of a pack came from that was compacted into this one: copies may have that
    /// still.
    public Set<String> compacted(String object) {
        Set<String> names = new LinkedHashSet<>();
        Names.packOf(object)
                .ifPresent(
                        pack ->
                                MovedFrames.readable(repository, known.values())
                                        .to(pack)
                                        .forEach(
                                                move ->
                                                        names.add(
                                                                Names.pack(
                                                                        move.packClass,
                                                                        move.from))));
        return names;
    }

    private Set<String> keysOf(String object) {
        Set<String> keys = new LinkedHashSet<>();
        owner(object)
                .ifPresent(
                        source ->
                                forEachThere(
                                        Names.sourceKeys(source),
                                        "",
                                        key -> {
                                            if (store.size(key).isEmpty()) {
                                                keys.add(key);
                                            }
                                            return true;
                                        }));
        return keys;
    }

    private Optional<SourceId> owner(String object) {
        String[] words = object.split("/", -1);
        try {
            if (Set.of("slots", "records", "index", "intents", "progress").contains(words[0])) {
                return Optional.of(SourceId.parse(words[1]));
            }
            byte[] head = store.get(object, 0, ObjectHeader.SIZE);
            return Optional.of(SourceId.of(Arrays.copyOfRange(head, 16, 32)));
        } catch (MainstayException | IllegalArgumentException nobodys) {
            return Optional.empty();
        }
    }

    private Set<String> gap(String first) {
        Set<String> segments = new LinkedHashSet<>(Set.of(first));
        forEachThere(
                first.substring(0, first.lastIndexOf('/') + 1),
                first,
                name -> store.size(name).isEmpty() && segments.add(name));
        return segments;
    }

    /// Names that copies list, until the taker has seen enough of one.
    private void forEachThere(String prefix, String after, Predicate<String> goesOn) {
        for (Donor donor : donors) {
            try {
                Listing.whileAfter(donor.store(), prefix, after, each -> goesOn.test(each.name()));
            } catch (MainstayException failed) {
                pass(donor, failed);
            }
        }
    }

    /// Puts an object right if that can be done.
    ///
    /// @return empty if nothing can be done, or nothing is wrong that this can see
    public Optional<Repaired> repair(String name) {
        Optional<byte[]> here = read(store, name);
        boolean well = here.isPresent() && isWell(name, here.get());
        if (well || Shredding.isDone(store, name) || (here.isEmpty() && isFreed(name))) {
            return Optional.empty();
        }
        List<byte[]> damaged = new ArrayList<>();
        here.ifPresent(damaged::add);
        for (Donor donor : donors) {
            Optional<byte[]> there = ask(donor, name);
            if (there.isPresent() && isWell(name, there.get())) {
                return write(name, here, there.get(), "copied from " + donor.name());
            }
            there.ifPresent(damaged::add);
        }
        return merge(name, here, damaged)
                .or(() -> isBroken(name, here) ? remake(name, here) : Optional.empty());
    }

    /// Whether an object does not even match its own hash. Else it may only be that a key is
    /// missing, and nothing of it may go.
    public boolean isBroken(String name) {
        return isBroken(name, read(store, name));
    }

    private static boolean isBroken(String name, Optional<byte[]> here) {
        try {
            here.ifPresent(bytes -> SealedObject.check(name, bytes));
            return false;
        } catch (MainstayException broken) {
            return true;
        }
    }

    /// Whether it is WAL that retention gave up for good.
    private boolean isFreed(String name) {
        String[] words = name.split("/", -1);
        return Set.of("wal", "parts", "summaries").contains(words[0])
                && freed.namesFile(SystemId.parse(words[1]), words[3]);
    }

    private boolean isWell(String name, byte[] bytes) {
        String hash = wanted.getOrDefault(name, "");
        if (!hash.isEmpty() && !hash.contains(Bytes.sha256Hex(bytes))) {
            return false;
        }
        try {
            judge.judge(name, bytes);
            return true;
        } catch (MainstayException broken) {
            return false;
        }
    }

    private static Optional<byte[]> read(ObjectStore from, String name) {
        Optional<Long> size = from.size(name);
        return size.map(length -> from.get(name, 0, Math.toIntExact(length)));
    }

    private Optional<byte[]> ask(Donor donor, String name) {
        if (unasked.containsKey(donor.name())) {
            return Optional.empty();
        }
        try {
            return read(donor.store(), name);
        } catch (MainstayException failed) {
            pass(donor, failed);
            return Optional.empty();
        }
    }

    /// A copy that fails keeps nobody from the others.
    private void pass(Donor donor, MainstayException failed) {
        if (failed.code() == ErrorCode.INTERRUPTED) {
            throw failed;
        }
        unasked.putIfAbsent(donor.name(), failed.code().id() + ": " + failed.getMessage());
    }

    private Optional<Repaired> write(String name, Optional<byte[]> here, byte[] bytes, String how) {
        if (here.isPresent()) {
            store.replace(name, ByteBuffer.wrap(bytes));
        } else {
            PutOutcome _ = store.put(name, ByteBuffer.wrap(bytes));
        }
        if (Shredding.isDone(store, name)) { // meanwhile
            store.delete(name);
            return Optional.empty();
        }
        if (read(store, name).filter(there -> isWell(name, there)).isEmpty()) {
            throw new MainstayException(
                    ErrorCode.REPAIR_NOT_KEPT,
                    store.facts().url() + " does not give back " + name + " as it was put");
        }
        return Optional.of(new Repaired(name, how));
    }

    private Optional<Repaired> merge(String name, Optional<byte[]> here, List<byte[]> damaged) {
        return Names.packOf(name)
                .flatMap(pack -> new PackMerge(repository, known).merge(name, pack, damaged))
                .flatMap(
                        whole ->
                                write(
                                        name,
                                        here,
                                        whole,
                                        "put together from "
                                                + damaged.size()
                                                + (damaged.size() == 1
                                                        ? " that lacked nothing but its end"
                                                        : " that are damaged in different"
                                                                + " places")));
    }

    /// What can be made again, or is of no use any more.
    private Optional<Repaired> remake(String name, Optional<byte[]> here) {
        String[] words = name.split("/", -1);
        return switch (words[0]) {
            case "index" -> index(name, words, here);
            case "parts" ->
                    here.isPresent() && store.size(Names.wholeOfPart(name)).isPresent()
                            ? remove(name, "removed: its segment is stored whole")
                            : Optional.empty();
            case "progress", "scrub" ->
                    here.isPresent()
                            ? remove(name, "removed: it would only have saved work")
                            : Optional.empty();
            case "intents" ->
                    here.isPresent() && store.size("slots" + name.substring(7)).isPresent()
                            ? remove(name, "removed: its backup has ended")
                            : Optional.empty();
            default -> Optional.empty();
        };
    }

    private Optional<Repaired> remove(String name, String how) {
        return switch (store.delete(name)) {
            case DELETED, ABSENT -> Optional.of(new Repaired(name, how));
            case REFUSED -> Optional.empty();
        };
    }

    private Optional<Repaired> index(String name, String[] words, Optional<byte[]> here) {
        ProtectedSource source = known.get(SourceId.parse(words[1]));
        if (source == null || here.isEmpty()) {
            return Optional.empty();
        }
        try {
            Optional<byte[]> piece = new IndexRebuild(source).piece(BackupId.parse(words[2]));
            return piece.isPresent()
                    ? write(name, here, piece.get(), "rebuilt from the backup's manifest")
                    : remove(name, "removed: other pieces of the index say all it could");
        } catch (MainstayException unread) {
            if (BegunBackup.isPassing(unread) || unread.code() == ErrorCode.REPAIR_NOT_KEPT) {
                throw unread;
            }
            return Optional.empty(); // the manifest is damaged, which is told
        }
    }

    /// Puts index pieces that are missing.
    public List<Repaired> missingIndexes() {
        List<Repaired> put = new ArrayList<>();
        for (ProtectedSource source : known.values()) {
            new IndexRebuild(source)
                    .missing(
                            name ->
                                    put.add(
                                            new Repaired(
                                                    name, "rebuilt from the backup's manifest")));
        }
        return put;
    }
}
