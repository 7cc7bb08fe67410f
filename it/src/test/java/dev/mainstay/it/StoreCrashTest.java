package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.it.CrashBackups.State;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.testkit.Faults;
import dev.mainstay.testkit.FaultyStore;
import dev.mainstay.testkit.SimulatedCrash;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Wherever a process dies between two calls of the store, and however the store fails: what was
/// committed stays whole, what was not is not seen, and the next backup succeeds.
///
/// `-Dmainstay.it.seed=N` chooses another sequence.
class StoreCrashTest {
    private static final int MIB = 1 << 20;
    private static final long SEED = Long.getLong("mainstay.it.seed", 1);
    private static final SystemId SYSTEM = SystemId.of(7_300_000_000_000_000_001L);

    @Test
    void aBackupThatDiesAtAnyCallLeavesTheRepositoryWhole() throws IOException {
        long calls = backUpOver(Faults.NONE, SEED, Long.MAX_VALUE);
        assertThat(calls).isGreaterThan(10);
        for (long call = 1; call <= calls; call++) {
            backUpOver(Faults.NONE, SEED * 10_000 + call, call);
        }
    }

    @Test
    void aStoreThatFailsAfterItSucceededLosesNoBackup() throws IOException {
        for (long seed = SEED; seed < SEED + 30; seed++) {
            backUpOver(
                    Faults.NONE.withErrorBefore(0.01).withErrorAfter(0.05), seed, Long.MAX_VALUE);
        }
    }

    @Test
    void aFullDiskAndRefusedDeletesLoseNoBackup() throws IOException {
        for (int step = 0; step < 30; step++) {
            Faults faults = Faults.NONE.withCapacityBytes(8_000L * step).withRefusedDelete(0.5);
            backUpOver(faults, SEED + step, Long.MAX_VALUE);
        }
    }

    /// A full backup on a sound store, an incremental one on a failing store; then the demands.
    private static long backUpOver(Faults faults, long seed, long crashAt) throws IOException {
        ObjectStore sound = MemoryStore.create();
        State first = State.random(seed);
        State second = first.later(seed + 1);
        Repository repository = CrashBackups.create(sound, seed);
        CommittedBackup full =
                CrashBackups.backUp(repository.sourceOrAdd("orders"), Optional.empty(), first);
        FaultyStore failing = FaultyStore.of(sound, faults, seed);
        if (crashAt != Long.MAX_VALUE) {
            failing.crashAt(crashAt);
        }
        boolean committed = false;
        try {
            ProtectedSource source = CrashBackups.open(failing, seed + 2);
            CrashBackups.backUp(source, Optional.of(full), second);
            committed = true;
        } catch (IllegalStateException died) { // of a thread that uploads packs
            assertThat(died).hasCauseInstanceOf(SimulatedCrash.class);
        } catch (MainstayException | SimulatedCrash failed) {
            assertThat(faults.equals(Faults.NONE) && crashAt == Long.MAX_VALUE)
                    .as("a sound store fails nothing: %s", failed)
                    .isFalse();
        }
        long calls = failing.calls();
        if (crashAt != Long.MAX_VALUE) {
            failing.reopen();
        }
        demand(sound, seed, committed, List.of(first, second));
        return calls;
    }

    private static void demand(ObjectStore store, long seed, boolean committed, List<State> states)
            throws IOException {
        ProtectedSource source = CrashBackups.open(store, seed + 3);
        List<CommittedBackup> backups = source.backups();
        assertThat(backups).as("seed %d", seed).hasSizeBetween(committed ? 2 : 1, 2);
        for (int i = 0; i < backups.size(); i++) {
            CrashBackups.assertHolds(source, backups.get(i), states.get(i));
        }
        State next = states.getLast().later(seed + 4);
        CommittedBackup after = CrashBackups.backUp(source, Optional.of(backups.getLast()), next);
        ProtectedSource again = CrashBackups.open(store, seed + 5);
        assertThat(again.backups()).hasSize(backups.size() + 1);
        assertThat(again.records().missing()).isEmpty();
        CrashBackups.assertHolds(again, after, next);
    }

    @Test
    void noSegmentThatWasAcknowledgedIsMissingAfterACrashAtAnyCall() {
        long calls = archive(SEED, Long.MAX_VALUE);
        for (long call = 1; call <= calls; call++) {
            archive(SEED * 10_000 + call, call);
        }
    }

    private static long archive(long seed, long crashAt) {
        ObjectStore sound = MemoryStore.create();
        CrashBackups.create(sound, seed).sourceOrAdd("orders");
        FaultyStore failing = FaultyStore.of(sound, Faults.NONE, seed);
        if (crashAt != Long.MAX_VALUE) {
            failing.crashAt(crashAt);
        }
        List<byte[]> contents = new ArrayList<>();
        Random random = new Random(seed);
        for (int i = 0; i < 4; i++) {
            byte[] content = new byte[MIB];
            random.nextBytes(content);
            contents.add(content);
        }
        int acknowledged = 0;
        try {
            WalArchive archive = CrashBackups.open(failing, seed + 1).wal(SYSTEM, 1);
            while (acknowledged < contents.size()) {
                archive.putPart(segment(acknowledged), 0, new byte[] {1, 2, 3});
                archive.put(segment(acknowledged), contents.get(acknowledged));
                acknowledged++;
            }
        } catch (SimulatedCrash died) {
            assertThat(crashAt).as("%s", died).isLessThan(Long.MAX_VALUE);
        }
        long calls = failing.calls();
        if (crashAt != Long.MAX_VALUE) {
            failing.reopen();
        }
        WalArchive archive = CrashBackups.open(sound, seed + 2).wal(SYSTEM, 1);
        for (int i = 0; i < acknowledged; i++) {
            assertThat(archive.get(segment(i))).as("segment %d", i).hasValue(contents.get(i));
        }
        for (int i = acknowledged; i < contents.size(); i++) {
            archive.put(segment(i), contents.get(i)); // the sender sends again
            assertThat(archive.get(segment(i))).as("segment %d", i).hasValue(contents.get(i));
        }
        return calls;
    }

    private static WalSegment segment(int number) {
        return WalSegment.containing(TimelineId.of(1), Lsn.of((16L + number) * MIB), MIB);
    }
}
