package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.RepositoryCopy.DamagedObject;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/// Brings a copy up to date that holds some of the backups. In the copy the others have expired:
/// records of its own say so, before anything is put that refers to them, and the same of WAL. So
/// any reader finds a whole repository there.
///
/// Whoever brings a backup announces it in the copy, as its writer did in the repository: a
/// collector at work there waits for it, or is waited for (docs/format.md section 10).
final class SubsetCopy {
    /// Why a backup is held in the copy that had expired there and is wanted again.
    static final String WANTED_AGAIN = "this copy is to have it again";

    /// Nobody gives up what a copy has announced: the next run goes on with it.
    private static final Duration PATIENCE = Duration.ofDays(36_500);

    private static final String PRUNE = "a prune of the copy has to end first";

    private final Repository from;
    private final ObjectStore to;
    private final ObjectCopies objects;
    private final CopySubset subset;
    private final List<String> waiting = new ArrayList<>();
    private final List<DamagedObject> damaged = new ArrayList<>();

    /// Of this round.
    private final Set<String> asked = new HashSet<>();

    private boolean changed;
    private int fellOut;
    private long freedBytes;

    /// A source as it is in both places.
    private record Part(
            ProtectedSource source,
            String tag,
            RecordChain chain,
            CopySubset.Chosen chosen,
            ProtectedSource there,
            RecordChain known) {
        /// Backups that the copy is to have and does not show.
        List<CommittedBackup> fresh() {
            Set<BackupId> listed = new HashSet<>();
            known.backups().forEach(each -> listed.add(each.id()));
            return chain.backups().stream()
                    .filter(chosen::wants)
                    .filter(each -> !listed.contains(each.id()))
                    .toList();
        }
    }

    SubsetCopy(Repository from, ObjectStore to, ObjectCopies objects, CopySubset subset) {
        this.from = from;
        this.to = to;
        this.objects = objects;
        this.subset = subset;
    }

    /// What a run would copy; changes nothing.
    ///
    /// @param begun whether there is a copy
    void missing(boolean begun, Consumer<StoredObject> each) {
        Optional<Repository> there = begun ? Optional.of(from.at(to)) : Optional.empty();
        List<Part> parts = parts(there);
        CopiedPacks packs = null;
        Set<String> told = new HashSet<>();
        for (Part part : parts) {
            for (CommittedBackup backup : part.fresh()) {
                packs = packs == null ? new CopiedPacks(from, to) : packs;
                packs.of(part.source, backup)
                        .missing()
                        .forEach(
                                object -> {
                                    if (told.add(object.name())) {
                                        each.accept(object);
                                    }
                                });
                String slot = Names.slot(part.source.id(), backup.id());
                each.accept(new StoredObject(slot, from.store().size(slot).orElse(0L)));
            }
        }
        CopiedWal wal = wal(parts);
        for (String prefix : List.of(Names.WAL, Names.PARTS, Names.SUMMARIES)) {
            RepositoryCopy.missing(
                    from,
                    to,
                    prefix,
                    object -> {
                        if (wal.wants(object.name())) {
                            each.accept(object);
                        }
                    });
        }
        for (String prefix : List.of(Names.RECORDS, Names.AUDIT)) {
            RepositoryCopy.missing(from, to, prefix, each);
        }
    }

    private List<Part> parts(Optional<Repository> there) {
        Map<SourceId, ProtectedSource> known = new HashMap<>();
        there.ifPresent(
                copy ->
                        copy.sources((_, _) -> {})
                                .forEach(source -> known.put(source.id(), source)));
        List<Part> parts = new ArrayList<>();
        for (ProtectedSource source : from.sources((_, _) -> {})) {
            ProtectedSource same = known.get(source.id());
            if (same == null && there.isPresent()) {
                continue; // it was shredded there
            }
            String tag = source.recordsTag();
            RecordChain chain = source.records();
            RecordChain has = same == null ? RecordChain.none(source) : same.records();
            parts.add(
                    new Part(
                            source,
                            tag,
                            chain,
                            subset.choose(source, chain),
                            same == null ? source : same,
                            has));
        }
        return parts;
    }

    private static CopiedWal wal(List<Part> parts) {
        return CopiedWal.of(parts.stream().map(Part::chosen).toList());
    }

