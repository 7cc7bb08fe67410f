package dev.mainstay.engine.retention;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.retention.RetentionPolicy.Kind;
import dev.mainstay.engine.retention.RetentionPolicy.Periods;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;

/// What must hold whatever backups, policies and clocks there are.
class RetentionPropertyTest {
    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
    private static final int ROUNDS = 400;
    private static final List<ZoneId> ZONES =
            List.of(
                    ZoneId.of("UTC"),
                    ZoneId.of("Europe/Berlin"),
                    ZoneId.of("Australia/Lord_Howe"),
                    ZoneId.of("America/St_Johns"));

    private final List<RetainedBackup> none = List.of();

    private static List<RetainedBackup> backups(Random random, boolean honest) {
        List<RetainedBackup> chain = new ArrayList<>();
        int count = 1 + random.nextInt(40);
        Instant time = NOW.minus(Duration.ofHours(count * 24L));
        for (int i = 0; i < count; i++) {
            time = time.plus(Duration.ofMinutes(random.nextInt(2 * 24 * 60)));
            time = time.isAfter(NOW) ? NOW : time;
            boolean jumped = !honest && random.nextInt(4) == 0;
            chain.add(
                    new RetainedBackup(
                            BackupId.of(NOW, new byte[] {0, 0, 0, (byte) i}),
                            SystemId.of(honest ? 1 : 1 + random.nextInt(2)),
                            TimelineId.of(1),
                            random.nextInt(3) > 0,
                            random.nextInt(6) > 0,
                            jumped ? Instant.ofEpochSecond(random.nextInt(2_000_000_000)) : time,
                            Lsn.of(1000L * i + 100),
                            Lsn.of(1000L * i + 500)));
        }
        return chain;
    }

    private static OptionalInt maybe(Random random, int most) {
        return random.nextBoolean() ? OptionalInt.of(random.nextInt(most)) : OptionalInt.empty();
    }

    private static RetentionPolicy policy(Random random, boolean maximum, boolean wal) {
        OptionalInt least = maybe(random, 5);
        return new RetentionPolicy(
                kind(random, maximum),
                kind(random, maximum),
                random.nextBoolean()
                        ? Periods.NONE
                        : new Periods(
                                random.nextInt(6),
                                random.nextInt(6),
                                random.nextInt(4),
                                random.nextInt(3),
                                random.nextInt(2)),
                least,
                maximum && random.nextBoolean()
                        ? OptionalInt.of(least.orElse(1) + random.nextInt(10))
                        : OptionalInt.empty(),
                wal ? maybe(random, 20) : OptionalInt.empty(),
                ZONES.get(random.nextInt(ZONES.size())));
    }

    private static Kind kind(Random random, boolean maximum) {
        return new Kind(
                maybe(random, 8),
                maybe(random, 30),
                maximum ? maybe(random, 8) : OptionalInt.empty());
    }

