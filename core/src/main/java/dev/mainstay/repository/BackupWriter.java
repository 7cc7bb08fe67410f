package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.PutOutcome;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/// Writes one backup. It is announced when it begins and exists once [#commit] has put its slot,
/// which is the last thing written; until then, and after [#abort] or a crash, nothing of it is
/// visible.
///
/// Pages are stored by [Worker]s, one for each thread; everything else may be called from any
/// thread.
public final class BackupWriter implements AutoCloseable {
    private static final int METADATA_PACK = 16 << 20;

    private final ProtectedSource source;
    private final BackupOptions options;
    private final BackupId id;
    private final Instant begin;
    private final PackUploads uploads;
    private final BackupTally tally;
    private final AbsentFrames absent;
    private final WalStretches absentWal;
    private Optional<NeededWal> neededWal = Optional.empty();

    /// Backups that were there after this one was announced.
    private final List<CommittedBackup> listed;

    private final FoundAgain foundAgain = new FoundAgain();

    private final FileChunks chunks;
    private final PackStream pages;
    private Optional<ManifestAssembly> assembly = Optional.empty();
    private Optional<PriorBackup> prior = Optional.empty();
    private List<BegunPages> begun = List.of();
    private Optional<ProgressLog> progress = Optional.empty();
    private boolean finished;
    private boolean ended;

    private BackupWriter(ProtectedSource source, BackupOptions options, BackupId id) {
        this.source = source;
        this.options = options;
        this.id = id;
        Vault vault = source.vault();
        this.begin = vault.ground.clock().instant();
        this.uploads = new PackUploads(vault.store, vault.ground.beside(), 2);
        this.tally = new BackupTally(options.refreshBudgetPages());
        Claim.Named claimed = candidates(source.repository().rootVault());
        Set<String> absentPacks = new HashSet<>();
        claimed.packs().forEach(pack -> absentPacks.add(pack.hex()));
        RecordChain chain = source.records();
        this.absent = new AbsentFrames(absentPacks, KnownLoss.of(chain));
        this.absentWal = claimed.wal();
        this.listed = chain.backups();
        int packBytes = (int) options.packSize().bytes();
        this.pages =
                new PackStream(
                        vault,
                        options.parent().isPresent() ? PackClass.INCREMENTAL : PackClass.BASE,
                        packBytes,
                        uploads);
        this.chunks =
                new FileChunks(
                        source,
                        options,
                        uploads,
                        foundAgain,
                        new FileChunks.Known(
                                () -> ChunkIndex.read(source, listed, absent),
                                this::begun,
                                chunk -> progress.ifPresent(log -> log.add(chunk))));
    }

    static BackupWriter begin(ProtectedSource source, BackupOptions options) {
        Vault vault = source.vault();
        BackupId id = BackupId.of(vault.ground.clock().instant(), vault.ground.randomBytes(4));
        Json intent =
                Json.object()
                        .put("object", Names.intent(source.id(), id))
                        .put("backup", id.text())
                        .put("begin", vault.ground.clock().instant().toString());
        vault.put(Names.intent(source.id(), id), vault.sealJson(ObjectType.INTENT, intent));
        return new BackupWriter(source, options, id);
    }

    /// Read after the announcement, so that no collector can have missed this backup and be missed
    /// by it.
    private static Claim.Named candidates(Vault vault) {
        Set<PackId> packs = new HashSet<>();
        WalStretches wal = WalStretches.none();
        Listing.forEach(
                vault.store,
                Names.CANDIDATES,
                object -> {
                    try {
                        String name = object.name();
                        Claim.Named named =
                                Claim.Named.read(
                                        name,
                                        vault.openJson(
                                                name, ObjectType.CANDIDATES, vault.get(name)));
                        packs.addAll(named.packs());
                        wal.addAll(named.wal());
                    } catch (MainstayException missing) {
                        if (missing.code() != ErrorCode.STORE_OBJECT_MISSING) {
                            throw missing;
                        } // that collector is through: nothing leads to what it removed
                    }
                });
        return new Claim.Named(packs, Set.of(), wal);
    }

    public BackupId id() {
        return id;
    }

    /// Sets what all relation files of the source share; before the first worker is made.
    public void blockSize(int blockSizeBytes) {
        Vault vault = source.vault();
        assembly =
                Optional.of(
                        new ManifestAssembly(
                                new PackStream(vault, PackClass.METADATA, METADATA_PACK, uploads),
                                new PackStream(
                                        vault, PackClass.FINGERPRINTS, METADATA_PACK, uploads),
                                options.compressionLevel(),
                                blockSizeBytes,
                                options.shape().chunksListed(),
                                uploads::named));
        prior = options.parent().filter(this::isListed).flatMap(this::unlessClaimed);
        begun =
                options.resumed().stream()
                        .map(each -> BegunPages.read(source, each, absent))
                        .toList();
    }