    /// @return whether nothing was left out because it was removed or added meanwhile
    boolean round() {
        waiting.clear();
        damaged.clear();
        asked.clear();
        changed = false;
        Repository there = from.at(to);
        List<Part> parts = parts(Optional.of(there));
        CopiedWal wal = wal(parts);
        List<StoredObject> summaries = new ArrayList<>();
        missing(
                Names.SUMMARIES,
                object -> {
                    if (wal.wants(object.name())) {
                        summaries.add(object);
                    }
                });
        // A summary swears to records: to none that was put after these were read.
        if (!parts.stream().allMatch(part -> part.tag.equals(part.source.recordsTag()))) {
            return false;
        }
        missing(Names.AUDIT, objects::copy);
        Map<CommittedBackup, CopiedPacks.Wanted> wanted = new HashMap<>();
        Map<Part, List<CommittedBackup>> brought = bring(parts, there, wanted);
        for (String prefix : List.of(Names.WAL, Names.PARTS)) {
            missing(
                    prefix,
                    object -> {
                        if (wal.wants(object.name())) {
                            objects.copy(object);
                        }
                    });
        }
        if (!objects.await() || changed) {
            return false;
        }
        demandWhole(brought, wanted);
        for (Part part : parts) {
            publish(part, brought.getOrDefault(part, List.of()), wal, wanted);
        }
        summaries.forEach(objects::copy);
        if (!objects.await()) {
            return false;
        }
        boolean removed = false;
        for (Part part : parts) {
            removed |= expire(part);
        }
        free(there, removed);
        return true;
    }

    private void missing(String prefix, Consumer<StoredObject> each) {
        RepositoryCopy.missing(from, to, prefix, each);
    }

    /// Copies what backups consist of.
    private Map<Part, List<CommittedBackup>> bring(
            List<Part> parts, Repository there, Map<CommittedBackup, CopiedPacks.Wanted> wanted) {
        Map<Part, List<CommittedBackup>> fresh = new LinkedHashMap<>();
        parts.forEach(part -> fresh.put(part, part.fresh()));
        fresh.values().removeIf(List::isEmpty);
        if (fresh.isEmpty()) {
            return fresh;
        }
        fresh.forEach((part, backups) -> backups.forEach(each -> announce(part, each)));
        List<Claim> claims = Claim.all(there.rootVault()); // after the announcements
        CopiedPacks packs = new CopiedPacks(from, to);
        Map<Part, List<CommittedBackup>> brought = new LinkedHashMap<>();
        fresh.forEach(
                (part, backups) -> {
                    for (CommittedBackup backup : backups) {
                        Optional<CopiedPacks.Wanted> all = bring(part, backup, claims, packs);
                        if (all.isPresent()) {
                            wanted.put(backup, all.get());
                            brought.computeIfAbsent(part, _ -> new ArrayList<>()).add(backup);
                        }
                    }
                });
        return brought;
    }

    private void announce(Part part, CommittedBackup backup) {
        String name = Names.intent(part.source.id(), backup.id());
        Vault vault = part.there.vault();
        Json intent =
                Json.object()
                        .put("object", name)
                        .put("backup", backup.id().text())
                        .put("begin", vault.ground.clock().instant().toString());
        PutOutcome _ = vault.put(name, vault.sealJson(ObjectType.INTENT, intent));
    }

    /// @return what was asked for, if that is all that a restore takes
    private Optional<CopiedPacks.Wanted> bring(
            Part part, CommittedBackup backup, List<Claim> claims, CopiedPacks packs) {
        String slot = Names.slot(part.source.id(), backup.id());
        Optional<Long> size = to.size(slot);
        if (size.isPresent() && !size.equals(from.store().size(slot))) {
            waits(part, backup, "it was given up in the copy");
            return Optional.empty();
        }
        CopiedPacks.Wanted wanted;
        try {
            wanted = packs.of(part.source, backup);
        } catch (MainstayException broken) {
            if (BegunBackup.isPassing(broken)) {
                throw broken;
            }
            changed |= !part.tag.equals(part.source.recordsTag());
            damaged.add(new DamagedObject(slot, broken));
            return Optional.empty();
        }
        String intent = Names.intent(part.source.id(), backup.id());
        CopySubset.Span span = part.chosen.consistent().get(backup.id());
        for (Claim claim : claims) {
            if (touches(claim, wanted, span) && !claim.seen().orElse(List.of()).contains(intent)) {
                waits(part, backup, PRUNE);
                return Optional.empty();
            }
        }
        wanted.missing().stream().filter(each -> asked.add(each.name())).forEach(objects::copy);
        return Optional.of(wanted);
    }

    private void waits(Part part, CommittedBackup backup, String why) {
        waiting.add(part.source.name() + " " + backup.id() + ": " + why);
    }

