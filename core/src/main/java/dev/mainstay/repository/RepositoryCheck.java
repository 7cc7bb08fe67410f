package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.StoredObject;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Predicate;

/// Reads a whole repository and says what is wrong with it: every object against its hash and its
/// seal, every frame against the maps, manifests and index pieces that refer to it, every record
/// against the chain. Each data pack is read once from front to back.
///
/// What WAL means — gaps, timelines, summaries — is not known here.
public final class RepositoryCheck {
    /// @param source only what belongs to this source
    /// @param percent how much of the packs and WAL segments is read; metadata is read wholly
    /// @param seed chooses which
    /// @param threads how many objects are read at once
    /// @param chosen which packs and WAL segments are read, instead of a part of them; asked once
    ///   for each, in the order of names
    /// @param backup only what this one needs: its record, what that refers to, and no WAL
    public record Options(
            Optional<String> source,
            double percent,
            long seed,
            int threads,
            Optional<Predicate<StoredObject>> chosen,
            Optional<BackupId> backup) {
        public Options(Optional<String> source, double percent, long seed, int threads) {
            this(source, percent, seed, threads, Optional.empty(), Optional.empty());
        }

        /// The same, but only of what one backup needs.
        ///
        /// @param name of its source
        public Options of(String name, BackupId which) {
            return new Options(
                    Optional.of(name), percent, seed, threads, chosen, Optional.of(which));
        }

        /// The same, but reading only what is chosen.
        public Options reading(Predicate<StoredObject> which) {
            return new Options(source, percent, seed, threads, Optional.of(which), backup);
        }

        public static Options everything() {
            return new Options(Optional.empty(), 100, 0, 2);
        }
    }

    /// What was found.
    ///
    /// @param backups of the chosen sources, as far as their commit records can be read
    /// @param defects the first ones; `defectCount` counts all
    /// @param unknownObjects the first ones that are no objects of this format
    /// @param unusedPacks packs that no committed backup refers to: garbage or a backup under way
    /// @param shredded sources whose objects nobody can read any more, on purpose
    /// @param lostFiles what backups do not have any more, the first ones
    /// @param losses frames that backups do not have any more, by source; empty for a source that
    ///   has lost nothing
    public record Result(
            Map<ProtectedSource, List<CommittedBackup>> backups,
            List<Defect> defects,
            long defectCount,
            List<String> unknownObjects,
            long unknownCount,
            long objects,
            long bytes,
            long packs,
            long packsRead,
            long unusedPacks,
            long frames,
            List<ShreddedSource> shredded,
            List<LostFile> lostFiles,
            Map<ProtectedSource, KnownLoss> losses) {}

    private static final Comparator<NewestRecords.Head> BY_OBJECT =
            Comparator.comparing(NewestRecords.Head::object)
                    .thenComparing(NewestRecords.Head::sha256);

    private final Repository repository;
    private final Options options;
    private final LongConsumer bytesDone;
    private final Defects defects = new Defects();
    private final ExpectedFrames expected = new ExpectedFrames();
    private final Map<SourceId, ProtectedSource> known = new LinkedHashMap<>();
    private final List<ProtectedSource> selected = new ArrayList<>();
    private final Map<SourceId, List<CommittedBackup>> backups = new LinkedHashMap<>();
    private final Map<SourceId, RecordChain> chains = new HashMap<>();
    private final List<ProtectedSource> origins = new ArrayList<>();
    private final List<BackupWalk.Unread> unread = new ArrayList<>();
    private final List<LostFile> lostFiles = new ArrayList<>();
    private final Map<ProtectedSource, KnownLoss> losses = new LinkedHashMap<>();
    private List<ShreddedSource> shredded = List.of();
    private @Nullable CurrentPlaces current;

    /// @param bytesDone is told how many more bytes of the store were dealt with, from any thread
    public RepositoryCheck(Repository repository, Options options, LongConsumer bytesDone) {
        this.repository = repository;
        this.options = options;
        this.bytesDone = bytesDone;
    }