    /// Whether a backup that was chosen before this one was announced is there still. If it is, no
    /// collector removes what it refers to before this one has ended; if not, its packs may be gone
    /// already, and everything is read.
    private boolean isListed(CommittedBackup parent) {
        return listed.stream().anyMatch(each -> each.id().equals(parent.id()));
    }

    /// What a parent's manifest says, unless a collector claimed where it is stored and has removed
    /// it by now, or it is known to be lost.
    private Optional<PriorBackup> unlessClaimed(CommittedBackup parent) {
        if (parent.manifest().stream().anyMatch(absent.lost()::contains)) {
            return Optional.empty();
        }
        try {
            return Optional.of(PriorBackup.read(source, parent, absent));
        } catch (MainstayException missing) {
            if (missing.code() == ErrorCode.STORE_OBJECT_MISSING && !absent.isEmpty()) {
                return Optional.empty();
            }
            throw missing;
        }
    }

    /// Without which a backup cannot become consistent, or leads nowhere.
    private record NeededWal(SystemId system, TimelineId timeline, Lsn from, Lsn to) {
        /// Of whichever timeline up to where the backup is consistent, since it may have begun just
        /// after a switch; of its own beyond that. Else no restore of it would get past what is
        /// gone, while being the newest backup it would let older ones expire that do.
        boolean touches(WalStretches gone) {
            return gone.touches(system, from, to) || gone.reach(system, timeline, to);
        }
    }

    /// Says which WAL the backup needs to become consistent: where a collector is about to free it,
    /// or WAL of the same timeline behind it, or has done so, it cannot be committed.
    ///
    /// @param timeline on which the backup began
    public void needsWal(SystemId system, TimelineId timeline, Lsn start, Lsn stop) {
        neededWal = Optional.of(new NeededWal(system, timeline, start, stop.plus(-1)));
    }

    /// A collector whose claim was not seen when this backup began waits for its end; what others
    /// claimed is in the list that was read then, or on record by now.
    private void demandNotFreed(NeededWal wal, RecordChain chain) {
        if (wal.touches(absentWal) || wal.touches(chain.freedWal())) {
            throw new MainstayException(
                    ErrorCode.WAL_FREED,
                    "backup "
                            + id
                            + " needs WAL from "
                            + wal.from
                            + " on, of which retention has freed some since other backups are"
                            + " newer",
                    "take it from a server that has caught up, and did not go back to an old state"
                            + " on the same timeline",
                    null);
        }
    }

    /// Puts down from time to time what is stored, so that another backup can go on from there if
    /// this one is never finished; after [#blockSize], before the first worker is made.
    ///
    /// @param details what the engine has to know then; asked by threads of the writer, after the
    ///   files that it goes with were stored
    public void putDownProgress(Supplier<Json> details) {
        ProgressLog log = new ProgressLog(source, id, uploads, details, options.packSize().bytes());
        progress = Optional.of(log);
        assembly().progress(log);
    }

    /// How many bytes of pages were taken over from backups that were begun, so far.
    public ByteSize resumed() {
        return ByteSize.of(tally.resumed());
    }

    private ManifestAssembly assembly() {
        return assembly.orElseThrow(() -> new IllegalStateException("block size is not set"));
    }

    /// A worker for one thread.
    public Worker worker(int blockSizeBytes) {
        return new Worker(blockSizeBytes);
    }

    public void directory(FileFacts facts) {
        assembly().add(facts, new Content.Directory());
    }

    public void link(FileFacts facts, String target) {
        assembly().add(facts, new Content.Link(target));
    }

    /// A part of the catalog snapshot.
    ///
    /// @param jsonLines UTF-8, whole lines, at most 1 MiB
    public void catalog(byte[] jsonLines) {
        assembly().addCatalog(jsonLines);
    }

    /// Stores a file that is no relation, by chunks; from any thread, side by side.
    ///
    /// @throws IOException if the content cannot be read; the backup should not be committed then
    public void file(FileFacts facts, InputStream content) throws IOException {
        FileChunks.Stored stored = chunks.store(content);
        tally.read(stored.sizeBytes());
        tally.file(stored.sizeBytes());
        assembly().add(facts, stored.sizeBytes(), stored.crc(), stored.chunks());
    }

