package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.SystemId;
import dev.mainstay.repository.ExpectedFrames.Expected;
import dev.mainstay.repository.RepositoryCheck.Defects;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.repository.format.SealedObject;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;

/// Goes through everything a store lists, once and in order, and has each object judged as what its
/// name says it is.
final class StoreSurvey {
    private static final Pattern NAMES =
            Pattern.compile(
                    "format"
                            + "|keys/root/[0-9a-f]{8}/[0-9a-f]{16}"
                            + "|keys/source/[0-9a-f]{32}/[0-9a-f]{8}"
                            + "|keys/epoch/[0-9a-f]{8}"
                            + "|keys/shredded/[0-9a-f]{32}"
                            + "|packs/(base|incremental|files|metadata|fingerprints)"
                            + "/[0-9a-f]{2}/[0-9a-f]{64}"
                            + "|(slots|intents|index)/[0-9a-f]{32}/\\d{8}T\\d{6}Z-[0-9a-f]{8}"
                            + "|progress/[0-9a-f]{32}/\\d{8}T\\d{6}Z-[0-9a-f]{8}/[0-9a-f]{8}"
                            + "|records/[0-9a-f]{32}/[0-9a-f]{16}-[0-9a-f]{8}"
                            + "|scrub/[0-9a-f]{16}-[0-9a-f]{8}"
                            + "|audit/[0-9a-f]{32}/[0-9a-f]{16}"
                            + "|gc/[^/]+"
                            + "|moved/[0-9a-f]{64}/[^/]+"
                            + "|wal/\\d{1,20}/[0-9A-F]{8}/[0-9A-F]{8}[0-9A-Za-z.]*"
                            + "|summaries/\\d{1,20}/[0-9A-F]{8}/[0-9A-F]{24}"
                            + "|parts/\\d{1,20}/[0-9A-F]{8}/[0-9A-F]{24}"
                            + "/[0-9a-f]{8}-[0-9a-f]{8}");

    private static final int KEPT = 1000;

    private final Repository repository;
    private final ObjectStore store;
    private final RepositoryCheck.Options options;
    private final Map<SourceId, ProtectedSource> known;
    private final Set<SourceId> shredded;
    private final List<ProtectedSource> selected;
    private final ObjectJudge judge;
    private final PackSurvey packs;
    private final Defects defects;
    private final Random sample;
    private final Map<NewestRecords.Head, String> heads = new ConcurrentHashMap<>();
    private final List<String> unknown = new ArrayList<>();
    private long unknownCount;
    private long objects;
    private long bytes;

    StoreSurvey(
            Repository repository,
            RepositoryCheck.Options options,
            Map<SourceId, ProtectedSource> known,
            Set<SourceId> shredded,
            List<ProtectedSource> selected,
            PackSurvey packs,
            Defects defects) {
        this.repository = repository;
        this.store = repository.store();
        this.options = options;
        this.known = known;
        this.shredded = shredded;
        this.selected = selected;
        this.judge = new ObjectJudge(repository, known);
        this.packs = packs;
        this.defects = defects;
        this.sample = new Random(options.seed());
    }

    static boolean isName(String name) {
        return NAMES.matcher(name).matches();
    }