    /// Leaves out those of which something did not arrive.
    private void demandWhole(
            Map<Part, List<CommittedBackup>> brought,
            Map<CommittedBackup, CopiedPacks.Wanted> wanted) {
        if (brought.isEmpty()) {
            return;
        }
        CopiedPacks.Arrived arrived = new CopiedPacks.Arrived(to);
        CopiedWal.Stored stored = new CopiedWal.Stored(to);
        brought.forEach(
                (part, backups) ->
                        backups.removeIf(
                                backup -> {
                                    Optional<String> why =
                                            unfit(
                                                    arrived.missing(
                                                            Objects.requireNonNull(
                                                                    wanted.get(backup))),
                                                    stored,
                                                    part.chosen.consistent().get(backup.id()));
                                    why.ifPresent(text -> waits(part, backup, text));
                                    return why.isPresent();
                                }));
    }

    private static Optional<String> unfit(
            Optional<String> missing, CopiedWal.Stored stored, CopySubset.@Nullable Span span) {
        if (missing.isPresent()) {
            return Optional.of(missing.get() + " could not be copied");
        }
        return span == null || stored.has(span)
                ? Optional.empty()
                : Optional.of("the WAL that makes it consistent is not stored whole");
    }

    /// Makes backups appear in the copy: what is not there is on record first.
    private void publish(
            Part part,
            List<CommittedBackup> brought,
            CopiedWal wal,
            Map<CommittedBackup, CopiedPacks.Wanted> wanted) {
        Set<BackupId> appear = new HashSet<>();
        brought.forEach(each -> appear.add(each.id()));
        WalStretches passed =
                wal.passed(part.source, part.chosen, to).without(part.known.freedWal());
        if (!passed.isEmpty()) {
            part.known.append(
                    "wal-expiry",
                    Json.object()
                            .put(
                                    "freed",
                                    passed.stretches().stream().map(WalStretch::toJson).toList()));
        }
        leaveOut(part, appear);
        for (StoredObject object : ordered(part, appear)) {
            objects.copyNow(object);
        }
        again(part, brought, wanted);
        appear.forEach(
                each -> {
                    DeleteOutcome _ = to.delete(Names.intent(part.source.id(), each));
                });
    }

    /// What the copy does not have, and what others there may refer to, has expired there.
    private static void leaveOut(Part part, Set<BackupId> appear) {
        Set<String> gone = new HashSet<>(part.known.removedObjects());
        gone.addAll(part.chain.removedObjects());
        part.known.records().forEach(each -> gone.add(each.object()));
        List<Json> removed = new ArrayList<>();
        for (RecordChain.Event each : part.chain.records()) {
            Optional<BackupId> backup =
                    each.type().equals("commit")
                            ? Names.backupOfSlot(each.object())
                            : Optional.empty();
            if (backup.isPresent()
                    && !appear.contains(backup.get())
                    && !gone.contains(each.object())) {
                removed.add(
                        Json.object()
                                .put("object", each.object())
                                .put("sha256", each.sha256())
                                .put("backup", backup.get().text())
                                .put(
                                        "reason",
                                        part.chosen
                                                .leftOut()
                                                .getOrDefault(
                                                        backup.get(), "not in this copy yet")));
            }
        }
        if (!removed.isEmpty()) {
            String _ =
                    part.there
                            .records()
                            .append(
                                    "expiry",
                                    Json.object()
                                            .put("removed", removed)
                                            .put("policy", part.chosen.policy()));
        }
    }

    /// Slots and records that are missing, none before one that it refers to.
    private List<StoredObject> ordered(Part part, Set<BackupId> appear) {
        Set<String> there = new HashSet<>();
        part.known.records().forEach(each -> there.add(each.object()));
        part.known.damaged().forEach(each -> there.add(each.object()));
        List<StoredObject> missing = new ArrayList<>();
        part.chain.records().stream()
                .sorted(Comparator.comparingLong(RecordChain.Event::sequence))
                .filter(each -> !there.contains(each.object()))
                .filter(
                        each ->
                                Names.backupOfSlot(each.object())
                                        .map(appear::contains)
                                        .orElse(true))
                .forEach(each -> missing.add(new StoredObject(each.object(), each.sizeBytes())));
        part.chain.damaged().stream()
                .filter(each -> each.backup().isEmpty() && !there.contains(each.object()))
                .forEach(
                        each ->
                                missing.add(
                                        new StoredObject(
                                                each.object(),
                                                from.store().size(each.object()).orElse(0L))));
        return missing;
    }

