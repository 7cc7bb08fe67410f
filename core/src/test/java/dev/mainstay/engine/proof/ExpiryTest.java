package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.retention.ExpiryPlan;
import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Expiry;
import dev.mainstay.repository.Hold;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/// Backups are removed on record, then for good; killed at every call, beside others, held or not.
class ExpiryTest {
    static final Instant NOW = Instant.parse("2026-11-22T00:00:00Z");

    static RetentionPolicy newest(int count) {
        return new ConfigurationReader(Map.of())
                .parse(
                        "test",
                        """
                        repository: { url: file:///r, encryption: none }
                        retention: { full: { count: 0 }, incremental: { count: 0 }, minimum: %d }
                        sources: { orders: { postgres: { url: postgresql://h } } }
                        """
                                .formatted(count),
                        Path.of("/"))
                .source("orders")
                .retention();
    }

    private static SampleRepository sample(ObjectStore store) throws IOException {
        SampleRepository sample = new SampleRepository(11, Optional.empty());
        sample.write(store);
        return sample;
    }

    private static ProtectedSource open(SampleRepository sample, ObjectStore store) {
        return sample.open(store).source("orders").orElseThrow();
    }

    private static Expiry.Result expire(ProtectedSource source, int keep) {
        SourceExpiry expiry = new SourceExpiry(source, newest(keep), NOW);
        return expiry.run(expiry.plan());
    }

    private static void demandSound(Repository repository) {
        VerifyReport report =
                new Verification(repository, RepositoryCheck.Options.everything(), Progress.none())
                        .run();
        assertThat(report.findings()).isEmpty();
    }

    private static List<BackupId> ids(ProtectedSource source) {
        return source.backups().stream().map(CommittedBackup::id).toList();
    }