    private static RetentionRule.Outcome decide(
            List<RetainedBackup> chain,
            RetentionPolicy policy,
            Map<BackupId, List<String>> held,
            Instant now) {
        return new RetentionRule(chain, policy, Lineage.unknown(), now).decide(held);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 20261121})
    void whateverClocksSayTheNewestTheMinimumAndWhatIsHeldStay(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            String which = "seed " + seed + " round " + round;
            List<RetainedBackup> chain = backups(random, false);
            RetentionPolicy policy = policy(random, true, true);
            Instant now = NOW.plus(Duration.ofDays(random.nextInt(20_000) - 10_000));
            Map<BackupId, List<String>> held = new HashMap<>();
            chain.stream()
                    .filter(_ -> random.nextInt(5) == 0)
                    .forEach(each -> held.put(each.id(), List.of("held: test")));
            RetentionRule.Outcome outcome = decide(chain, policy, held, now);
            List<RetainedBackup> kept = outcome.kept();
            assertThat(kept).as(which).contains(chain.getLast());
            int least = Math.min(policy.minimum().orElse(0), chain.size());
            assertThat(kept)
                    .as(which)
                    .containsAll(chain.subList(chain.size() - least, chain.size()));
            for (RetainedBackup each : chain) {
                boolean newestWhole =
                        chain.reversed().stream()
                                .filter(RetainedBackup::complete)
                                .filter(other -> other.system().equals(each.system()))
                                .findFirst()
                                .filter(each::equals)
                                .isPresent();
                if (newestWhole || held.containsKey(each.id())) {
                    assertThat(kept).as(which).contains(each);
                }
            }
            assertThat(outcome.decisions()).as(which).noneMatch(each -> each.reasons().isEmpty());
            holdsTakeNobodysPlace(which, chain, policy, held, now, kept);
        }
    }

    private static void holdsTakeNobodysPlace(
            String which,
            List<RetainedBackup> chain,
            RetentionPolicy policy,
            Map<BackupId, List<String>> held,
            Instant now,
            List<RetainedBackup> kept) {
        List<RetainedBackup> without = decide(chain, policy, Map.of(), now).kept();
        assertThat(kept).as(which).containsAll(without);
        assertThat(kept)
                .as(which)
                .allMatch(each -> without.contains(each) || held.containsKey(each.id()));
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 20261122})
    void aBackupWhoseClockJumpedMakesNoneGoThatIsNewerInTheChain(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            List<RetainedBackup> chain = backups(random, true);
            RetentionPolicy policy = policy(random, true, true);
            List<RetainedBackup> kept = decide(chain, policy, Map.of(), NOW).kept();
            int which = random.nextInt(chain.size());
            List<RetainedBackup> jumped = new ArrayList<>(chain);
            RetainedBackup old = chain.get(which);
            jumped.set(
                    which,
                    new RetainedBackup(
                            old.id(),
                            old.system(),
                            old.timeline(),
                            old.incremental(),
                            old.complete(),
                            Instant.ofEpochSecond(random.nextInt(2_000_000_000)),
                            old.start(),
                            old.stop()));
            List<RetainedBackup> then = decide(jumped, policy, Map.of(), NOW).kept();
            for (RetainedBackup newer : chain.subList(which + 1, chain.size())) {
                if (kept.contains(newer) && !isWindowBegin(chain, policy, newer)) {
                    assertThat(then).as("seed %d round %d: %s", seed, round, newer).contains(newer);
                }
            }
        }
    }

    /// A later time makes the window begin with an older backup, which stays instead.
    private static boolean isWindowBegin(
            List<RetainedBackup> chain, RetentionPolicy policy, RetainedBackup backup) {
        return decide(chain, policy, Map.of(), NOW).decisions().stream()
                .filter(each -> each.backup().equals(backup))
                .flatMap(each -> each.reasons().stream())
                .anyMatch(reason -> reason.contains("begins with it"));
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 20261123})
    void removingTwiceRemovesNothingMore(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            boolean honest = random.nextBoolean();
            List<RetainedBackup> chain = backups(random, honest);
            RetentionPolicy policy = policy(random, honest, honest);
            List<RetainedBackup> kept = decide(chain, policy, Map.of(), NOW).kept();
            assertThat(decide(kept, policy, Map.of(), NOW).removed())
                    .as("seed %d round %d: %s", seed, round, policy)
                    .isEqualTo(none);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 20261124})
    void aStricterPolicyKeepsNoOther(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            List<RetainedBackup> chain = backups(random, random.nextBoolean());
            RetentionPolicy policy = policy(random, false, false);
            RetentionPolicy stricter =
                    new RetentionPolicy(
                            stricter(random, policy.full()),
                            stricter(random, policy.incremental()),
                            stricter(random, policy.periods()),
                            less(random, policy.minimum()),
                            policy.maximum(),
                            policy.walDays(),
                            policy.zone());
            if (policy.periods().speaks() == stricter.periods().speaks()) {
                assertThat(decide(chain, policy, Map.of(), NOW).kept())
                        .as("seed %d round %d: %s, then %s", seed, round, policy, stricter)
                        .containsAll(decide(chain, stricter, Map.of(), NOW).kept());
            }
        }
    }

    private static Kind stricter(Random random, Kind kind) {
        return new Kind(less(random, kind.count()), less(random, kind.days()), kind.maximum());
    }

    private static Periods stricter(Random random, Periods periods) {
        return new Periods(
                random.nextInt(periods.hourly() + 1),
                random.nextInt(periods.daily() + 1),
                random.nextInt(periods.weekly() + 1),
                random.nextInt(periods.monthly() + 1),
                random.nextInt(periods.yearly() + 1));
    }

    private static OptionalInt less(Random random, OptionalInt number) {
        return number.isPresent() ? OptionalInt.of(random.nextInt(number.getAsInt() + 1)) : number;
    }

    @ParameterizedTest
    @ValueSource(longs = {5, 20261125})
    void everySecondOfTheWindowIsCoveredByWhatStays(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            List<RetainedBackup> chain = backups(random, true);
            int days = random.nextInt(20);
            RetentionPolicy policy =
                    new RetentionPolicy(
                            new Kind(OptionalInt.of(1), OptionalInt.empty(), OptionalInt.of(1)),
                            new Kind(OptionalInt.of(0), OptionalInt.empty(), OptionalInt.empty()),
                            Periods.NONE,
                            OptionalInt.empty(),
                            OptionalInt.of(1),
                            OptionalInt.of(days),
                            ZoneId.of("UTC"));
            RetentionRule rule = new RetentionRule(chain, policy, Lineage.unknown(), NOW);
            RetentionRule.Outcome outcome = rule.decide(Map.of());
            RecoveryWindow window = rule.windows(outcome.kept(), (_, _) -> true).getFirst();
            Instant begin = NOW.minus(Duration.ofDays(days));
            boolean reached = !window.from().end().isAfter(begin);
            boolean isOldest = window.from().equals(chain.getFirst());
            boolean possible =
                    chain.stream().anyMatch(each -> each.complete() && !each.end().isAfter(begin));
            assertThat(possible ? reached : isOldest).as("seed %d round %d", seed, round).isTrue();
            assertThat(outcome.needs().getFirst().since()).isEqualTo(window.from().start());
        }
    }
}
