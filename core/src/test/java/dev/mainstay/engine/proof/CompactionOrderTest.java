package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.CompactionRule;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.Throttle;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// The rules by which packs are compacted (docs/decisions/0015), each in the order of calls that it
/// is made for: without it, a backup that is listed is lost there. And two processes in every order
/// of their calls with few changes of turn.
class CompactionOrderTest {
    private static final Duration WEEK = Duration.ofDays(7);
    private static final Duration NO_PATIENCE = Duration.ofSeconds(-100_000);

    private final ObjectStore store = MemoryStore.create();
    private final ThinRepository thin = new ThinRepository(7, store, Optional.empty(), 6);

    /// The newest backup needs a third of what the expired one stored.
    private void aThinRepository() {
        thin.backUp(store);
        thin.change(3, 2);
        thin.backUpUponNewest(store);
        thin.expire(store);
    }

    private CommittedBackup newest(ObjectStore on) {
        return thin.source(on).backups().getLast();
    }

    /// A full backup of other content, and no other one is kept.
    private Consumer<ObjectStore> onlyAnother(int player) {
        ThinRepository other = thin.process(player);
        other.change(1, 1);
        Map<String, byte[]> files = other.data();
        return on -> {
            ThinRepository process = thin.process(player, files);
            process.backUp(on);
            process.expire(on);
        };
    }

    private Consumer<ObjectStore> collector(int player, CompactionRule rule, Duration patience) {
        return on -> {
            Prune.Report _ = thin.process(player).pruneBeside(on, rule, patience).run();
        };
    }

    /// Upon what is the newest backup now.
    private Consumer<ObjectStore> backup(int player, Map<String, byte[]> files) {
        Optional<CommittedBackup> parent = Optional.of(newest(store));
        return on -> {
            CommittedBackup _ = thin.process(player, files).backUp(on, parent);
        };
    }

    /// One page of each relation is another one, so that the others' frames are still referred to.
    private Map<String, byte[]> touched() {
        ThinRepository other = thin.process(99);
        other.touch();
        return other.data();
    }

    private static List<String> names(ObjectStore on, String prefix) {
        return on.list(prefix, "", 10_000).objects().stream().map(StoredObject::name).toList();
    }

    private void demandWholeAndTidy(ObjectStore on) {
        ThinRepository last = thin.process(50);
        last.demandWhole(on);
        last.pruneBeside(on, CompactionRule.NONE, WEEK).run();
        last.pruneBeside(on, CompactionRule.NONE, WEEK).run();
        last.demandWhole(on);
        assertThat(names(on, "gc/")).isEmpty();
    }

    private static boolean decides(Steps.Call call) {
        return call.what().equals("put") && call.name().endsWith("-sweep");
    }

    /// Rule 1, as it is.
    @Test
    void whatLeadsToANewPackIsPutBeforeIt() {
        aThinRepository();
        try (Steps steps = new Steps(store)) {
            steps.add(collector(1, ThinRepository.HALF, WEEK)).finish();
            Set<String> told = new HashSet<>();
            long packs = 0;
            for (Steps.Call call : steps.made()) {
                String last = call.name().substring(call.name().lastIndexOf('/') + 1);
                if (call.writes() && call.what().equals("put")) {
                    if (call.name().startsWith("moved/")) {
                        told.add(last.substring(0, 64));
                    } else if (call.name().startsWith("packs/")) {
                        assertThat(told).as("what leads to %s", call.name()).contains(last);
                        packs++;
                    }
                }
            }
            assertThat(packs).isPositive();
        }
    }

    /// Rule 1. A collector that saw the new pack, and nothing that leads there, would claim it as
    /// garbage, and not the old pack; and a writer that was announced after that would refer to the
    /// old one, which goes as well.
    @Test
    void nobodySeesANewPackThatNothingLeadsTo() {
        aThinRepository();
        try (Steps steps = new Steps(store)) {
            Steps.Player compacting = steps.add(collector(1, ThinRepository.HALF, WEEK));
            compacting.until(_ -> newPacks(steps) > 0);
            Steps.Player other = steps.add(collector(2, CompactionRule.NONE, WEEK));
            other.until("put", "gc/");
            compacting.finish();
            other.until(CompactionOrderTest::decides);
            Steps.Player writer = steps.add(backup(3, thin.data()));
            writer.until("put", "slots/");
            onlyAnother(4).accept(store);
            collector(5, CompactionRule.NONE, WEEK).accept(store);
            writer.finish();
        }
        assertThat(thin.source(store).backups()).hasSize(2);
        demandWholeAndTidy(store);
    }

