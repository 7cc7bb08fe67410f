package dev.mainstay.repository;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.StoredObject;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;

/// Removes packs that no backup refers to, WAL that nothing needs ([WalPrune]), and what backups
/// that ended left behind (docs/format.md section 10), beside any number of writers and of others
/// like it, without locks. For one use.
///
/// Of packs of which little is needed, that is put elsewhere before ([Compaction]).
///
/// Packs are claimed first ([Claim]); then every backup that may not have seen the claim has to
/// end; then what is referred to is looked up again, and only what nothing refers to goes. No clock
/// decides what is removed; one decides when a backup that does not end is given up, which cannot
/// be finished any more then. Whoever is killed leaves something that the next one finishes.
public final class Prune {
    /// Packs in one claim: their names have to fit in an object.
    private static final int CLAIMED = 100_000;

    /// What was done, or would be.
    ///
    /// @param removed packs that went
    /// @param leftovers how many objects of backups that ended went, which nothing needs
    /// @param waiting packs that nothing refers to, and that running backups may come to refer to
    /// @param running the backups these wait for
    /// @param givenUp backups that had not ended in time and now cannot be finished
    /// @param refused packs that the store did not let go
    /// @param left packs that stay because something refers to them, or may go on from them
    /// @param wal what became of WAL
    /// @param compacted what became of packs of which little is needed
    public record Report(
            Amount removed,
            long leftovers,
            Amount waiting,
            List<AnnouncedBackup> running,
            List<AnnouncedBackup> givenUp,
            Amount refused,
            Amount left,
            Wal wal,
            Compacted compacted) {
        public Report {
            running = List.copyOf(running);
            givenUp = List.copyOf(givenUp);
        }
    }

    /// What became of packs of which little is needed: that was put into new packs. They count as
    /// removed once they went.
    ///
    /// @param packs that were compacted
    /// @param written what was needed of them
    /// @param later packs that the budget left for another run
    /// @param unread packs that could not be read, and stay
    public record Compacted(Amount packs, ByteSize written, long later, long unread) {
        static final Compacted NONE =
                new Compacted(new Amount(0, ByteSize.of(0)), ByteSize.of(0), 0, 0);
    }

    /// What became of WAL segments.
    ///
    /// @param freed segments that went
    /// @param size of what went, summaries and parts included
    /// @param waiting segments that nothing needs, and that running backups may come to need
    /// @param refused segments of stretches that the store did not let go as a whole
    public record Wal(long freed, ByteSize size, long waiting, long refused) {}

    /// How many, how large.
    public record Amount(long count, ByteSize size) {
        static Amount of(Collection<StoredObject> objects) {
            return new Amount(
                    objects.size(),
                    ByteSize.of(objects.stream().mapToLong(StoredObject::sizeBytes).sum()));
        }

        private Amount without(Amount other) {
            return new Amount(count - other.count, ByteSize.of(size.bytes() - other.size.bytes()));
        }
    }

    private final Repository repository;
    private final ObjectStore store;
    private final Vault root;
    private final Fence fence;
    private final boolean besideBackups;
    private final UnneededWal unneededWal;
    private final CompactionRule compaction;
    private final LongConsumer bytesRemoved;
    private Compacted compacted = Compacted.NONE;
    private final Map<PackId, StoredObject> stored = new HashMap<>();
    private final Set<StoredObject> waiting = new LinkedHashSet<>();
    private final Set<StoredObject> removed = new LinkedHashSet<>();
    private final Set<StoredObject> refused = new LinkedHashSet<>();

    /// Compacts nothing.
    public Prune(
            Repository repository,
            Duration patience,
            boolean besideBackups,
            UnneededWal unneededWal,
            LongConsumer bytesRemoved) {
        this(repository, patience, besideBackups, unneededWal, CompactionRule.NONE, bytesRemoved);
    }

    /// @param patience how long ago a backup that has not ended must have begun to be given up, and
    ///   a failed one for what it stored not to be kept any more for one that goes on from there
    /// @param besideBackups claim something although a backup is running. It cannot be told then
    ///   what that one has stored so far: those that build upon it store it again, until this is
    ///   run after its end. For who has a backup running always
    /// @param unneededWal which WAL nothing needs
    /// @param compaction which packs are compacted
    /// @param bytesRemoved is told of each object that went
    public Prune(
            Repository repository,
            Duration patience,
            boolean besideBackups,
            UnneededWal unneededWal,
            CompactionRule compaction,
            LongConsumer bytesRemoved) {
        this.repository = repository;
        this.store = repository.store();
        this.root = repository.rootVault();
        this.fence = new Fence(repository, patience);
        this.besideBackups = besideBackups;
        this.unneededWal = unneededWal;
        this.compaction = compaction;
        this.bytesRemoved = bytesRemoved;
    }