    private Optional<ManifestAssembly.PlacedChunk> begun(ChunkId chunk) {
        return begun.stream()
                .flatMap(each -> each.find(chunk).stream())
                .findFirst()
                .map(
                        ref ->
                                new ManifestAssembly.PlacedChunk(
                                        chunk, ref.lengthBytes(), PendingFrame.of(ref.frame())));
    }

    /// Stores relation segment files from one thread. Close it when its thread has no more files.
    public final class Worker implements AutoCloseable {
        private final FrameCoder coder = new FrameCoder(options.compressionLevel());
        private final PageStorer storer;
        private final Optional<PriorBackup.Lookup> lookup;

        /// Reads what a backup stored that this one goes on from, where there is no earlier one.
        private Optional<PackReader> begunPacks = Optional.empty();

        private Worker(int blockSizeBytes) {
            storer =
                    new PageStorer(
                            coder,
                            pages,
                            source.fingerprintSeed(),
                            options.shape(),
                            tally,
                            foundAgain,
                            blockSizeBytes);
            lookup = prior.map(PriorBackup::lookup);
        }

        /// Stores a relation segment file.
        ///
        /// @param pages its length in whole pages when the backup listed it; where it was truncated
        ///   meanwhile, fewer are stored
        public void pagedFile(FileFacts facts, int pages, PageSource pageSource) {
            part(begin(facts, pages, 1, ChangedPages.ALL), 0, pages, pageSource);
        }

        /// Begins a relation segment file that is stored in parts, by any workers of this backup.
        ///
        /// @param pages as for [#pagedFile]
        /// @param parts how many calls of [#part] make it complete
        /// @param changed which pages may differ from those of the backup this one builds on; must
        ///   name every page that does. Where that backup does not have the file, or cannot be
        ///   read, all are read nevertheless
        public PartedFile begin(FileFacts facts, int pages, int parts, ChangedPages changed) {
            return begin(facts, pages, parts, _ -> changed);
        }

        /// @param changed which pages may differ from those of the backup that is asked for: the
        ///   one this builds on, or one that it goes on from
        public PartedFile begin(
                FileFacts facts, int pages, int parts, Function<BackupId, ChangedPages> changed) {
            Optional<PriorFile> begunFile =
                    begun.stream()
                            .flatMap(each -> each.find(facts.path(), blockSize()).stream())
                            .findFirst();
            if (begunFile.isPresent()) {
                tally.resumed((long) Math.min(pages, begunFile.get().pages()) * blockSize());
                return new PartedFile(
                        storer.begin(facts, pages, begunFile),
                        begunFile,
                        changed.apply(begunFile.get().backup()),
                        parts);
            }
            Optional<PriorFile> found =
                    lookup.flatMap(each -> each.find(facts.path(), blockSize()));
            ChangedPages since =
                    found.map(each -> changed.apply(each.backup())).orElse(ChangedPages.ALL);
            if (found.isPresent()
                    && found.get().pages() == pages
                    && since.next(0, pages) == pages) {
                return new PartedFile(storer.untouched(facts, found.get()), found, since, parts);
            }
            Optional<PriorFile> known =
                    found.flatMap(each -> lookup.orElseThrow().withFingerprints(each));
            PartedFile parted =
                    new PartedFile(storer.begin(facts, pages, known), known, since, parts);
            if (found.isEmpty() && lookup.isPresent()) {
                parted.file.lost = lookup.get().lost(facts.path(), blockSize());
            }
            return parted;
        }

        private int blockSize() {
            return storer.blockSizeBytes();
        }

        /// Stores a part of a file; with its last part the file is stored.
        ///
        /// @param from first page of the part
        /// @param end the page after its last
        /// @param pageSource reads any page of the file: the last part looks after all of it
        public void part(PartedFile parted, int from, int end, PageSource pageSource) {
            part(parted, from, end, pageSource, Optional.empty());
        }

        /// @param comparison is shown the pages that are read, where the earlier backup has the
        ///   file
        public void part(
                PartedFile parted,
                int from,
                int end,
                PageSource pageSource,
                Optional<PageComparison> comparison) {
            storer.part(
                    parted,
                    from,
                    end,
                    pageSource,
                    comparison,
                    (prior, block) -> lookup.orElseThrow().page(prior, block));
            if (parted.wasLastPart()) {
                storer.finish(
                        parted.file,
                        pageSource,
                        parted.prior,
                        prior -> lookup.orElseThrow().withFingerprints(prior));
                tally.file((long) parted.file.frameOf.length * storer.blockSizeBytes());
                assembly().add(parted.file);
            }
        }

