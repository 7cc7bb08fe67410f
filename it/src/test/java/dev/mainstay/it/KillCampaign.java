package dev.mainstay.it;

import dev.mainstay.testkit.Versions;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/// How many points there are to kill at, and what became of them.
///
/// `-Dmainstay.it.kills=100` says how many in all, `-Dmainstay.it.seed=N` chooses others.
final class KillCampaign {
    private static final int KILLS = Integer.getInteger("mainstay.it.kills", 6);
    private static final long SEED = Long.getLong("mainstay.it.seed", 20261121);

    /// A cluster costs more than a few points.
    private static final int LEAST_ON_A_VERSION = 6;

    /// What is killed.
    enum Subject {
        BACKUP(0),
        RECEIVER(1),
        RESTORE(2);

        private final int number;

        Subject(int number) {
            this.number = number;
        }

        /// The points of all three come to what was asked for.
        int points() {
            return (KILLS + values().length - 1 - number) / values().length;
        }
    }

    /// A part of the campaign, on one cluster.
    record Round(Subject subject, int major, int points, long seed) {
        Random random() {
            return new Random(seed);
        }

        @Override
        public String toString() {
            return points + " points on PostgreSQL " + major + ", seed " + seed;
        }
    }

    private final Round round;
    private final Map<String, Integer> kills = new TreeMap<>();

    KillCampaign(Round round) {
        this.round = round;
    }

    /// Spread over the selected versions, as far as each gets enough of them.
    static List<Round> rounds(Subject subject) {
        int points = subject.points();
        List<Integer> majors = Versions.selected();
        int used = Math.clamp(points / LEAST_ON_A_VERSION, 1, majors.size());
        List<Round> rounds = new ArrayList<>();
        for (int i = 0; i < used && points > 0; i++) {
            int index = Math.floorMod(SEED + subject.number + i, majors.size());
            int share = (points + used - 1 - i) / used;
            long seed = (SEED * Subject.values().length + subject.number) * 31 + i;
            rounds.add(new Round(subject, majors.get(index), share, seed));
        }
        return rounds;
    }

    /// One was killed, after this was seen of it.
    void killed(String phase) {
        kills.merge(phase, 1, Integer::sum);
    }

    int count() {
        return kills.values().stream().mapToInt(Integer::intValue).sum();
    }

    /// For the log of the tests: what was covered.
    void tell() {
        System.out.println(
                "killed "
                        + round.subject().name().toLowerCase(java.util.Locale.ROOT)
                        + " at "
                        + round
                        + " (mainstay.it.seed "
                        + SEED
                        + "), the last thing seen of it: "
                        + kills);
    }
}