    /// Looks and changes nothing.
    ///
    /// @throws MainstayException PRUNE_STORE_UNFIT, or PRUNE_UNCERTAIN if it cannot be told what
    ///   backups refer to
    public Report plan() {
        demandFit(store.facts());
        List<Claim> claims = Claim.all(root);
        listPacks();
        PackReferences references = PackReferences.read(repository);
        Leftovers leftovers = Leftovers.find(references, fence::isOverdue);
        try (SameFrames same = new SameFrames()) {
            PackNeeds needs = needs(references, same);
            Set<PackId> claimed = claimed(claims);
            List<String> announced = AnnouncedBackup.intents(store);
            List<Claim> open = new ArrayList<>();
            List<Claim> fenced = new ArrayList<>();
            for (Claim claim : claims) {
                List<PackId> going = needs.unneeded(claim.going(), claimed);
                boolean decided = claim.sweep().isPresent();
                boolean free =
                        decided || fence.wouldEnd(claim.seen().orElse(announced), references);
                (free ? removed : waiting).addAll(objects(going));
                (free ? fenced : open).add(claim);
            }
            Set<PackId> fresh = new TreeSet<>(needs.candidates(stored, claimed, leftovers::keeps));
            if (mayCompact(references)) {
                Compaction thin = compaction(needs, same, claimed, leftovers);
                compacted = new Compacted(thin.packs(), thin.writes(), thin.later(), 0);
                thin.chosen().forEach(each -> fresh.add(each.pack()));
            }
            boolean free = fresh.isEmpty() || fence.wouldEnd(announced, references);
            (free ? removed : waiting).addAll(objects(fresh));
            fence.wouldGiveUpOverdue(references);
            WalPrune wal = wal(references);
            wal.plan(open, fenced, announced, each -> fence.wouldEnd(each, references));
            return report(leftovers.count(), wal);
        }
    }

    /// Removes what can be removed now, and claims what can be removed later.
    ///
    /// @throws MainstayException as for [#plan]; then nothing was removed
    public Report run() {
        demandFit(store.facts());
        List<Claim> claims = new ArrayList<>(Claim.all(root));
        Claim.removeRests(root);
        listPacks(); // after the claims were read: what they name is listed, or gone
        PackReferences references = PackReferences.read(repository);
        Leftovers before = Leftovers.find(references, fence::isOverdue);
        try (SameFrames same = new SameFrames()) {
            PackNeeds needs = needs(references, same);
            compact(claims, references, before, needs, same);
            claims.addAll(publish(claims, references, before, needs));
            WalPrune wal = wal(references);
            claims.addAll(wal.publish(claims));
            return sweep(claims, references, needs, wal);
        }
    }

    private Report sweep(
            List<Claim> claims, PackReferences references, PackNeeds needs, WalPrune wal) {
        List<Claim> open = new ArrayList<>();
        List<Claim> fenced = new ArrayList<>();
        for (Claim claim : claims) {
            Optional<List<String>> waits =
                    claim.sweep().isPresent() ? Optional.of(List.of()) : claim.waits();
            if (waits.isPresent()) {
                (fence.haveEnded(waits.get(), references) ? fenced : open).add(claim);
            }
        }
        fence.giveUpOverdue(references);
        references.update(); // all that the fenced claims wait for had ended before this
        Leftovers leftovers = Leftovers.find(references, fence::isOverdue);
        leftovers.remove(store);
        // In this order: what nobody claimed here is looked for afterwards, and where it leads to
        // after that. Whoever removes one of these has claimed it before, and sees our claims.
        Set<PackId> claimed = claimed(Claim.all(root));
        claims.forEach(claim -> claimed.addAll(claim.going()));
        needs.refresh();
        for (Claim claim : fenced) {
            sweep(claim, needs.unneeded(claim.going(), claimed), needs, wal);
        }
        for (Claim claim : open) {
            waiting.addAll(objects(needs.unneeded(claim.going(), claimed)));
            wal.waits(claim);
        }
        waiting.removeAll(removed);
        waiting.removeIf(
                object ->
                        Names.packOf(object.name())
                                .filter(pack -> isNeeded(pack, references, needs))
                                .isPresent());
        return report(leftovers.count(), wal);
    }

    private static boolean isNeeded(PackId pack, PackReferences references, PackNeeds needs) {
        return references.contains(pack) && !needs.moves().involves(pack);
    }

    private PackNeeds needs(PackReferences references, SameFrames same) {
        MovedFrames moves = MovedFrames.read(repository, references.sources());
        return new PackNeeds(repository, references, moves, same);
    }

