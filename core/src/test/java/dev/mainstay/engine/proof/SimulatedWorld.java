package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.engine.retention.WalRetention;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.CompactionRule;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.PackUsage;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.Throttle;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// A repository with two sources and a copy, on which three hosts back up, two collectors prune,
/// and archivers, an expiry and a copier work for months: each of them dies, pauses for seconds or
/// days, has a clock that is wrong or jumps, and a store that fails.
///
/// What is promised is looked at between any two steps; at the end of each season everybody
/// finishes, and what two runs of a collector leave is looked at as well.
final class SimulatedWorld {
    private static final int LOOK_EVERY = 1000;

    /// Whatever clocks said.
    private static final Duration LONG_AGO = Duration.ofDays(-900);

    private static final Duration EVER = Duration.ofDays(36_500);

    private final ObjectStore store = MemoryStore.create();
    private final ObjectStore copy = MemoryStore.create();
    private final Random random;
    private final Stage stage;
    private final SimulationTrace trace = new SimulationTrace();
    private final List<SimulatedSource> sources;
    private final boolean walDays;
    private Instant seasonEnds;
    private boolean copied;
    private double requestsForAnObject;

    SimulatedWorld(long seed) {
        this.random = new Random(seed);
        Instant begin = Instant.parse("2026-11-21T04:15:00Z");
        this.seasonEnds = begin;
        this.stage = new Stage(random, begin);
        this.walDays = seed % 2 == 0;
        this.sources =
                List.of(
                        new SimulatedSource("orders", 1, random, trace),
                        new SimulatedSource("invoices", 2, random, trace));
        Repository repository = Repository.create(store, Optional.empty(), ground(0));
        sources.forEach(source -> repository.sourceOrAdd(source.name()));
    }

    SimulationTrace trace() {
        return trace;
    }

    /// How many requests a collector that finds nothing to do took for each object there is.
    double requestsForAnObject() {
        return requestsForAnObject;
    }

    private Ground ground(long skewSeconds) {
        long[] skew = {skewSeconds};
        return new Ground(
                () -> {
                    if (skewSeconds != 0 && random.nextInt(50) == 0) {
                        skew[0] = -skew[0] / 2; // it jumps
                    }
                    return stage.now().plusSeconds(skew[0]);
                },
                random,
                Runnable::run);
    }

    void season(Duration length) {
        seasonEnds = stage.now().plus(length);
        SimulatedSource orders = sources.getFirst();
        SimulatedSource invoices = sources.getLast();
        player(30, on -> orders.backUp(open(on, orders)));
        player(30, on -> orders.backUp(open(on, orders)));
        player(24, on -> invoices.backUp(open(on, invoices)));
        player(10, on -> orders.archive(open(on, orders)));
        player(16, on -> invoices.archive(open(on, invoices)));
        player(24, this::expire);
        player(20, this::prune);
        player(30, this::prune);
        player(40, this::copy);
        stage.play(this::look);
        demandTidy();
    }

    private interface Deed {
        void on(ObjectStore store);
    }

    /// Processes that do the same, one after the other.
    private void player(int hours, Deed deed) {
        stage.add(
                () -> {
                    while (stage.now().isBefore(seasonEnds)) {
                        stage.sleep(Duration.ofMinutes(1 + random.nextInt(hours * 120)));
                        run(deed);
                    }
                });
    }

    private void run(Deed deed) {
        int killAt = random.nextInt(4) == 0 ? 1 + random.nextInt(200) : 0;
        try {
            deed.on(new SimulatedProcess(store, stage, random, trace, killAt));
        } catch (HookedStore.Killed killed) {
            trace.count("killed");
        } catch (MainstayException failed) {
            if (failed.getCause() instanceof HookedStore.Killed) {
                trace.count("killed");
            } else {
                SimulatedSource.demand(
                        failed, ErrorCode.STORE_UNAVAILABLE, ErrorCode.COPY_UNSETTLED);
                trace.count("failed: " + failed.code());
            }
        }
    }