    /// @throws MainstayException SOURCE_UNKNOWN, or STORE_UNAVAILABLE where the store cannot be
    ///   asked; whatever is wrong with objects is in the result
    public Result run() {
        try (expected) {
            readKeys();
            selected.forEach(this::readSource);
            PackSurvey packs =
                    new PackSurvey(repository, options.threads(), expected, origins, known);
            StoreSurvey survey =
                    new StoreSurvey(
                            repository, options, known, shreddedIds(), selected, packs, defects);
            survey.run(bytesDone);
            vanished(survey.heads());
            attribute(packs);
            Map<ProtectedSource, List<CommittedBackup>> readable = new LinkedHashMap<>();
            selected.forEach(
                    source ->
                            readable.put(
                                    source,
                                    List.copyOf(backups.getOrDefault(source.id(), List.of()))));
            return new Result(
                    readable,
                    defects.list(),
                    defects.count(),
                    survey.unknown(),
                    survey.unknownCount(),
                    survey.objects(),
                    survey.bytes(),
                    packs.seen(),
                    packs.read(),
                    packs.unused(),
                    packs.frames(),
                    shredded,
                    List.copyOf(lostFiles),
                    Map.copyOf(losses));
        }
    }

    /// Whatever the objects hold, are their bytes those of their names and hashes? Needs no key.
    public static List<Defect> withoutKey(dev.mainstay.storage.ObjectStore store) {
        Defects defects = new Defects();
        Listing.forEach(store, "", object -> StoreSurvey.checkHash(store, object, defects));
        return defects.list();
    }

    private void readKeys() {
        SourceKeys keys =
                SourceKeys.read(
                        repository, (name, broken) -> defects.add(name, broken, costOfKey(name)));
        repository.sources(keys).forEach(source -> known.put(source.id(), source));
        shredded = keys.shredded();
        for (String doomed : keys.doomed()) {
            defects.add(
                    new Defect(
                            doomed,
                            ErrorCode.KEY_SHRED_UNFINISHED,
                            "its source was shredded, and this key of it is still there",
                            Set.of()));
        }
        options.source()
                .ifPresent(
                        name ->
                                shredded.stream()
                                        .filter(gone -> gone.name().equals(name))
                                        .findFirst()
                                        .filter(_ -> !isKnown(name))
                                        .ifPresent(
                                                gone -> {
                                                    throw gone.refusal();
                                                }));
        known.values().stream()
                .filter(
                        source ->
                                options.source().isEmpty()
                                        || options.source().get().equals(source.name()))
                .forEach(selected::add);
        if (options.source().isPresent() && selected.isEmpty() && defects.count() == 0) {
            throw new MainstayException(
                    ErrorCode.SOURCE_UNKNOWN,
                    "the repository holds nothing of source '" + options.source().get() + "'");
        }
    }

    private boolean isKnown(String name) {
        return known.values().stream().anyMatch(source -> source.name().equals(name));
    }

    private Set<SourceId> shreddedIds() {
        Set<SourceId> ids = new HashSet<>();
        shredded.forEach(gone -> ids.add(gone.id()));
        return ids;
    }

    /// Without its key a source is lost as a whole.
    private Set<BackupId> costOfKey(String keyObject) {
        Set<BackupId> cost = new HashSet<>();
        String[] words = keyObject.split("/", -1);
        if (words.length > 2) {
            String prefix = "slots/" + words[2] + "/";
            Listing.forEach(
                    repository.store(),
                    prefix,
                    slot -> Names.backupOfSlot(slot.name()).ifPresent(cost::add));
        }
        return cost;
    }

