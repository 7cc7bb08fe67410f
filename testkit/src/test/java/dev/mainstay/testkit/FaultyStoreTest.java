package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.MeteredStore;
import dev.mainstay.storage.wrap.RetryingStore;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.time.Duration;

final class FaultyStoreTest {
    private static final RetryingStore.Patience QUICK =
            new RetryingStore.Patience(Duration.ofNanos(1000), Duration.ofNanos(2000), 50);

    private final MemoryStore memory = MemoryStore.create();

    private FaultyStore faulty(Faults faults) {
        return FaultyStore.of(memory, faults, 42);
    }

    private static ByteBuffer content() {
        return ByteBuffer.wrap(new byte[100]);
    }

    private static void fails(ErrorCode code, Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failure -> assertThat(failure.code()).isEqualTo(code));
    }

    @Test
    void anErrorBeforeLeavesNothing() {
        FaultyStore store = faulty(Faults.NONE.withErrorBefore(1));
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.put("a", content()));
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.size("a"));
        assertThat(memory.size("a")).isEmpty();
    }

    @Test
    void anErrorAfterLeavesTheObject() {
        FaultyStore store = faulty(Faults.NONE.withErrorAfter(1));
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.put("a", content()));
        assertThat(memory.size("a")).contains(100L);
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.delete("a"));
        assertThat(memory.size("a")).isEmpty();
    }

    @Test
    void aTornPutLeavesLess() {
        FaultyStore store = faulty(Faults.NONE.withTornPut(1));
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.put("a", content()));
        assertThat(memory.size("a").orElseThrow()).isLessThan(100L);
    }

    @Test
    void aLyingStoreLosesWhatItAcknowledged() {
        FaultyStore store = faulty(Faults.NONE.withLostPut(1));
        assertThat(store.put("a", content())).isEqualTo(PutOutcome.CREATED);
        assertThat(store.size("a")).contains(100L);
        assertThat(store.reopen()).containsExactly("a");
        assertThat(store.size("a")).isEmpty();
    }

    @Test
    void aHostCrashLosesSomePutsThatNeverReturnedAndNoneThatDid() {
        FaultyStore store = faulty(Faults.NONE.withErrorAfter(0.5));
        int returned = 0;
        for (int i = 0; i < 100; i++) {
            try {
                store.put("a" + i, content());
                returned++;
            } catch (MainstayException unknown) {
                assertThat(unknown.code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE);
            }
        }
        int lost = store.reopen().size();
        assertThat(lost).isBetween(1, 100 - returned - 1);
        assertThat(memory.list("", "", 200).objects()).hasSize(100 - lost);
    }

    @Test
    void aFlippedBitIsReadButNotStored() {
        memory.put("a", content());
        FaultyStore store = faulty(Faults.NONE.withBitFlip(1));
        assertThat(store.get("a", 0, 100)).isNotEqualTo(new byte[100]);
        assertThat(memory.get("a", 0, 100)).isEqualTo(new byte[100]);
    }

    @Test
    void aStaleListLacksTheLatestPuts() {
        memory.put("old", content());
        FaultyStore store = faulty(Faults.NONE.withStaleList(1));
        store.put("new", content());
        assertThat(store.list("", "", 5).objects()).extracting(o -> o.name()).containsOnly("old");
    }

    @Test
    void aRefusedDeleteKeepsTheObject() {
        memory.put("a", content());
        assertThat(faulty(Faults.NONE.withRefusedDelete(1)).delete("a"))
                .isEqualTo(DeleteOutcome.REFUSED);
        assertThat(memory.size("a")).isPresent();
    }

    @Test
    void aDiskFillsUp() {
        FaultyStore store = faulty(Faults.NONE.withCapacityBytes(250));
        store.put("a", content());
        store.put("b", content());
        fails(ErrorCode.STORE_FULL, () -> store.put("c", content()));
        assertThat(memory.size("c")).isEmpty();
    }

    @Test
    void afterTheCrashEveryCallFailsUntilTheStoreIsReopened() {
        FaultyStore store = faulty(Faults.NONE);
        store.crashAt(2);
        store.put("a", content());
        assertThatThrownBy(() -> store.size("a")).isInstanceOf(SimulatedCrash.class);
        assertThatThrownBy(() -> store.get("a", 0, 1)).isInstanceOf(SimulatedCrash.class);
        store.reopen();
        assertThat(store.size("a")).contains(100L);
    }

    @Test
    void damageOnPurposeStays() {
        FaultyStore store = faulty(Faults.NONE);
        store.put("a", content());
        store.flipBit("a", 7);
        assertThat(memory.get("a", 0, 100)).isNotEqualTo(new byte[100]);
        store.truncate("a", 5);
        assertThat(memory.size("a")).contains(5L);
        store.lose("a");
        assertThat(memory.size("a")).isEmpty();
    }

    @Test
    void retriesHideAnUnreliableStore() {
        FaultyStore unreliable = faulty(Faults.NONE.withErrorBefore(0.3).withErrorAfter(0.3));
        RetryingStore store = RetryingStore.of(unreliable, QUICK);
        for (int i = 0; i < 100; i++) {
            assertThat(store.put("a" + i, content())).isEqualTo(PutOutcome.CREATED);
            assertThat(store.get("a" + i, 0, 100)).isEqualTo(new byte[100]);
        }
    }

    @Test
    void anothersObjectIsNotTakenForOurs() {
        memory.put("a", ByteBuffer.wrap(new byte[] {1}));
        FaultyStore unreliable = faulty(Faults.NONE.withErrorBefore(0.2).withErrorAfter(0.2));
        RetryingStore store = RetryingStore.of(unreliable, QUICK);
        for (int i = 0; i < 50; i++) {
            assertThat(store.put("a", ByteBuffer.wrap(new byte[] {2})))
                    .isEqualTo(PutOutcome.EXISTED);
        }
    }

    @Test
    void onlyAnUnavailableStoreIsAskedAgain() {
        MeteredStore metered =
                MeteredStore.of(FaultyStore.of(memory, Faults.NONE.withCapacityBytes(0), 1));
        RetryingStore store = RetryingStore.of(metered, QUICK);
        fails(ErrorCode.STORE_FULL, () -> store.put("a", content()));
        fails(ErrorCode.STORE_OBJECT_MISSING, () -> store.get("a", 0, 1));
        assertThat(metered.counts()).isEqualTo(new MeteredStore.Counts(1, 0, 1, 0, 0, 0, 0, 2));
    }

    @Test
    void patienceEnds() {
        MeteredStore metered = MeteredStore.of(faulty(Faults.NONE.withErrorBefore(1)));
        RetryingStore store = RetryingStore.of(metered, QUICK);
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.size("a"));
        assertThat(metered.counts().sizes()).isEqualTo(50);
    }
}