    private Repository repository(ObjectStore on) {
        long[] skews = {0, 0, 0, 0, 0, 0, 3600, -3600, 86_400, -400 * 86_400L, 400 * 86_400L};
        return Repository.open(on, Optional.empty(), ground(skews[random.nextInt(skews.length)]));
    }

    private ProtectedSource open(ObjectStore on, SimulatedSource source) {
        return repository(on).source(source.name()).orElseThrow();
    }

    private RetentionPolicy policy(int newest) {
        return walDays ? RetentionSample.newestAndWal(newest, 5) : RetentionSample.newest(newest);
    }

    private void expire(ObjectStore on) {
        ProtectedSource source = open(on, sources.get(random.nextInt(2)));
        List<CommittedBackup> listed = source.backups();
        try {
            switch (random.nextInt(5)) {
                case 0 -> {
                    if (!listed.isEmpty()) {
                        source.hold(listed.get(random.nextInt(listed.size())).id(), "wanted");
                    }
                }
                case 1 -> source.records().holds().keySet().forEach(source::release);
                default -> {
                    SourceExpiry expiry =
                            new SourceExpiry(
                                    source,
                                    policy(1 + random.nextInt(4)),
                                    source.repository().ground().clock().instant());
                    trace.count("expired", expiry.run(expiry.plan()).removed().size());
                }
            }
        } catch (MainstayException raced) {
            SimulatedSource.demand(raced, ErrorCode.BACKUP_UNKNOWN, ErrorCode.STORE_UNAVAILABLE);
        }
    }

    private void prune(ObjectStore on) {
        Repository repository = repository(on);
        Duration patience =
                switch (random.nextInt(4)) {
                    case 0 -> Duration.ofHours(2);
                    case 1 -> Duration.ofDays(7);
                    default -> EVER;
                };
        CompactionRule rule = random.nextInt(3) > 0 ? ThinRepository.HALF : CompactionRule.NONE;
        Prune.Report report = pruning(repository, patience, rule).run();
        trace.count("packs compacted", report.compacted().packs().count());
        trace.count("packs removed", report.removed().count());
        trace.count("packs waited", report.waiting().count());
        trace.count("given up", report.givenUp().size());
        trace.count("segments freed", report.wal().freed());
        trace.count("segments waited", report.wal().waiting());
    }

    private Prune pruning(Repository repository, Duration patience, CompactionRule rule) {
        Instant now = repository.ground().clock().instant();
        WalRetention wal = new WalRetention(_ -> Optional.of(policy(1)), now);
        return new Prune(repository, patience, random.nextBoolean(), wal, rule, _ -> {});
    }

    private void copy(ObjectStore on) {
        Repository from = repository(on);
        ObjectStore to = new SimulatedProcess(copy, stage, random, trace, 0);
        new RepositoryCopy(from, to, Throttle.of(Optional.empty()), 0, _ -> {}).run();
        copied = true;
        trace.count("copied");
    }

    private void look() {
        if (stage.steps() % LOOK_EVERY == 0) {
            demandWhole(store, true);
        } else if (copied && stage.steps() % (4 * LOOK_EVERY) == 1) {
            demandWhole(copy, false);
        }
    }

    /// Every listed backup restores, with the WAL that makes it consistent; and what is gone of the
    /// log is never taken for its end.
    private void demandWhole(ObjectStore on, boolean all) {
        Repository repository = Repository.open(on, Optional.empty(), ground(0));
        for (SimulatedSource each : sources) {
            ProtectedSource source = repository.source(each.name()).orElseThrow();
            WalArchive archive = each.log().archive(source);
            for (CommittedBackup backup : source.backups()) {
                assertThat(SampleRepository.restore(source, backup))
                        .as("backup %s of %s", backup.id(), each.name())
                        .containsExactlyInAnyOrderEntriesOf(each.content(backup.id()));
                WalSegment needed = BackupDetails.read(backup.details()).startSegment();
                assertThat(archive.has(needed))
                        .as("WAL %s of backup %s", needed, backup.id())
                        .isTrue();
                trace.count("restored");
            }
            if (all) {
                demandAccounted(each, source, archive);
            }
        }
    }

