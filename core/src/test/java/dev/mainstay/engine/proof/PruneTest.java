package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.UnneededWal;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What nothing refers to goes, and nothing else; killed at every call, beside a backup at every
/// call of both; and where it cannot be told what is needed, nothing goes.
class PruneTest {
    private static final Duration PATIENCE = Duration.ofDays(7);

    private final ObjectStore store = MemoryStore.create();
    private final SampleRepository sample = new SampleRepository(11, Optional.empty());

    PruneTest() throws IOException {
        sample.write(store);
        ProtectedSource source = open(store);
        source.release(source.backups().getFirst().id());
        sample.backUpAgain(source);
    }

    private ProtectedSource open(ObjectStore on) {
        return sample.open(on).source("orders").orElseThrow();
    }

    private Prune.Report prune(ObjectStore on) {
        return prune(on, PATIENCE);
    }

    private Prune.Report prune(ObjectStore on, Duration patience) {
        return new Prune(sample.open(on), patience, false, UnneededWal.NONE, _ -> {}).run();
    }

    private Prune.Report pruneBeside(ObjectStore on) {
        return new Prune(sample.open(on), PATIENCE, true, UnneededWal.NONE, _ -> {}).run();
    }

    private void expire(ObjectStore on) {
        SourceExpiry expiry = new SourceExpiry(open(on), ExpiryTest.newest(1), ExpiryTest.NOW);
        expiry.run(expiry.plan());
    }

    private static long packs(ObjectStore on) {
        return on.list("packs/", "", 10_000).objects().size();
    }

    private static List<String> names(ObjectStore on, String prefix) {
        return on.list(prefix, "", 10_000).objects().stream().map(StoredObject::name).toList();
    }

    private void demandWhole(ObjectStore on) {
        ProtectedSource source = open(on);
        for (CommittedBackup each : source.backups()) {
            assertThat(SampleRepository.restore(source, each))
                    .containsExactlyInAnyOrderEntriesOf(sample.content(each.id()));
        }
        VerifyReport report =
                new Verification(
                                sample.open(on),
                                RepositoryCheck.Options.everything(),
                                Progress.none())
                        .run();
        assertThat(report.findings()).isEmpty();
    }

    private static ErrorCode codeOf(Throwable failed) {
        return ((MainstayException) failed).code();
    }

    @Test
    void whatOnlyRemovedBackupsReferredToGoes() {
        assertThat(prune(store).removed().count()).isZero();
        long before = packs(store);
        expire(store);
        List<String> names = names(store, "");
        Prune.Report plan =
                new Prune(sample.open(store), PATIENCE, false, UnneededWal.NONE, _ -> {}).plan();
        assertThat(names(store, "")).isEqualTo(names);
        Prune.Report done = prune(store);
        assertThat(done).isEqualTo(plan);
        assertThat(done.removed().count()).isPositive();
        assertThat(done.removed().size().bytes()).isPositive();
        assertThat(packs(store)).isEqualTo(before - done.removed().count());
        assertThat(done.left().count()).isEqualTo(packs(store));
        assertThat(names(store, "gc/")).isEmpty();
        demandWhole(store);
        assertThat(prune(store).removed().count()).isZero();
    }

    /// The chain lists slots before records: a record may name a slot that came in between.
    @Test
    void backupsThatAreCommittedWhileTheChainIsReadHaveNotVanished() {
        ProtectedSource beside = open(store);
        int[] looks = {0};
        ObjectStore busy =
                new ForwardingStore(store) {
                    @Override
                    public ListPage list(String prefix, String after, int limit) {
                        if (prefix.startsWith("records/") && after.isEmpty() && looks[0]++ < 3) {
                            try {
                                beside.hold(sample.backUpAgain(beside).id(), "beside");
                            } catch (IOException failed) {
                                throw new UncheckedIOException(failed);
                            }
                        }
                        return inner.list(prefix, after, limit);
                    }
                };
        prune(busy);
        assertThat(looks[0]).isGreaterThan(3);
        demandWhole(store);
    }

    @Test
    void whatARunningBackupMayReferToWaitsForItsEnd() throws IOException {
        demandWaiting(false);
    }

    @Test
    void whatIsClaimedBesideARunningBackupWaitsAsWell() throws IOException {
        demandWaiting(true);
    }