    private void readSource(ProtectedSource source) {
        if (options.backup().isPresent()) {
            readBackup(source, options.backup().get());
            return;
        }
        RecordChain chain = source.records();
        if (!chain.missing().isEmpty()) {
            chain = source.records(); // slots are listed first: one may have come meanwhile
        }
        chains.put(source.id(), chain);
        for (DamagedRecord each : chain.damaged()) {
            defects.add(
                    new Defect(each.object(), each.code(), each.why(), costOfSlot(each.object())));
        }
        for (RecordChain.Missing link : chain.missing()) {
            if (!defects.has(link.object())) {
                defects.add(
                        new Defect(
                                link.object(),
                                ErrorCode.CHAIN_BROKEN,
                                "record "
                                        + link.referredToBy()
                                        + " names it, and it is gone or another one",
                                costOfSlot(link.object())));
            }
        }
        List<CommittedBackup> committed = chain.backups();
        backups.put(source.id(), committed);
        readBackups(source, committed);
        readIndex(source, committed);
    }

    /// One backup alone.
    ///
    /// @throws MainstayException BACKUP_UNKNOWN if there is no such backup
    private void readBackup(ProtectedSource source, BackupId id) {
        List<CommittedBackup> only = new ArrayList<>();
        try {
            only.add(source.backup(id));
        } catch (MainstayException broken) {
            if (broken.code() == ErrorCode.BACKUP_UNKNOWN) {
                throw broken;
            }
            defects.add(Names.slot(source.id(), id), broken, Set.of(id));
        }
        backups.put(source.id(), only);
        readBackups(source, only);
    }

    private CurrentPlaces current() {
        CurrentPlaces known = current;
        if (known == null) {
            known = new CurrentPlaces(repository, this.known.values());
            current = known;
        }
        return known;
    }

    private Set<BackupId> costOfSlot(String name) {
        return Names.backupOfSlot(name).map(Set::of).orElseGet(Set::of);
    }

    private void readBackups(ProtectedSource source, List<CommittedBackup> committed) {
        int origin = origins.size();
        origins.add(source);
        Consumer<ExpectedFrames.Expected> expect =
                each -> expected.add(each.movedTo(current().of(each.ref())));
        try (BackupWalk walk = new BackupWalk(source, expect, _ -> false, unread::add)) {
            committed.forEach(backup -> walk.walk(backup, origin));
        }
    }

    private void readIndex(ProtectedSource source, List<CommittedBackup> committed) {
        int origin = origins.size() - 1;
        Set<String> ids = new HashSet<>();
        committed.forEach(backup -> ids.add(backup.id().text()));
        String prefix = Names.index(source.id());
        Listing.forEach(
                repository.store(),
                prefix,
                object -> {
                    boolean used = ids.contains(object.name().substring(prefix.length()));
                    try {
                        ChunkIndex.entries(
                                source.vault(),
                                object.name(),
                                (ManifestEntry.ChunkRef chunk) -> {
                                    if (used) {
                                        expected.add(
                                                BackupWalk.chunk(chunk, origin)
                                                        .movedTo(current().of(chunk.frame())));
                                    }
                                });
                    } catch (MainstayException broken) {
                        if (!source.vault().isGone(object.name(), broken)) {
                            defects.add(object.name(), broken, Set.of());
                        }
                    }
                });
    }

    /// Records that summaries of WAL segments name and that are gone: the newest ones, to which no
    /// other record leads. What was put or expired while this was running is looked up again.
    private void vanished(Map<NewestRecords.Head, String> heads) {
        for (ProtectedSource source : selected) {
            String slots = Names.slots(source.id());
            String records = Names.records(source.id());
            Map<NewestRecords.Head, String> unaccounted = new TreeMap<>(BY_OBJECT);
            RecordChain before = chains.get(source.id());
            heads.forEach(
                    (head, summary) -> {
                        boolean its =
                                head.object().startsWith(slots)
                                        || head.object().startsWith(records);
                        if (its && (before == null || !before.accountsFor(head))) {
                            unaccounted.put(head, summary);
                        }
                    });
            if (!unaccounted.isEmpty()) {
                RecordChain now = source.records();
                unaccounted.forEach(
                        (head, summary) -> {
                            if (!now.accountsFor(head) && !defects.has(head.object())) {
                                defects.add(vanished(head, summary));
                            }
                        });
            }
        }
    }