    private static long newPacks(Steps steps) {
        return steps.made().stream()
                .filter(call -> call.writes() && call.name().startsWith("packs/"))
                .count();
    }

    /// Rule 3. The old pack was claimed and went, so a claim of the new one is all that a writer
    /// sees that was announced after it. It builds upon a backup that was committed when what goes
    /// had been chosen, and that is gone before anybody looks again.
    @Test
    void aClaimNamesThePacksOfWhichFramesMovedThere() {
        aThinRepository();
        Map<String, byte[]> touched = touched();
        try (Steps steps = new Steps(store)) {
            Steps.Player parent = steps.add(backup(1, touched));
            parent.until("put", "packs/");
            collector(2, ThinRepository.HALF, WEEK).accept(store); // the old packs wait for it
            onlyAnother(3).accept(store);
            Steps.Player collector = steps.add(collector(4, CompactionRule.NONE, WEEK));
            collector.until("put", "gc/"); // the new ones, which nothing needs
            parent.finish();
            CommittedBackup upon = newest(store);
            collector(5, CompactionRule.NONE, WEEK).accept(store); // the old ones go
            collector.until(CompactionOrderTest::decides);
            Steps.Player writer =
                    steps.add(on -> thin.process(6, touched).backUp(on, Optional.of(upon)));
            writer.until("put", "slots/");
            onlyAnother(7).accept(store);
            collector(8, CompactionRule.NONE, WEEK).accept(store); // decides for the one before
            writer.finish();
        }
        assertThat(thin.source(store).backups()).hasSize(2);
        demandWholeAndTidy(store);
    }

    /// A new pack is there, and the old one; and a backup that failed may be gone on from that
    /// refers to the old one, until somebody loses patience.
    private void twoPlacesOfTheSame() {
        aThinRepository();
        try (Steps steps = new Steps(store)) {
            Steps.Player killed = steps.add(collector(1, ThinRepository.HALF, WEEK));
            killed.until("put", "gc/");
        }
        assertThat(names(store, "moved/")).isNotEmpty();
        Map<String, byte[]> more = touched();
        more.put("base/5/99999", new byte[4 * SampleRepository.BLOCK]); // closes the last pack
        thin.process(2, more).failToBackUp(store, Optional.of(newest(store)));
    }

    /// Rule 4: one relies on the old pack and removes the new one, the other the other way round.
    @Test
    void nobodyReliesOnWhatIsClaimed() {
        twoPlacesOfTheSame();
        try (Steps steps = new Steps(store)) {
            Steps.Player other = steps.add(collector(4, CompactionRule.NONE, NO_PATIENCE));
            other.until("put", "gc/");
            Steps.Player patient = steps.add(collector(3, CompactionRule.NONE, WEEK));
            patient.until(CompactionOrderTest::decides);
            other.finish();
            patient.finish();
        }
        demandWholeAndTidy(store);
    }

    /// Rule 4: what one relied on when it chose is gone when it decides.
    @Test
    void nobodyReliesOnWhatIsGone() {
        twoPlacesOfTheSame();
        try (Steps steps = new Steps(store)) {
            Steps.Player patient = steps.add(collector(3, CompactionRule.NONE, WEEK));
            patient.until("put", "gc/");
            Steps.Player other = steps.add(collector(4, CompactionRule.NONE, NO_PATIENCE));
            other.finish();
            patient.finish();
        }
        demandWholeAndTidy(store);
    }

    /// Rule 4: what a killed compaction seemed to have left is removed, while it goes on.
    @Test
    void whatHasMovedIsLookedAtAfterTheClaims() {
        aThinRepository();
        try (Steps steps = new Steps(store)) {
            Steps.Player compacting = steps.add(collector(1, ThinRepository.HALF, WEEK));
            compacting.until("put", "packs/");
            Steps.Player other = steps.add(collector(2, CompactionRule.NONE, WEEK));
            other.until("delete", "moved/");
            compacting.until("put", "gc/");
            compacting.until("list", "gc/");
            other.finish();
            compacting.finish();
        }
        demandWholeAndTidy(store);
    }