    @Test
    void anIncrementalIsWholeWithoutTheFullBackupItWasBuiltUpon() throws IOException {
        ObjectStore store = MemoryStore.create();
        SampleRepository sample = sample(store);
        ProtectedSource source = open(sample, store);
        List<BackupId> before = ids(source);
        source.release(before.getFirst());
        assertThat(expire(source, 1).removed()).containsExactly(before.getFirst());
        assertThat(ids(source)).containsExactly(before.getLast());
        assertThat(store.list("slots/", "", 10).objects()).hasSize(1);
        assertThat(SampleRepository.restore(source, source.backups().getFirst()))
                .containsExactlyInAnyOrderEntriesOf(sample.contents().getLast());
        demandSound(sample.open(store));
        assertThatThrownBy(() -> source.backup(before.getFirst()))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        unknown -> assertThat(unknown.code()).isEqualTo(ErrorCode.BACKUP_UNKNOWN));
        SampleRepository.moreWal(source);
        sample.backUpAgain(source);
        demandSound(sample.open(store));
    }

    @Test
    void aPlanSaysWhatGoesAndWhatCanBeRecoveredAndChangesNothing() throws IOException {
        ObjectStore store = MemoryStore.create();
        SampleRepository sample = sample(store);
        ProtectedSource source = open(sample, store);
        source.release(ids(source).getFirst());
        List<String> names = names(store);
        ExpiryPlan plan = new SourceExpiry(source, newest(1), NOW).plan();
        assertThat(plan.removed())
                .singleElement()
                .satisfies(each -> assertThat(each.backup().id()).isEqualTo(ids(source).get(0)));
        assertThat(plan.before().getFirst().from().id()).isEqualTo(ids(source).get(0));
        assertThat(plan.after().getFirst().from().id()).isEqualTo(ids(source).get(1));
        assertThat(plan.freed().getFirst().segments()).isEqualTo(2);
        assertThat(names(store)).isEqualTo(names);
    }

    @Test
    void whatIsHeldStaysUntilItIsReleased() throws IOException {
        ObjectStore store = MemoryStore.create();
        SampleRepository sample = sample(store);
        ProtectedSource source = open(sample, store);
        BackupId full = ids(source).getFirst();
        source.hold(full, "audit");
        source.hold(full, "audit again");
        assertThat(source.records().holds().values())
                .singleElement()
                .extracting(Hold::reason)
                .isEqualTo("audit again");
        assertThat(expire(source, 1).removed()).isEmpty();
        source.release(full);
        assertThat(source.records().holds()).isEmpty();
        assertThat(expire(source, 1).removed()).containsExactly(full);
        assertThatThrownBy(() -> source.hold(full, "too late"))
                .isInstanceOf(MainstayException.class);
    }

    @Test
    void aRecordThatCannotBeReadMayHoldWhatIsOlder() throws IOException {
        ObjectStore store = MemoryStore.create();
        SampleRepository sample = sample(store);
        ProtectedSource source = open(sample, store);
        String hold = store.list("records/", "", 1).objects().getFirst().name();
        assertThat(store.delete(hold)).isEqualTo(DeleteOutcome.DELETED);
        store.put(hold, ByteBuffer.wrap(new byte[200]));
        assertThat(expire(source, 1).removed()).isEmpty();
        assertThat(store.delete(hold)).isEqualTo(DeleteOutcome.DELETED);
        assertThat(expire(source, 1).removed()).isEmpty();
    }

    /// Three backups of which the last one alone stays where one is kept.
    private static SampleRepository three(ObjectStore store) throws IOException {
        SampleRepository sample = sample(store);
        ProtectedSource source = open(sample, store);
        source.release(ids(source).getFirst());
        sample.backUpAgain(source);
        return sample;
    }

    private static void demandWhole(SampleRepository sample, ObjectStore store) {
        ProtectedSource source = open(sample, store);
        for (CommittedBackup each : source.backups()) {
            assertThat(SampleRepository.restore(source, each))
                    .containsExactlyInAnyOrderEntriesOf(sample.content(each.id()));
        }
        demandSound(sample.open(store));
    }

    @Test
    void killedAtAnyCallItEndsTheSameWhenItIsRunAgain() throws IOException {
        ObjectStore base = MemoryStore.create();
        SampleRepository sample = three(base);
        List<BackupId> before = ids(open(sample, base));
        for (boolean happens : new boolean[] {false, true}) {
            int call = 1;
            boolean died = true;
            while (died) {
                ObjectStore store = HookedStore.copy(base);
                HookedStore hooked = new HookedStore(store);
                ProtectedSource source = open(sample, hooked);
                hooked.dieAt(call, happens);
                died = dies(source);
                assertThat(ids(open(sample, store)))
                        .as("call %d", call)
                        .isIn(before, before.subList(2, 3));
                demandWhole(sample, store);
                expire(open(sample, store), 1);
                assertThat(ids(open(sample, store))).isEqualTo(before.subList(2, 3));
                assertThat(store.list("slots/", "", 10).objects()).hasSize(1);
                demandWhole(sample, store);
                call++;
            }
            assertThat(call).as("calls").isGreaterThan(15);
        }
    }

    private static boolean dies(ProtectedSource source) {
        try {
            expire(source, 1);
            return false;
        } catch (HookedStore.Killed killed) {
            return true;
        }
    }

    /// What somebody does while an expiry stands still before one of its calls, for each of them.
    private static void amidAnExpiry(
            SampleRepository sample,
            ObjectStore base,
            BiConsumer<ObjectStore, Expiry.Result[]> what)
            throws IOException {
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore store = HookedStore.copy(base);
            HookedStore slow = new HookedStore(store);
            ProtectedSource source = open(sample, slow);
            Expiry.Result[] result = new Expiry.Result[1];
            slow.at(call, () -> what.accept(store, result));
            result[0] = expire(source, 1);
            hooked = slow.wasHooked();
            what.accept(store, result);
            demandWhole(sample, store);
            assertThat(call).isLessThan(1000);
        }
    }

    @Test
    void twoAtOnceRemoveTheSame() throws IOException {
        ObjectStore base = MemoryStore.create();
        SampleRepository sample = three(base);
        BackupId newest = ids(open(sample, base)).getLast();
        amidAnExpiry(
                sample,
                base,
                (store, _) -> {
                    expire(open(sample, store), 1);
                    assertThat(ids(open(sample, store))).containsExactly(newest);
                });
    }

    @Test
    void aHoldThatWasPutMeanwhileWinsOrFails() throws IOException {
        ObjectStore base = MemoryStore.create();
        SampleRepository sample = three(base);
        BackupId full = ids(open(sample, base)).getFirst();
        int[] won = new int[2];
        boolean[] held = new boolean[1];
        amidAnExpiry(
                sample,
                base,
                (store, result) -> {
                    if (result[0] == null) {
                        held[0] = holds(open(sample, store), full);
                        return;
                    }
                    boolean there = ids(open(sample, store)).contains(full);
                    assertThat(result[0].removed().contains(full)).isNotEqualTo(there);
                    assertThat(held[0] && !there).as("held and gone").isFalse();
                    won[there ? 1 : 0]++;
                    held[0] = false;
                });
        assertThat(won).doesNotContain(0);
    }

    @Test
    void anExpiryAmidAHoldLeavesTheBackupOrTheHoldFails() throws IOException {
        ObjectStore base = MemoryStore.create();
        SampleRepository sample = three(base);
        BackupId full = ids(open(sample, base)).getFirst();
        int[] won = new int[2];
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore store = HookedStore.copy(base);
            HookedStore slow = new HookedStore(store);
            ProtectedSource source = open(sample, slow);
            slow.at(call, () -> expire(open(sample, store), 1));
            boolean held = holds(source, full);
            hooked = slow.wasHooked();
            boolean there = ids(open(sample, store)).contains(full);
            assertThat(held).as("call %d", call).isEqualTo(there);
            won[there ? 1 : 0]++;
            demandWhole(sample, store);
        }
        assertThat(won).doesNotContain(0);
    }

    private static boolean holds(ProtectedSource source, BackupId backup) {
        try {
            source.hold(backup, "wanted");
            return true;
        } catch (MainstayException removed) {
            assertThat(removed.code()).isEqualTo(ErrorCode.BACKUP_UNKNOWN);
            return false;
        }
    }

    @Test
    void aBackupWhoseParentGoesMeanwhileIsWhole() throws IOException {
        ObjectStore base = MemoryStore.create();
        SampleRepository sample = three(base);
        CommittedBackup parent = open(sample, base).backups().getFirst();
        boolean hooked = true;
        for (int call = 1; hooked; call += 3) {
            ObjectStore store = HookedStore.copy(base);
            HookedStore slow = new HookedStore(store);
            ProtectedSource source = open(sample, slow);
            slow.at(call, () -> expire(open(sample, store), 1));
            CommittedBackup taken = sample.backUpUpon(source, parent);
            hooked = slow.wasHooked();
            assertThat(ids(open(sample, store))).contains(taken.id());
            demandWhole(sample, store);
            expire(open(sample, store), 1);
            assertThat(ids(open(sample, store))).containsExactly(taken.id());
            demandWhole(sample, store);
        }
    }

    private static List<String> names(ObjectStore store) {
        return store.list("", "", 1000).objects().stream().map(StoredObject::name).toList();
    }
}
