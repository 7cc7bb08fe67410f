package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;

import org.junit.jupiter.api.Test;

import java.util.Optional;
import java.util.Random;

class BackOffTest {
    private static final long MIB = 1 << 20;
    private static final long ANY = Long.MAX_VALUE;

    @Test
    void aServerThatFaresWellIsReadAtFullSpeed() {
        BackOff free = new BackOff(Optional.empty());
        BackOff limited = new BackOff(Optional.of(ByteSize.mib(50)));
        for (int i = 0; i < 100; i++) {
            assertThat(free.next(0.1, 300 * MIB)).isEqualTo(ANY);
            assertThat(limited.next(0.1, 50 * MIB)).isEqualTo(50 * MIB);
        }
        assertThat(free.isHeldBack()).isFalse();
        assertThat(limited.isHeldBack()).isFalse();
    }

    @Test
    void tooMuchHalvesWhatIsReadAndNotWhatIsAllowed() {
        BackOff rate = new BackOff(Optional.empty());
        assertThat(rate.next(1.5, 300 * MIB)).isEqualTo(150 * MIB);
        assertThat(rate.isHeldBack()).isTrue();
        assertThat(rate.next(1.01, 100 * MIB)).isEqualTo(50 * MIB);
        assertThat(rate.next(1, 50 * MIB)).as("neither too bad nor good").isEqualTo(50 * MIB);
        assertThat(rate.next(0.5, 50 * MIB)).isEqualTo(50 * MIB / 4 * 5);
    }

    @Test
    void anEndlessStrainLeavesAPaceAtWhichABackupEnds() {
        BackOff rate = new BackOff(Optional.empty());
        BackOff slow = new BackOff(Optional.of(ByteSize.of(64 << 10)));
        for (int i = 0; i < 100; i++) {
            rate.next(10, i % 3 == 0 ? 0 : 2 * MIB);
            assertThat(slow.next(10, 64 << 10)).isEqualTo(64 << 10);
        }
        assertThat(rate.next(10, MIB)).isEqualTo(BackOff.LEAST.bytes());
    }

    @Test
    void onceAllIsWellNothingHoldsItBackAnyMore() {
        for (Optional<ByteSize> most :
                java.util.List.of(Optional.<ByteSize>empty(), Optional.of(ByteSize.mib(80)))) {
            BackOff rate = new BackOff(most);
            rate.next(3, 2 * MIB);
            long before = 0;
            for (int i = 0; i < 200; i++) {
                long now = rate.next(0, MIB);
                assertThat(now).isGreaterThanOrEqualTo(before);
                before = now;
            }
            assertThat(before).isEqualTo(most.map(ByteSize::bytes).orElse(ANY));
            assertThat(rate.isHeldBack()).isFalse();
        }
    }

    @Test
    void whateverIsMeasuredTheRateStaysWithinItsBounds() {
        Random random = new Random(11);
        for (int run = 0; run < 200; run++) {
            Optional<ByteSize> most =
                    random.nextBoolean()
                            ? Optional.empty()
                            : Optional.of(ByteSize.of(1 + random.nextInt(1 << 30)));
            BackOff rate = new BackOff(most);
            long upper = most.map(ByteSize::bytes).orElse(ANY);
            long lower = Math.min(upper, BackOff.LEAST.bytes());
            for (int step = 0; step < 300; step++) {
                double strain = random.nextInt(4) == 0 ? 1e9 : random.nextDouble() * 2;
                assertThat(rate.next(strain, random.nextLong(0, ANY))).isBetween(lower, upper);
            }
        }
    }
}