    /// Rule 2: a backup that ended since packs were claimed came to refer to what had moved there.
    @Test
    void whatIsReferredToIsLookedAtAgainBeforeItGoes() {
        aThinRepository();
        thin.prune(store);
        try (Steps steps = new Steps(store)) {
            Steps.Player writer = steps.add(backup(1, touched()));
            writer.until("put", "packs/");
            onlyAnother(2).accept(store);
            Steps.Player collector = steps.add(collector(3, CompactionRule.NONE, WEEK));
            collector.until("put", "gc/");
            writer.finish();
            collector.finish();
        }
        assertThat(thin.source(store).backups()).hasSize(2);
        demandWholeAndTidy(store);
    }

    private void demandCopied(ObjectStore to) {
        thin.process(60).demandWhole(to);
        assertThat(thin.source(to).backups()).isNotEmpty();
    }

    private Consumer<ObjectStore> copier(ObjectStore to) {
        return on ->
                new RepositoryCopy(
                                thin.process(61).open(on),
                                to,
                                Throttle.of(Optional.empty()),
                                0,
                                _ -> {})
                        .run();
    }

    private void explore(
            String what, int page, List<Consumer<ObjectStore>> processes, List<Integer> turns) {
        Interleavings all =
                new Interleavings(
                        () -> HookedStore.copy(store),
                        page,
                        processes,
                        turns,
                        (on, _) -> demandWholeAndTidy(on));
        all.playAll();
        System.out.printf("%s: %d orders, %d played%n", what, all.orders(), all.played());
        assertThat(all.played()).isGreaterThan(5);
    }

    @Test
    void twoCollectorsInEveryOrder() {
        aThinRepository();
        explore(
                "two collectors",
                1000,
                List.of(
                        collector(1, ThinRepository.HALF, WEEK),
                        collector(2, ThinRepository.HALF, WEEK)),
                List.of(0, 1, 0, 1));
    }

    @Test
    void twoCollectorsWithTwoPlacesOfTheSameInEveryOrder() {
        twoPlacesOfTheSame();
        explore(
                "two places",
                1000,
                List.of(
                        collector(3, CompactionRule.NONE, WEEK),
                        collector(4, CompactionRule.NONE, NO_PATIENCE)),
                List.of(0, 1, 0, 1));
    }

    @Test
    void aCollectorAndABackupInEveryOrder() {
        aThinRepository();
        List<Consumer<ObjectStore>> both =
                List.of(collector(1, ThinRepository.HALF, WEEK), backup(2, touched()));
        explore("collector, backup", 1000, both, List.of(0, 1, 0, 1));
        explore("backup, collector", 1000, both, List.of(1, 0, 1, 0));
    }

    /// The backup it builds upon expires when it has begun, and what is in the packs of that has
    /// moved before.
    @Test
    void aCollectorAndABackupWhoseParentExpiresInEveryOrder() {
        aThinRepository();
        thin.prune(store);
        explore(
                "backup, expiry, collector",
                1000,
                List.of(
                        backup(1, touched()),
                        onlyAnother(2),
                        collector(3, ThinRepository.HALF, WEEK)),
                List.of(0, 1, 2, 0, 2));
    }

    /// A listing of one name at a time: what is put behind the copier while what is before it goes,
    /// it sees neither of. Names are random, so that takes a few collectors.
    @Test
    void aCopyBesideACollectorInEveryOrder() {
        aThinRepository();
        ObjectStore[] to = new ObjectStore[1];
        for (int player = 1; player <= 4; player++) {
            Interleavings all =
                    new Interleavings(
                            () -> {
                                to[0] = MemoryStore.create();
                                return HookedStore.copy(store);
                            },
                            1,
                            List.of(
                                    on -> copier(to[0]).accept(on),
                                    collector(player, ThinRepository.HALF, WEEK)),
                            List.of(0, 1, 0),
                            (_, _) -> demandCopied(to[0]));
            all.playAll();
            System.out.printf("copy: %d orders, %d played%n", all.orders(), all.played());
        }
    }

    /// What has moved once moves again.
    @Test
    void aRestoreBesideACollectorInEveryOrder() {
        aThinRepository();
        thin.prune(store);
        thin.change(6, 5);
        thin.backUpUponNewest(store);
        thin.expire(store);
        List<String> before = names(store, "moved/");
        assertThat(before).isNotEmpty();
        explore(
                "restore",
                1000,
                List.of(
                        on -> thin.process(1).demandWhole(on),
                        collector(2, ThinRepository.HALF, WEEK)),
                List.of(0, 1, 0, 1));
    }
}