    void run(LongConsumer bytesDone) {
        Semaphore slots = new Semaphore(options.threads() * 2);
        AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(options.threads())) {
            Listing.forEach(
                    store,
                    options.backup().isPresent() ? Names.PACKS : "",
                    object -> {
                        if (failure.get() != null) {
                            return;
                        }
                        Optional<Runnable> task = visit(object);
                        acquire(slots);
                        threads.execute(
                                () -> {
                                    try {
                                        task.ifPresent(Runnable::run);
                                        bytesDone.accept(object.sizeBytes());
                                    } catch (RuntimeException failed) {
                                        failure.compareAndSet(null, failed);
                                    } finally {
                                        slots.release();
                                    }
                                });
                    });
        }
        try {
            RuntimeException failed = failure.get();
            if (failed != null) {
                throw failed;
            }
            packs.endListing();
        } finally {
            packs.close();
        }
    }

    private static void acquire(Semaphore slots) {
        try {
            slots.acquire();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "the verification was interrupted", interrupted);
        }
    }

    /// Decides, in the order of the listing, what is to be done with an object.
    private Optional<Runnable> visit(StoredObject object) {
        if (options.backup().isEmpty()) {
            count(object);
        }
        String name = object.name();
        if (!isName(name)) {
            unknownCount++;
            if (unknown.size() < KEPT) {
                unknown.add(name);
            }
            return Optional.empty();
        }
        String[] words = name.split("/", -1);
        if (isShredded(words)) {
            return Optional.empty();
        }
        return switch (words[0]) {
            case "packs" -> pack(object, words);
            case "wal" -> isRead(object) ? task(name, () -> wal(name, words)) : Optional.empty();
            case "parts", "summaries" -> task(name, () -> wal(name, words));
            case "slots", "records", "index" -> belongsToNobody(name, words[1]);
            case "intents", "progress" ->
                    belongsToNobody(name, words[1]).or(() -> task(name, () -> judge(name)));
            case "keys" ->
                    words[1].equals("root") || words[1].equals("epoch")
                            ? task(name, () -> judge(name))
                            : Optional.empty(); // read before everything else
            default -> task(name, () -> judge(name));
        };
    }

    private void count(StoredObject object) {
        objects++;
        bytes += object.sizeBytes();
    }

    /// What nobody can read any more, on purpose; of packs and WAL only the content tells.
    private boolean isShredded(String[] words) {
        return Set.of("slots", "records", "index", "intents", "progress").contains(words[0])
                && shredded.contains(SourceId.parse(words[1]));
    }

    private boolean isRead(StoredObject object) {
        if (options.chosen().isPresent()) {
            return options.chosen().get().test(object);
        }
        return options.percent() >= 100 || sample.nextDouble() * 100 < options.percent();
    }

    private Optional<Runnable> task(String name, Runnable check) {
        return Optional.of(
                () -> {
                    try {
                        check.run();
                    } catch (MainstayException broken) {
                        boolean collected =
                                broken.code() == ErrorCode.STORE_OBJECT_MISSING
                                        && store.size(name).isEmpty()
                                        && (name.startsWith("parts/")
                                                || name.startsWith("intents/")
                                                || name.startsWith("progress/")
                                                || name.startsWith("scrub/")
                                                || name.startsWith("gc/")
                                                || isFreed(name));
                        if (!collected) {
                            defects.add(name, broken, Set.of());
                        }
                    } catch (IllegalArgumentException | IndexOutOfBoundsException broken) {
                        defects.add(
                                new Defect(
                                        name,
                                        ErrorCode.OBJECT_DAMAGED,
                                        "its content is impossible: " + broken.getMessage(),
                                        Set.of()));
                    }
                });
    }

    /// Whether WAL, or a summary, that was there a moment ago was freed by retention.
    private boolean isFreed(String name) {
        String[] words = name.split("/", -1);
        return Set.of("wal", "summaries").contains(words[0])
                && known.values().stream()
                        .anyMatch(
                                source ->
                                        source.records()
                                                .freedWal()
                                                .namesFile(SystemId.parse(words[1]), words[3]));
    }

    private Optional<Runnable> pack(StoredObject object, String[] words) {
        PackClass packClass = PackClass.parse(words[1]);
        PackId id = PackId.parse(words[3]);
        if (!words[2].equals(words[3].substring(0, 2))) {
            unknownCount++;
            unknown.add(object.name());
            return Optional.empty();
        }
        List<Expected> users = packs.expectedOf(packClass, id);
        boolean wanted = packClass == PackClass.METADATA || isRead(object);
        if (!wanted || (users.isEmpty() && options.source().isPresent())) {
            return Optional.empty();
        }
        if (options.backup().isPresent()) {
            count(object);
        }
        return task(object.name(), () -> packs.check(object.name(), id, object.sizeBytes(), users));
    }

    /// An object of a source whose key is not there at all.
    private Optional<Runnable> belongsToNobody(String name, String source) {
        SourceId id = SourceId.parse(source);
        if (known.containsKey(id)) {
            return Optional.empty();
        }
        String prefix = Names.SOURCE_KEYS + source + "/";
        return task(
                name,
                () -> {
                    SealedObject.check(name, bytes(name));
                    if (store.list(prefix, "", 1).objects().isEmpty()) {
                        throw new MainstayException(
                                ErrorCode.KEY_MISSING,
                                "object " + name + " belongs to a source whose key is gone");
                    }
                });
    }

    private byte[] bytes(String name) {
        return repository.rootVault().get(name);
    }

    private void judge(String name) {
        judge.judge(name, bytes(name));
    }

    private void wal(String name, String[] words) {
        SystemId system = SystemId.parse(words[1]);
        byte[] head = store.get(name, 0, (int) Math.min(headSize(name), ObjectHeader.SIZE));
        Optional<SourceId> named =
                head.length < ObjectHeader.SIZE
                        ? Optional.empty()
                        : Optional.of(SourceId.of(Arrays.copyOfRange(head, 16, 32)));
        if (named.filter(shredded::contains).isPresent()) {
            return;
        }
        Optional<SourceId> owner = named.filter(known::containsKey);
        if (owner.isPresent()) {
            ProtectedSource source = java.util.Objects.requireNonNull(known.get(owner.get()));
            if (selected.contains(source)) {
                note(name, source.wal(system, Vault.SMALL_LEVEL).check(name, bytes(name)));
            }
            return;
        }
        note(name, judge.ofAnyCluster(name, bytes(name)));
    }

    private void note(String summary, List<NewestRecords.Head> named) {
        named.forEach(head -> heads.putIfAbsent(head, summary));
    }

    /// The records that summaries of WAL segments name, each with one of these.
    Map<NewestRecords.Head, String> heads() {
        return Map.copyOf(heads);
    }

    private long headSize(String name) {
        return store.size(name)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.STORE_OBJECT_MISSING,
                                        "object " + name + " is missing"));
    }

    /// What can be said of an object without a key.
    static void checkHash(ObjectStore store, StoredObject object, Defects defects) {
        String name = object.name();
        if (!isName(name)) {
            return;
        }
        try {
            if (name.startsWith(Names.PACKS)) {
                PackId id = PackId.parse(name.substring(name.lastIndexOf('/') + 1));
                if (!PackCheck.hasItsHash(store, name, id, object.sizeBytes())) {
                    throw new MainstayException(
                            ErrorCode.OBJECT_DAMAGED,
                            "pack " + name + " does not have the hash it is named after");
                }
            } else {
                SealedObject.check(name, store.get(name, 0, Math.toIntExact(object.sizeBytes())));
            }
        } catch (MainstayException broken) {
            defects.add(name, broken, Set.of());
        }
    }

    List<String> unknown() {
        return List.copyOf(unknown);
    }

    long unknownCount() {
        return unknownCount;
    }

    long objects() {
        return objects;
    }

    long bytes() {
        return bytes;
    }
}
