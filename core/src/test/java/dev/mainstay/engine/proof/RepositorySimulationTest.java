package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Many simulated days of everything that writes, expires, prunes and copies ([SimulatedWorld]):
/// what is listed can be restored at every moment, and in the end nothing is left that nothing
/// needs.
///
/// `-Dmainstay.simulation.days=N` runs that many, 250 in a world; `-Dseed=S` begins with that seed.
/// A seed replays exactly.
class RepositorySimulationTest {
    private static final int DAYS = Integer.getInteger("mainstay.simulation.days", 100);
    private static final int DAYS_OF_A_WORLD = 250;
    private static final int SEASON = 25;

    /// In a hundred days of it everything happens that is looked for.
    private static final long SEED = Long.getLong("seed", 4);

    static SimulatedWorld run(long seed, int days) {
        SimulatedWorld world = new SimulatedWorld(seed);
        List<Double> requests = new ArrayList<>();
        try {
            for (int day = 0; day < days; day += SEASON) {
                world.season(Duration.ofDays(Math.min(SEASON, days - day)));
                requests.add(world.requestsForAnObject());
            }
        } catch (RuntimeException | AssertionError failed) {
            throw new AssertionError("seed " + seed + ": " + failed.getMessage(), failed);
        }
        assertThat(requests)
                .as("seed %d: requests for each object there is", seed)
                .allMatch(each -> each < 12);
        return world;
    }

    @Test
    void whatIsListedIsWholeAndNothingElseIsLeft() {
        long seed = SEED;
        for (int day = 0; day < DAYS; day += DAYS_OF_A_WORLD) {
            int days = Math.min(DAYS_OF_A_WORLD, DAYS - day);
            SimulatedWorld world = run(seed, days);
            SimulationTrace trace = world.trace();
            System.out.printf(
                    "seed %d, %d days: %s, %.1f requests for an object%n",
                    seed, days, trace, world.requestsForAnObject());
            for (String happened :
                    List.of(
                            "committed",
                            "expired",
                            "packs removed",
                            "packs compacted",
                            "segments freed",
                            "copied",
                            "killed",
                            "faults",
                            "restored")) {
                assertThat(trace.of(happened)).as(happened).isPositive();
            }
            seed++;
        }
    }

    @Test
    void aSeedReplaysExactly() {
        long seed = SEED + 1000;
        SimulationTrace once = run(seed, 6).trace();
        SimulationTrace again = run(seed, 6).trace();
        assertThat(again.toString()).isEqualTo(once.toString());
        assertThat(again.digest()).isEqualTo(once.digest());
    }
}