    private static void demandAccounted(
            SimulatedSource each, ProtectedSource source, WalArchive archive) {
        long newest =
                source.backups().stream()
                        .mapToLong(
                                backup ->
                                        BackupDetails.read(backup.details())
                                                .startSegment()
                                                .number())
                        .max()
                        .orElse(0);
        for (int number : each.log().stored()) {
            WalSegment segment = SimulatedLog.segment(number);
            if (!archive.has(segment)) {
                assertThat(archive.isFreed(segment)).as("%s is on record", segment).isTrue();
                assertThat(number).as("freed, after the newest backup").isLessThan((int) newest);
            }
        }
    }

    /// Two runs that give up what does not end leave nothing that nothing needs, and a third one
    /// asks for no more than there is.
    private void demandTidy() {
        finishExpiry();
        for (int i = 0; i < 2; i++) {
            Prune.Report report =
                    pruning(
                                    Repository.open(store, Optional.empty(), ground(0)),
                                    LONG_AGO,
                                    CompactionRule.NONE)
                            .run();
            // In a world whose backups hang, all of it waits for the end of the season.
            trace.count("segments freed", report.wal().freed());
        }
        demandWhole(store, true);
        for (String left : List.of("gc/", "intents/", "progress/")) {
            assertThat(store.list(left, "", 10).objects()).as(left).isEmpty();
        }
        HookedStore metered = new HookedStore(store);
        Repository repository = Repository.open(metered, Optional.empty(), ground(0));
        Prune.Report plan = pruning(repository, Duration.ZERO, CompactionRule.NONE).plan();
        long objects = store.list("", "", 1_000_000).objects().size();
        requestsForAnObject = (double) metered.calls() / objects;
        assertThat(plan.removed().count() + plan.waiting().count() + plan.refused().count())
                .isZero();
        assertThat(plan.wal().freed() + plan.wal().waiting()).isZero();
        demandNothingUnneeded();
        trace.count("seasons");
    }

    /// Slots that killed expiries left: they count as long as they are there.
    private void finishExpiry() {
        Repository repository = Repository.open(store, Optional.empty(), ground(0));
        for (ProtectedSource source : repository.sources()) {
            SourceExpiry expiry =
                    new SourceExpiry(source, RetentionPolicy.everything(), stage.now());
            assertThat(expiry.run(expiry.plan()).refused()).isEmpty();
        }
    }

    /// Told by other means than a collector's.
    private void demandNothingUnneeded() {
        Repository repository = Repository.open(store, Optional.empty(), ground(0));
        List<ProtectedSource> all = repository.sources();
        List<PackUsage> usages =
                all.stream().map(source -> PackUsage.read(source, source.backups())).toList();
        for (StoredObject object : store.list("moved/", "", 1_000_000).objects()) {
            String place = object.name().substring(object.name().lastIndexOf('/') + 1);
            String pack = place.substring(0, 64);
            assertThat(store.list("packs/", "", 1_000_000).objects())
                    .as(object.name())
                    .anyMatch(each -> each.name().endsWith(pack));
        }
        for (StoredObject object : store.list("packs/", "", 1_000_000).objects()) {
            String name = object.name();
            PackId pack = PackId.parse(name.substring(name.lastIndexOf('/') + 1));
            // Packs of files may be there for chunks that an index piece names alone.
            if (!name.startsWith("packs/files/")) {
                assertThat(usages).as(name).anyMatch(usage -> usage.needs(pack));
            }
        }
        long listed = all.stream().mapToLong(source -> source.backups().size()).sum();
        assertThat(store.list("index/", "", 1_000_000).objects())
                .hasSizeLessThanOrEqualTo((int) listed);
    }
}