    /// Packs that may go.
    private static Set<PackId> claimed(List<Claim> claims) {
        Set<PackId> claimed = new HashSet<>();
        claims.forEach(claim -> claimed.addAll(claim.going()));
        return claimed;
    }

    /// Beside a running backup nothing is compacted, unless things are claimed beside it as well:
    /// the packs could not go before it has ended.
    private boolean mayCompact(PackReferences references) {
        return compaction.belowPercent() > 0 && (besideBackups || fence.busy(references).isEmpty());
    }

    private Compaction compaction(
            PackNeeds needs, SameFrames same, Set<PackId> claimed, Leftovers leftovers) {
        Compaction thin = new Compaction(repository, compaction, needs, same, stored);
        thin.choose(claimed, leftovers::keeps);
        return thin;
    }

    private void compact(
            List<Claim> claims,
            PackReferences references,
            Leftovers leftovers,
            PackNeeds needs,
            SameFrames same) {
        if (mayCompact(references)) {
            Compaction thin = compaction(needs, same, claimed(claims), leftovers);
            int unread = thin.run().size();
            compacted = new Compacted(thin.packs(), thin.writes(), thin.later(), unread);
            needs.refresh();
        }
    }

    private WalPrune wal(PackReferences references) {
        return new WalPrune(root, unneededWal, references.sources(), bytesRemoved);
    }

    private static void demandFit(StoreFacts facts) {
        if (!facts.putIfAbsent() || !facts.listAfterPut()) {
            throw new MainstayException(
                    ErrorCode.PRUNE_STORE_UNFIT,
                    facts.url()
                            + " does not "
                            + (facts.putIfAbsent()
                                    ? "list what was put before"
                                    : "refuse to put over what is there")
                            + ", so it cannot be told for certain what is needed");
        }
    }

    private void listPacks() {
        Listing.forEach(
                store,
                Names.PACKS,
                object -> Names.packOf(object.name()).ifPresent(id -> stored.put(id, object)));
    }

    private List<StoredObject> objects(Collection<PackId> packs) {
        return packs.stream()
                .flatMap(pack -> Optional.ofNullable(stored.get(pack)).stream())
                .toList();
    }

    private List<Claim> publish(
            List<Claim> claims, PackReferences references, Leftovers leftovers, PackNeeds needs) {
        List<PackId> fresh = needs.candidates(stored, claimed(claims), leftovers::keeps);
        List<AnnouncedBackup> busy = fence.busy(references);
        if (!fresh.isEmpty() && !busy.isEmpty() && !besideBackups) {
            fence.waitFor(busy);
            waiting.addAll(objects(fresh));
            return List.of();
        }
        List<Claim> published = new ArrayList<>();
        Set<PackId> going = new LinkedHashSet<>();
        Set<PackId> olds = new LinkedHashSet<>();
        for (PackId pack : fresh) {
            going.add(pack);
            olds.addAll(needs.olds(pack));
            if (going.size() + olds.size() >= CLAIMED || pack.equals(fresh.getLast())) {
                olds.removeAll(going);
                published.add(Claim.publish(root, going, olds, List.of()));
                going.clear();
                olds.clear();
            }
        }
        return published;
    }

    private void sweep(Claim claim, List<PackId> going, PackNeeds needs, WalPrune wal) {
        Optional<Claim.Named> decided =
                claim.sweep().or(() -> claim.decide(going, wal.going(claim)));
        if (decided.isEmpty()) {
            return; // another one was faster
        }
        boolean allGone = wal.sweep(decided.get().wal());
        for (StoredObject object : objects(decided.get().packs().stream().sorted().toList())) {
            switch (store.delete(object.name())) {
                case DELETED -> {
                    removed.add(object);
                    bytesRemoved.accept(object.sizeBytes());
                }
                case ABSENT -> {}
                case REFUSED -> {
                    refused.add(object);
                    allGone = false;
                }
            }
        }
        if (allGone) {
            // Before the claim: as long as it is there, nobody comes to need what they tell. One
            // that stays, as the store keeps it, leads nowhere.
            for (String object : needs.useless(decided.get().packs())) {
                DeleteOutcome _ = store.delete(object);
            }
            claim.remove();
        }
    }

    private Report report(long leftovers, WalPrune wal) {
        Amount all = Amount.of(stored.values());
        Amount gone = Amount.of(removed);
        Amount waits = Amount.of(waiting);
        Amount kept = Amount.of(refused);
        return new Report(
                gone,
                leftovers,
                waits,
                fence.running(),
                fence.givenUp(),
                kept,
                all.without(gone).without(waits).without(kept),
                wal.report(),
                compacted);
    }
}