        /// Reads pages of a file that did not change out of the earlier backup, for a source whose
        /// files cannot be read a second time: for what [PageSource] asks after the last part.
        public PageSource earlierPages(PartedFile parted) {
            return new EarlierPages(
                    packs(),
                    parted.file,
                    parted.prior.orElseThrow().map(),
                    new Fingerprints(source.fingerprintSeed()));
        }

        private PackReader packs() {
            if (lookup.isPresent()) {
                return lookup.get().packs();
            }
            if (begunPacks.isEmpty()) {
                begunPacks = Optional.of(new PackReader(source));
            }
            return begunPacks.get();
        }

        @Override
        public void close() {
            begunPacks.ifPresent(PackReader::close);
            lookup.ifPresent(PriorBackup.Lookup::close);
            coder.close();
        }
    }

    /// Sends off everything that is still in memory. Nothing can be stored afterwards; [#commit]
    /// does this by itself where it was not done.
    public void finishContent() {
        if (finished) {
            return;
        }
        finished = true;
        progress.ifPresent(ProgressLog::end);
        pages.finish();
        chunks.finish();
        assembly().finish();
    }

    /// Makes the backup exist. Every worker must have stored its last file.
    ///
    /// @param details what the engine records about the source
    /// @throws MainstayException BACKUP_ABORTED if a collector gave up on this backup first
    public CommittedBackup commit(Json details) {
        finishContent();
        uploads.await();
        chunks.index(id);
        Vault vault = source.vault();
        foundAgain.publish(vault, id);
        String name = Names.slot(source.id(), id);
        RecordChain chain = source.records();
        neededWal.ifPresent(wal -> demandNotFreed(wal, chain));
        Json body =
                chain.link("commit", name)
                        .put("backup", id.text())
                        .put("backup-type", options.type())
                        .put("begin", begin.toString())
                        .put("end", vault.ground.clock().instant().toString())
                        .put("details", details)
                        .put("statistics", tally.toJson(uploads.bytes()));
        options.parent().ifPresent(parent -> body.put("parent", parent.id().text()));
        CommittedBackup.frames(assembly().manifest(), body, "manifest");
        CommittedBackup.frames(assembly().catalog(), body, "catalog");
        byte[] slot = vault.sealJson(ObjectType.SLOT, body);
        if (vault.put(name, slot) == PutOutcome.EXISTED
                && !java.util.Arrays.equals(slot, vault.get(name))) {
            throw new MainstayException(
                    ErrorCode.BACKUP_ABORTED, "backup " + id + " was given up by a collector");
        }
        ended = true;
        tidy();
        options.resumed().forEach(each -> each.forget(vault));
        return CommittedBackup.read(RecordChain.event(vault, name, ObjectType.SLOT, slot));
    }

    /// Removes what said that the backup is under way.
    private void tidy() {
        Vault vault = source.vault();
        List<String> left = new ArrayList<>();
        left.add(Names.intent(source.id(), id));
        Listing.forEach(
                vault.store, Names.progress(source.id(), id), object -> left.add(object.name()));
        try (FetchAhead<DeleteOutcome> deletes =
                FetchAhead.small(vault.ground.beside(), left, vault.store::delete)) {
            left.forEach(_ -> deletes.next());
        }
    }

    /// Gives up: says so under the backup's slot. What was put stays if another backup can go on
    /// from there, else it is removed, as far as the store lets it; nothing refers to it, and a
    /// collector finds it. A commit whose put seemed to fail and had happened after all stands:
    /// nothing is removed then. Nor is it if someone else gave up on this backup before, and may be
    /// using what it stored.
    ///
    /// @return whether another backup can go on from there
    public boolean abort() {
        if (ended) {
            return false;
        }
        ended = true;
        uploads.settle();
        Vault vault = source.vault();
        boolean kept = progress.map(ProgressLog::endWithRest).orElse(false);
        if (!BegunBackup.giveUp(source, id, kept)) {
            return false;
        }
        vault.store.delete(Names.index(source.id()) + id);
        if (!kept) {
            uploads.created().forEach(vault.store::delete);
        }
        vault.store.delete(Names.intent(source.id(), id));
        return kept;
    }

    @Override
    public void close() {
        chunks.close();
        assembly.ifPresent(ManifestAssembly::close);
        prior.ifPresent(PriorBackup::close);
        begun.forEach(BegunPages::close);
    }
}