    private Defect vanished(NewestRecords.Head head, String summary) {
        return new Defect(
                head.object(),
                ErrorCode.CHAIN_BROKEN,
                "it was the newest record when "
                        + summary
                        + " was written, and it is gone or"
                        + " another one",
                costOfSlot(head.object()));
    }

    /// Which backups need what is damaged: only where something is, manifests are walked again.
    private void attribute(PackSurvey packs) {
        Map<PackId, PackSurvey.Broken> broken = packs.broken();
        for (BackupWalk.Unread each : unread) {
            broken.computeIfAbsent(
                    each.ref().pack(),
                    _ -> new PackSurvey.Broken(PackSurvey.name(each.ref()), each.why()));
            packs.spoil(each.ref());
        }
        Map<PackId, Set<BackupId>> cost = new HashMap<>();
        for (ProtectedSource source : selected) {
            losses.put(source, broken.isEmpty() ? KnownLoss.NONE : attribute(packs, source, cost));
        }
        broken.forEach(
                (pack, what) ->
                        defects.add(what.name(), what.why(), cost.getOrDefault(pack, Set.of())));
    }

    private KnownLoss attribute(
            PackSurvey packs, ProtectedSource source, Map<PackId, Set<BackupId>> cost) {
        LostFiles files = new LostFiles(source.name());
        Map<PackId, Set<Integer>> frames = new HashMap<>();
        Consumer<ExpectedFrames.Expected> note =
                expected -> {
                    FrameRef ref = expected.ref();
                    if (packs.isSpoilt(ref)) {
                        frames.computeIfAbsent(ref.pack(), _ -> new HashSet<>()).add(ref.number());
                    }
                };
        try (BackupWalk walk = new BackupWalk(source, note, packs::isSpoilt, _ -> {})) {
            for (CommittedBackup backup : backups.getOrDefault(source.id(), List.of())) {
                BackupWalk.Losses told = (path, blocks) -> files.add(backup.id(), path, blocks);
                for (PackId lost : walk.walk(backup, 0, told)) {
                    for (PackId pack : packs.blamed(lost)) {
                        cost.computeIfAbsent(pack, _ -> new HashSet<>()).add(backup.id());
                    }
                }
            }
        }
        lostFiles.addAll(files.list());
        return KnownLoss.of(frames, files.list());
    }

    /// What can open an object with this header; empty where its source's key is not there.
    static Optional<Vault> vaultOf(
            Repository repository, Map<SourceId, ProtectedSource> known, ObjectHeader header) {
        return header.scope().source().isPresent()
                ? Optional.ofNullable(known.get(header.scope().source().get()))
                        .map(ProtectedSource::vault)
                : Optional.of(repository.rootVault());
    }

    /// Defects as they are found, from any thread; the first ones are kept.
    static final class Defects {
        private static final int KEPT = 10_000;
        private final List<Defect> list = new ArrayList<>();
        private final Set<String> objects = new HashSet<>();
        private long count;

        synchronized void add(Defect defect) {
            count++;
            if (list.size() < KEPT) {
                list.add(defect);
                objects.add(defect.object());
            }
        }

        /// @throws MainstayException if the store could not be asked: that is no defect of it
        void add(String object, MainstayException why, Set<BackupId> cost) {
            if (why.code() == ErrorCode.STORE_UNAVAILABLE || why.code() == ErrorCode.INTERRUPTED) {
                throw why;
            }
            add(new Defect(object, why.code(), String.valueOf(why.getMessage()), cost));
        }

        synchronized boolean has(String object) {
            return objects.contains(object);
        }

        synchronized List<Defect> list() {
            return List.copyOf(list);
        }

        synchronized long count() {
            return count;
        }
    }
}