    private void demandWaiting(boolean claimed) throws IOException {
        ProtectedSource source = open(store);
        CommittedBackup parent = source.backups().getFirst();
        HookedStore slow = new HookedStore(store);
        ProtectedSource writer = open(slow);
        Prune.Report[] during = new Prune.Report[1];
        slow.at(
                callsOfABackup(parent) - 6,
                () -> {
                    expire(store);
                    during[0] = claimed ? pruneBeside(store) : prune(store);
                    assertThat(names(store, "gc/")).hasSize(claimed ? 2 : 0);
                });
        CommittedBackup taken = sample.backUpUpon(writer, parent);
        assertThat(during[0].removed().count()).isZero();
        assertThat(during[0].waiting().count()).isPositive();
        assertThat(during[0].running())
                .singleElement()
                .satisfies(each -> assertThat(each.backup()).isEqualTo(taken.id()));
        demandWhole(store);
        Prune.Report after = prune(store);
        assertThat(after.removed().count()).isPositive();
        assertThat(after.waiting().count()).isZero();
        assertThat(names(store, "gc/")).isEmpty();
        demandWhole(store);
    }

    private int callsOfABackup(CommittedBackup parent) throws IOException {
        ObjectStore copy = HookedStore.copy(store);
        HookedStore counting = new HookedStore(copy);
        ProtectedSource source = open(counting);
        int before = counting.calls();
        sample.backUpUpon(source, parent);
        return counting.calls() - before;
    }

    @Test
    void aBackupThatDoesNotEndIsGivenUpAndCannotBeFinished() throws IOException {
        CommittedBackup parent = open(store).backups().getFirst();
        HookedStore slow = new HookedStore(store);
        ProtectedSource writer = open(slow);
        Prune.Report[] during = new Prune.Report[1];
        slow.at(
                callsOfABackup(parent) - 6,
                () -> {
                    expire(store);
                    during[0] = prune(store, Duration.ZERO);
                });
        assertThatThrownBy(() -> sample.backUpUpon(writer, parent))
                .satisfies(
                        failed -> assertThat(codeOf(failed)).isEqualTo(ErrorCode.BACKUP_ABORTED));
        assertThat(during[0].givenUp()).hasSize(1);
        assertThat(during[0].waiting().count()).isZero();
        assertThat(open(store).backups()).hasSize(1);
        Prune.Report after = prune(store);
        assertThat(after.running()).isEmpty();
        assertThat(names(store, "intents/")).isEmpty();
        demandWhole(store);
    }

    @Test
    void aKilledBackupIsGivenUpWhereThereIsNothingToRemoveAsWell() {
        CommittedBackup parent = open(store).backups().getFirst();
        HookedStore dying = new HookedStore(store);
        ProtectedSource writer = open(dying);
        dying.dieAt(3, true);
        assertThatThrownBy(() -> sample.backUpUpon(writer, parent))
                .isInstanceOf(HookedStore.Killed.class);
        assertThat(names(store, "intents/")).hasSize(1);
        assertThat(prune(store).givenUp()).as("in patience").isEmpty();
        Prune.Report plan =
                new Prune(sample.open(store), Duration.ZERO, false, UnneededWal.NONE, _ -> {})
                        .plan();
        assertThat(plan.givenUp()).hasSize(1);
        assertThat(names(store, "intents/")).hasSize(1);
        assertThat(prune(store, Duration.ZERO).givenUp()).isEqualTo(plan.givenUp());
        assertThat(names(store, "intents/")).isEmpty();
    }

    @Test
    void killedAtAnyCallTheNextOneFinishes() {
        expire(store);
        for (boolean happens : new boolean[] {false, true}) {
            boolean died = true;
            for (int call = 1; died; call++) {
                ObjectStore copy = HookedStore.copy(store);
                HookedStore hooked = new HookedStore(copy);
                hooked.dieAt(call, happens);
                died = dies(hooked);
                demandWhole(copy);
                prune(copy);
                assertThat(names(copy, "gc/")).as("call %d", call).isEmpty();
                Prune.Report plan =
                        new Prune(sample.open(copy), PATIENCE, false, UnneededWal.NONE, _ -> {})
                                .plan();
                assertThat(plan.removed().count()).as("call %d", call).isZero();
                demandWhole(copy);
            }
        }
    }

