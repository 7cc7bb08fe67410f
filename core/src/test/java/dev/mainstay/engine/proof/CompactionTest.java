package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.CompactionRule;
import dev.mainstay.repository.Defect;
import dev.mainstay.repository.Donor;
import dev.mainstay.repository.PackUsage;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.LockRule;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.RetentionLock;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.Throttle;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What is needed of packs that are mostly garbage is put elsewhere, and they go: killed at every
/// call, beside backups, copies and others like it at every call, nothing that is listed is lost,
/// and nothing is left over.
class CompactionTest {
    private final ObjectStore store = MemoryStore.create();
    private final ThinRepository thin =
            new ThinRepository(7, store, Optional.of(new Credential.KeyFile(new byte[32])));

    /// The newest backup needs a third of what the expired one stored.
    private void aThinRepository() {
        thin.backUp(store);
        thin.change(3, 2);
        thin.backUpUponNewest(store);
        thin.expire(store);
    }

    private static List<String> names(ObjectStore on, String prefix) {
        return on.list(prefix, "", 10_000).objects().stream().map(StoredObject::name).toList();
    }

    private static long packBytes(ObjectStore on) {
        return on.list("packs/", "", 10_000).objects().stream()
                .mapToLong(StoredObject::sizeBytes)
                .sum();
    }

    private RepositoryCheck.Result check(ObjectStore on, double percent) {
        RepositoryCheck.Options options =
                new RepositoryCheck.Options(Optional.empty(), percent, 1, 2);
        return new RepositoryCheck(thin.open(on), options, _ -> {}).run();
    }

    private void demandClean(ObjectStore on) {
        thin.demandWhole(on);
        assertThat(check(on, 100).defects()).isEmpty();
        assertThat(check(on, 0).defects()).isEmpty();
    }

    /// Two runs leave nothing to do, no claim, and no relocation that is of no use.
    private void demandTidy(ObjectStore on) {
        thin.prune(on);
        thin.prune(on);
        demandClean(on);
        assertThat(names(on, "gc/")).isEmpty();
        Prune.Report plan = thin.prune(on, ThinRepository.HALF).plan();
        assertThat(plan.removed().count() + plan.waiting().count()).as("%s", plan).isZero();
        assertThat(plan.compacted().packs().count()).isZero();
        for (String moved : names(on, "moved/")) {
            String place = moved.substring(moved.lastIndexOf('/') + 1).substring(0, 64);
            assertThat(names(on, "packs/")).as(moved).anyMatch(pack -> pack.endsWith(place));
        }
    }

    @Test
    void thinPacksGoAndWhatIsNeededOfThemIsElsewhere() {
        aThinRepository();
        long before = packBytes(store);
        List<String> names = names(store, "");
        Prune.Report plan = thin.prune(store, ThinRepository.HALF).plan();
        assertThat(names(store, "")).isEqualTo(names);
        Prune.Report done = thin.prune(store);
        assertThat(done.removed()).isEqualTo(plan.removed());
        assertThat(done.compacted()).isEqualTo(plan.compacted());
        assertThat(done.compacted().packs().count()).isGreaterThan(2);
        assertThat(done.compacted().unread()).isZero();
        assertThat(packBytes(store)).isLessThan(before * 2 / 3);
        assertThat(names(store, "moved/")).isNotEmpty();
        assertThat(names(store, "gc/")).isEmpty();
        demandClean(store);
        demandTidy(store);
        CommittedBackup newest = thin.source(store).backups().getLast();
        PackUsage usage = PackUsage.read(thin.source(store), List.of(newest));
        assertThat(names(store, "packs/"))
                .allMatch(name -> usage.needs(PackId.parse(name.substring(name.length() - 64))));
    }

    @Test
    void withoutARuleNothingIsCompacted() {
        aThinRepository();
        Prune.Report done = thin.prune(store, CompactionRule.NONE).run();
        assertThat(done.compacted().packs().count()).isZero();
        assertThat(names(store, "moved/")).isEmpty();
    }

    @Test
    void theNextBackupTakesOverWhatWasMoved() {
        aThinRepository();
        thin.prune(store);
        List<String> before = names(store, "packs/incremental/");
        CommittedBackup next = thin.backUpUponNewest(store);
        assertThat(next.statistics().number("pages-stored")).isZero();
        assertThat(names(store, "packs/incremental/")).isEqualTo(before);
        demandClean(store);
        thin.expire(store);
        demandTidy(store);
    }

    @Test
    void whatWasMovedMovesAgainAndGoesWithItsBackup() {
        aThinRepository();
        thin.prune(store);
        List<String> first = names(store, "moved/");
        thin.change(6, 5);
        thin.backUpUponNewest(store);
        thin.expire(store);
        Prune.Report again = thin.prune(store);
        assertThat(again.compacted().packs().count()).isPositive();
        demandTidy(store);
        assertThat(names(store, "moved/")).isNotEmpty().doesNotContainAnyElementsOf(first);
        thin.change(1, 1);
        thin.backUp(store);
        thin.expire(store);
        thin.prune(store);
        assertThat(names(store, "moved/")).isEmpty();
        demandTidy(store);
    }