    /// What had expired there is held: nothing else makes it a backup again. Its announcement kept
    /// nobody from removing its packs, as it had expired; but its slot does from now on. So one
    /// that nobody has claimed before, and of which all is there afterwards, is whole for good.
    private void again(
            Part part,
            List<CommittedBackup> brought,
            Map<CommittedBackup, CopiedPacks.Wanted> wanted) {
        Set<BackupId> listed = new HashSet<>();
        part.there.records().backups().forEach(each -> listed.add(each.id()));
        List<CommittedBackup> left =
                brought.stream().filter(each -> !listed.contains(each.id())).toList();
        if (left.isEmpty()) {
            return;
        }
        List<Claim> claims = Claim.all(part.there.repository().rootVault());
        CopiedPacks.Arrived arrived = new CopiedPacks.Arrived(to);
        CopiedWal.Stored stored = new CopiedWal.Stored(to);
        for (CommittedBackup backup : left) {
            CopiedPacks.Wanted packs = Objects.requireNonNull(wanted.get(backup));
            CopySubset.Span span = part.chosen.consistent().get(backup.id());
            if (claims.stream().anyMatch(claim -> touches(claim, packs, span))
                    || unfit(arrived.missing(packs), stored, span).isPresent()) {
                waits(part, backup, PRUNE);
                continue;
            }
            String hold =
                    part.there
                            .records()
                            .append(
                                    "hold",
                                    Json.object()
                                            .put("backup", backup.id().text())
                                            .put("reason", WANTED_AGAIN));
            if (part.there.records().slot(backup.id()).isEmpty()) {
                release(part.there, backup.id(), Set.of(hold)); // it expired once more
                waits(part, backup, PRUNE);
            }
        }
    }

    private static boolean touches(
            Claim claim, CopiedPacks.Wanted packs, CopySubset.@Nullable Span span) {
        return packs.packs().stream().anyMatch(claim.packs()::contains)
                || span != null && CopiedWal.touches(claim.wal(), span);
    }

    /// Removes from the copy what is not in the subset any more.
    ///
    /// @return whether anything went
    private boolean expire(Part part) {
        RecordChain now = part.there.records();
        Set<String> gone = part.chain.removedObjects();
        Map<BackupId, String> why = new TreeMap<>();
        for (CommittedBackup backup : now.backups()) {
            String reason = part.chosen.leftOut().get(backup.id());
            if (reason == null && gone.contains(Names.slot(part.source.id(), backup.id()))) {
                reason = "expired in the repository";
            }
            if (reason != null && !part.chain.holds().containsKey(backup.id())) {
                why.put(backup.id(), reason);
            }
        }
        why.keySet().forEach(backup -> release(part, backup, now));
        if (why.isEmpty() && now.leftovers().isEmpty()) {
            return false;
        }
        Expiry.Result result = part.there.expire(part.there.records(), why, part.chosen.policy());
        fellOut += result.removed().size();
        return true;
    }

    private static void release(Part part, BackupId backup, RecordChain now) {
        Hold hold = now.holds().get(backup);
        if (hold == null) {
            return;
        }
        Set<String> own = new HashSet<>();
        now.records().stream()
                .filter(each -> hold.records().contains(each.object()))
                .filter(
                        each ->
                                WANTED_AGAIN.equals(
                                        each.body().object("body").has("reason")
                                                ? each.body().object("body").string("reason")
                                                : ""))
                .forEach(each -> own.add(each.object()));
        if (!own.isEmpty()) {
            release(part.there, backup, own);
        }
    }

    private static void release(ProtectedSource there, BackupId backup, Set<String> holds) {
        try {
            there.release(backup, holds);
        } catch (MainstayException released) {
            if (released.code() != ErrorCode.BACKUP_UNKNOWN) {
                throw released;
            } // another copy at work was faster
        }
    }

    /// Frees what nothing in the copy needs any more.
    private void free(Repository there, boolean removed) {
        if (!removed && to.list(Names.CANDIDATES, "", 1).objects().isEmpty()) {
            return;
        }
        try {
            Prune.Report done =
                    new Prune(there, PATIENCE, false, subset.unneededWal(), _ -> {}).run();
            freedBytes += done.removed().size().bytes() + done.wal().size().bytes();
        } catch (MainstayException unfit) {
            if (unfit.code() != ErrorCode.PRUNE_STORE_UNFIT) {
                throw unfit;
            }
            waiting.add("space is not freed: " + unfit.getMessage());
        }
    }

    List<DamagedObject> damaged() {
        return List.copyOf(damaged);
    }

    RepositoryCopy.Partial partial() {
        return new RepositoryCopy.Partial(waiting, fellOut, freedBytes);
    }
}