    private boolean dies(ObjectStore on) {
        try {
            prune(on);
            return false;
        } catch (HookedStore.Killed killed) {
            return true;
        }
    }

    @Test
    void aBackupThatBeginsAndEndsAmidItIsWhole() {
        expire(store);
        CommittedBackup parent = open(store).backups().getFirst();
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore copy = HookedStore.copy(store);
            HookedStore slow = new HookedStore(copy);
            slow.at(call, () -> backUp(copy, parent));
            prune(slow);
            hooked = slow.wasHooked();
            demandWhole(copy);
            prune(copy);
            demandWhole(copy);
        }
    }

    /// Its announcement stays, and it is gone before anybody here sees its slot.
    @Test
    void whatIsCommittedAndRemovedAmidItIsNotGivenUp() {
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore copy = HookedStore.copy(store);
            HookedStore slow = new HookedStore(copy);
            HookedStore keeping = new HookedStore(copy);
            keeping.refuse("intents/");
            List<String> before = names(copy, "slots/");
            slow.at(
                    call,
                    () -> {
                        backUpAgain(keeping);
                        backUpAgain(copy);
                        expire(copy);
                        assertThat(names(copy, "intents/")).hasSize(1);
                    });
            prune(slow, Duration.ofDays(-1));
            hooked = slow.wasHooked();
            if (hooked) {
                assertThat(names(copy, "slots/")).as("call %d", call).hasSize(1);
                assertThat(before).isNotEmpty().doesNotContainAnyElementsOf(names(copy, "slots/"));
            }
            demandWhole(copy);
            prune(copy);
            assertThat(names(copy, "intents/")).as("call %d", call).isEmpty();
            demandWhole(copy);
        }
    }

    /// Its parent refers to packs that were claimed before it began, and is gone before it ends.
    @Test
    void whatWasClaimedIsAbsentForWhoComesLater() throws IOException {
        CommittedBackup first = open(store).backups().getFirst();
        HookedStore slow = new HookedStore(store);
        ProtectedSource writer = open(slow);
        slow.at(
                callsOfABackup(first) - 6,
                () -> {
                    expire(store);
                    assertThat(pruneBeside(store).waiting().count()).isPositive();
                });
        CommittedBackup parent = sample.backUpUpon(writer, first);
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore copy = HookedStore.copy(store);
            HookedStore late = new HookedStore(copy);
            ProtectedSource source = open(late);
            late.at(
                    call,
                    () -> {
                        backUpAgain(copy);
                        expire(copy);
                        pruneBeside(copy);
                    });
            CommittedBackup _ = sample.backUpUpon(source, parent);
            hooked = late.wasHooked();
            demandWhole(copy);
            prune(copy);
            demandWhole(copy);
        }
    }

    private void backUpAgain(ObjectStore on) {
        try {
            CommittedBackup _ = sample.backUpAgain(open(on));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    private void backUp(ObjectStore on, CommittedBackup parent) {
        try {
            CommittedBackup _ = sample.backUpUpon(open(on), parent);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    @Test
    void aBackupAmidWhichItsParentIsRemovedAndPrunedIsWhole() {
        CommittedBackup parent = open(store).backups().getFirst();
        boolean hooked = true;
        for (int call = 1; hooked; call += 2) {
            ObjectStore copy = HookedStore.copy(store);
            HookedStore slow = new HookedStore(copy);
            slow.at(
                    call,
                    () -> {
                        expire(copy);
                        prune(copy);
                    });
            backUp(slow, parent);
            hooked = slow.wasHooked();
            demandWhole(copy);
            prune(copy);
            assertThat(names(copy, "gc/")).as("call %d", call).isEmpty();
            demandWhole(copy);
        }
    }

    @Test
    void twoAtOnceDoTheSame() {
        expire(store);
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore copy = HookedStore.copy(store);
            HookedStore slow = new HookedStore(copy);
            slow.at(call, () -> prune(copy));
            prune(slow);
            hooked = slow.wasHooked();
            prune(copy);
            assertThat(names(copy, "gc/")).as("call %d", call).isEmpty();
            demandWhole(copy);
        }
    }

    @Test
    void whatTheStoreKeepsStaysClaimed() {
        expire(store);
        String locked = lockable();
        Prune.Report report = prune(new Locking(store, locked));
        assertThat(report.refused().count()).isEqualTo(1);
        assertThat(names(store, "packs/")).contains(locked);
        assertThat(names(store, "gc/")).hasSize(3);
        demandWhole(store);
        assertThat(prune(store).removed().count()).isEqualTo(1);
        assertThat(names(store, "packs/")).doesNotContain(locked);
        assertThat(names(store, "gc/")).isEmpty();
    }

    /// A pack that goes.
    private String lockable() {
        ObjectStore copy = HookedStore.copy(store);
        prune(copy);
        List<String> left = names(copy, "packs/");
        return names(store, "packs/").stream()
                .filter(name -> !left.contains(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void whereItCannotBeToldWhatIsNeededNothingGoes() {
        BackupId newest = open(store).backups().getLast().id();
        expire(store);
        String slot =
                names(store, "slots/").stream()
                        .filter(name -> name.endsWith(newest.text()))
                        .findFirst()
                        .orElseThrow();
        ObjectStore damaged = HookedStore.copy(store);
        assertThat(damaged.delete(slot)).isEqualTo(DeleteOutcome.DELETED);
        assertThat(damaged.put(slot, ByteBuffer.wrap(new byte[200]))).isEqualTo(PutOutcome.CREATED);
        demandRefused(damaged);
        ObjectStore metadata = HookedStore.copy(store);
        names(store, "packs/metadata/").forEach(metadata::delete);
        demandRefused(metadata);
        ObjectStore keyless = HookedStore.copy(store);
        names(store, "keys/source/").forEach(keyless::delete);
        demandRefused(keyless);
    }

    /// Else the copier would not know which records refer to which, and a collector would send
    /// people to their copies.
    @Test
    void aKeyThatCannotBeReachedIsNoDamage() {
        ObjectStore flaky =
                new Locking(store, "") {
                    @Override
                    public byte[] get(String name, long offset, int length) {
                        if (name.startsWith("keys/source/")) {
                            throw new MainstayException(ErrorCode.STORE_UNAVAILABLE, "a reset");
                        }
                        return inner.get(name, offset, length);
                    }
                };
        for (ThrowingCallable asked :
                List.<ThrowingCallable>of(
                        () -> prune(flaky), () -> sample.open(flaky).sources((_, _) -> {}))) {
            assertThatThrownBy(asked)
                    .satisfies(
                            failed ->
                                    assertThat(codeOf(failed))
                                            .isEqualTo(ErrorCode.STORE_UNAVAILABLE));
        }
    }

    @Test
    void aSlotThatVanishedMayComeBack() {
        CommittedBackup first = open(store).backups().getFirst();
        String slot = names(store, "slots/").getFirst();
        assertThat(slot).endsWith(first.id().text());
        assertThat(store.delete(slot)).isEqualTo(DeleteOutcome.DELETED);
        demandRefused(store);
    }

    private void demandRefused(ObjectStore on) {
        List<String> before = names(on, "packs/");
        assertThatThrownBy(() -> prune(on))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        refused -> {
                            assertThat(refused.code()).isEqualTo(ErrorCode.PRUNE_UNCERTAIN);
                            assertThat(refused).hasMessageContaining("nothing was removed");
                        });
        assertThat(names(on, "packs/")).isEqualTo(before);
        assertThat(names(on, "gc/")).isEmpty();
    }

    @Test
    void aStoreThatPutsOverWhatIsThereIsRefused() {
        expire(store);
        List<String> before = names(store, "");
        ObjectStore careless =
                new Locking(store, "") {
                    @Override
                    public StoreFacts facts() {
                        return new StoreFacts("careless", false, true, true, false);
                    }
                };
        assertThatThrownBy(() -> prune(careless))
                .satisfies(
                        refused ->
                                assertThat(codeOf(refused)).isEqualTo(ErrorCode.PRUNE_STORE_UNFIT));
        assertThat(names(store, "")).isEqualTo(before);
    }

    /// Keeps one object.
    private static class Locking extends ForwardingStore {
        private final String locked;

        Locking(ObjectStore inner, String locked) {
            super(inner);
            this.locked = locked;
        }

        @Override
        public DeleteOutcome delete(String name) {
            return name.equals(locked) ? DeleteOutcome.REFUSED : inner.delete(name);
        }
    }
}