    @Test
    void killedAtAnyCallTheNextOneGoesOn() {
        aThinRepository();
        for (boolean happens : new boolean[] {false, true}) {
            boolean died = true;
            for (int call = 1; died; call++) {
                ObjectStore copy = HookedStore.copy(store);
                HookedStore hooked = new HookedStore(copy);
                hooked.dieAt(call, happens);
                died = dies(hooked);
                thin.demandWhole(copy);
                try {
                    demandTidy(copy);
                } catch (AssertionError left) {
                    throw new AssertionError("call " + call + ": " + left.getMessage(), left);
                }
            }
        }
    }

    private boolean dies(ObjectStore on) {
        try {
            thin.prune(on);
            return false;
        } catch (HookedStore.Killed killed) {
            return true;
        }
    }

    @Test
    void twoAtOnceLoseNothing() {
        aThinRepository();
        atEveryCall(
                (slow, copy) -> {
                    slow.then(() -> thin.prune(copy));
                    thin.prune(slow.store);
                });
    }

    @Test
    void aBackupThatBeginsAndEndsAmidItIsWhole() {
        aThinRepository();
        atEveryCall(
                (slow, copy) -> {
                    slow.then(() -> thin.backUpUponNewest(copy));
                    thin.prune(slow.store);
                });
    }

    @Test
    void aBackupAmidWhichItsParentIsRemovedAndAllIsCompactedIsWhole() {
        thin.backUp(store);
        thin.change(3, 2);
        CommittedBackup parent = thin.backUpUponNewest(store);
        atEveryCall(
                (slow, copy) -> {
                    slow.then(
                            () -> {
                                thin.expire(copy);
                                thin.prune(copy);
                                thin.change(2, 1);
                                thin.backUp(copy);
                                thin.expire(copy);
                                thin.prune(copy);
                            });
                    thin.backUp(slow.store, Optional.of(parent));
                });
    }

    /// What it builds on has moved before it began, and both its parent and where that moved to
    /// become garbage before it ends.
    @Test
    void whereFramesMovedStaysForABackupThatRefersToThem() {
        aThinRepository();
        thin.prune(store);
        CommittedBackup parent = thin.source(store).backups().getLast();
        atEveryCall(
                (slow, copy) -> {
                    slow.then(
                            () -> {
                                thin.change(1, 1);
                                thin.backUp(copy);
                                thin.expire(copy);
                                thin.prune(copy);
                            });
                    thin.backUp(slow.store, Optional.of(parent));
                });
    }

    @Test
    void aCopyAmidWhichPacksAreCompactedIsWhole() {
        aThinRepository();
        atEveryCall(
                (slow, copy) -> {
                    slow.then(() -> thin.prune(copy));
                    ObjectStore to = MemoryStore.create();
                    new RepositoryCopy(
                                    thin.open(slow.store),
                                    to,
                                    Throttle.of(Optional.empty()),
                                    0,
                                    _ -> {})
                            .run();
                    assertThat(thin.source(to).backups()).isNotEmpty();
                    demandClean(to);
                });
    }

    private interface Scene {
        void play(Slow slow, ObjectStore copy);
    }

    /// A process that sleeps at one call while others are at work.
    private static final class Slow {
        final HookedStore store;
        private final int call;

        Slow(ObjectStore inner, int call) {
            this.store = new HookedStore(inner);
            this.call = call;
        }

        void then(Runnable meanwhile) {
            store.at(call, meanwhile);
        }
    }

