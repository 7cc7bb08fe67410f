package dev.mainstay.storage.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.storage.LockMode;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.Random;

class PlaceLockTest {
    private static final long SEED = 20261122;

    private final Random random = new Random(SEED);

    private PlaceLock anyLock() {
        int days = 1 + random.nextInt(400);
        return new PlaceLock(LockMode.GOVERNANCE, days, 1 + random.nextInt(days));
    }

    private Instant anyTime() {
        return Instant.ofEpochSecond(1_700_000_000L + random.nextInt(1_000_000_000));
    }

    @Test
    void aLockLastsItsDaysAndToTheEndOfThatGeneration() {
        for (int i = 0; i < 1000; i++) {
            PlaceLock lock = anyLock();
            Instant now = anyTime();
            Instant until = lock.at(now).until();
            Instant least = now.plus(Duration.ofDays(lock.days()));
            assertThat(until)
                    .as("seed %d: %s at %s", SEED, lock, now)
                    .isAfter(least)
                    .isBeforeOrEqualTo(
                            least.plus(Duration.ofDays(lock.generationDays())).plusSeconds(1));
            assertThat(until.getEpochSecond() % Duration.ofDays(lock.generationDays()).toSeconds())
                    .as("all that is locked within a generation ends together")
                    .isZero();
        }
    }

    @Test
    void whoExtendsOnceInAGenerationAlwaysHasWhatIsDemanded() {
        for (int i = 0; i < 1000; i++) {
            PlaceLock lock = anyLock();
            Instant extended = anyTime();
            Instant until = lock.at(extended).until();
            long generation = Duration.ofDays(lock.generationDays()).toSeconds();
            Instant next = extended.plusSeconds((long) (random.nextDouble() * generation));
            assertThat(until)
                    .as("seed %d: %s at %s, looked at %s", SEED, lock, extended, next)
                    .isAfterOrEqualTo(lock.demandedAt(next));
            Instant late = extended.plusSeconds(2 * generation + 1);
            assertThat(until)
                    .as("seed %d: %s at %s, looked at %s", SEED, lock, extended, late)
                    .isBefore(lock.demandedAt(late));
        }
    }

    @Test
    void aLockIsNoLongerThanItsGenerations() {
        assertThatThrownBy(() -> new PlaceLock(LockMode.COMPLIANCE, 7, 8))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new PlaceLock(LockMode.COMPLIANCE, 0, 1))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