    private void atEveryCall(Scene scene) {
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore copy = HookedStore.copy(store);
            Slow slow = new Slow(copy, call);
            try {
                scene.play(slow, copy);
                hooked = slow.store.wasHooked();
                thin.demandWhole(copy);
                demandTidy(copy);
            } catch (AssertionError | RuntimeException failed) {
                throw new AssertionError("call " + call + ": " + failed.getMessage(), failed);
            }
        }
    }

    @Test
    void aPackThatCannotBeReadStaysAsItIs() {
        aThinRepository();
        for (String pack : names(store, "packs/base/")) {
            damage(store, pack, 400);
        }
        Prune.Report done = thin.prune(store);
        assertThat(done.compacted().unread()).isPositive();
        assertThat(names(store, "packs/base/")).isNotEmpty();
        List<Defect> defects = check(store, 100).defects();
        assertThat(defects).isNotEmpty();
        assertThat(thin.prune(store).removed().count()).isZero();
    }

    private static void damage(ObjectStore on, String name, int at) {
        byte[] bytes = on.get(name, 0, on.size(name).orElseThrow().intValue());
        bytes[at]++;
        on.replace(name, ByteBuffer.wrap(bytes));
    }

    /// Killed before the old packs went, and the new ones rot before anybody goes on.
    @Test
    void anOldPackStaysWhileItsPlaceDoesNotHoldTheSame() {
        aThinRepository();
        List<String> before = names(store, "packs/");
        HookedStore dying = new HookedStore(store);
        dying.refuse("packs/");
        thin.prune(dying);
        // The store kept the old packs. What was decided is forgotten with the claims.
        names(store, "gc/").forEach(store::delete);
        List<String> fresh =
                names(store, "packs/").stream().filter(name -> !before.contains(name)).toList();
        assertThat(fresh).isNotEmpty();
        fresh.forEach(name -> damage(store, name, 400));
        thin.prune(store, CompactionRule.NONE).run();
        thin.demandWhole(store);
        thin.prune(store);
        thin.demandWhole(store);
        assertThat(check(store, 100).defects()).isEmpty();
    }

    @Test
    void aCopyThatHasOnlyTheOldPacksRepairsWhatWasLostOfTheNewOnes() {
        thin.backUp(store);
        thin.change(3, 2);
        thin.backUpUponNewest(store);
        ObjectStore copy = HookedStore.copy(store);
        thin.expire(store);
        List<String> before = names(store, "packs/");
        thin.prune(store);
        names(store, "packs/").stream()
                .filter(name -> !before.contains(name))
                .forEach(name -> damage(store, name, 400));
        assertThat(check(store, 100).defects())
                .isNotEmpty()
                .allSatisfy(defect -> assertThat(defect.backups()).hasSize(1));
        Repair.Report report =
                new Repair(
                                () -> thin.open(store),
                                List.of(new Donor("offsite", copy)),
                                RepositoryCheck.Options.everything(),
                                Progress.none())
                        .run();
        assertThat(report.repaired()).isNotEmpty();
        thin.demandWhole(store);
        assertThat(check(store, 100).defects())
                .allSatisfy(defect -> assertThat(defect.backups()).isEmpty());
        thin.prune(store);
        thin.prune(store);
        demandClean(store);
    }

    @Test
    void aLockedPackIsCompactedOnceItWasNeededForAsLongAsItsLockStands() {
        aThinRepository(); // a day before that process
        ThinRepository later = thin.process(1);
        Prune.Report done = later.prune(locked("2026-11-23T10:00:00Z"));
        assertThat(done.compacted().packs().count()).isZero();
        assertThat(names(store, "moved/")).isEmpty();
        done = later.prune(locked("2026-11-23T01:00:00Z"));
        assertThat(done.compacted().packs().count()).isPositive();
        demandTidy(store);
    }

    private ObjectStore locked(String until) {
        return new ForwardingStore(store) {
            @Override
            public Optional<ObjectLocks> locks() {
                return Optional.of(new AllLocked(Instant.parse(until)));
            }
        };
    }

    private record AllLocked(Instant until) implements ObjectLocks {
        @Override
        public LockRule rule() {
            return _ -> Optional.empty();
        }

        @Override
        public Optional<RetentionLock> of(String name) {
            return Optional.of(new RetentionLock(LockMode.GOVERNANCE, until));
        }

        @Override
        public void extend(String name, RetentionLock lock) {}
    }

    @Test
    void theBudgetAndTheAgeDecideWhatThisRunDoes() {
        aThinRepository();
        CompactionRule all = ThinRepository.HALF;
        long needed = thin.prune(store, all).plan().compacted().written().bytes();
        CompactionRule half =
                new CompactionRule(
                        50, ByteSize.of(1), Duration.ZERO, ByteSize.of(needed / 2), all.packSize());
        Prune.Report first = thin.prune(store, half).run();
        assertThat(first.compacted().written().bytes()).isPositive().isLessThan(needed / 2 + 1);
        assertThat(first.compacted().later()).isPositive();
        demandClean(store);
        CompactionRule old =
                new CompactionRule(
                        50, ByteSize.of(1), Duration.ofDays(30), all.budget(), all.packSize());
        assertThat(thin.prune(store, old).plan().compacted().packs().count()).isZero();
        assertThat(thin.prune(store).compacted().later()).isZero();
        demandTidy(store);
    }

    /// The collector of a store that counts its requests.
    @Test
    void aRestoreOfWhatMovedTakesHardlyMoreRequests() {
        aThinRepository();
        CommittedBackup newest = thin.source(store).backups().getLast();
        int before = requestsOfARestore(newest);
        thin.prune(store);
        assertThat(requestsOfARestore(newest)).isLessThan(before + before / 2);
    }

    private int requestsOfARestore(CommittedBackup backup) {
        HookedStore metered = new HookedStore(store);
        var source = thin.source(metered);
        int before = metered.calls();
        assertThat(SampleRepository.restore(source, backup)).isNotEmpty();
        return metered.calls() - before;
    }

    @Test
    void withoutEncryptionItIsTheSame() {
        ObjectStore open = MemoryStore.create();
        ThinRepository plain = new ThinRepository(8, open, Optional.empty());
        plain.backUp(open);
        plain.change(3, 2);
        plain.backUpUponNewest(open);
        plain.expire(open);
        assertThat(plain.prune(open).compacted().packs().count()).isPositive();
        plain.demandWhole(open);
        List<String> defects = new ArrayList<>();
        new RepositoryCheck(plain.open(open), RepositoryCheck.Options.everything(), _ -> {})
                .run()
                .defects()
                .forEach(each -> defects.add(each.toString()));
        assertThat(defects).isEmpty();
    }
}
