package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.BegunBackup;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.CompactionRule;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.UnneededWal;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Several hosts back up, expire, hold, go on from what others left, and prune, all at once on one
/// store; any of them may sleep for long between two calls, or be killed at one. Whatever is listed
/// can be restored at every moment, and in the end nothing is left that nothing refers to.
///
/// `-Dmainstay.prune.seeds=N` runs that many instead of a few, `-Dmainstay.prune.first=S` from S
/// on.
class PruneSimulationTest {
    private static final int BLOCK = SampleRepository.BLOCK;
    private static final int LOOK_EVERY = 150;
    private static final Duration EVER = Duration.ofDays(3650);

    /// What happened, so that a test that never tries anything does not pass.
    private static final class Tally {
        final AtomicLong committed = new AtomicLong();
        final AtomicLong failed = new AtomicLong();
        final AtomicLong resumed = new AtomicLong();
        final AtomicLong killed = new AtomicLong();
        final AtomicLong expired = new AtomicLong();
        final AtomicLong removed = new AtomicLong();
        final AtomicLong waited = new AtomicLong();
        final AtomicLong givenUp = new AtomicLong();
        final AtomicLong compacted = new AtomicLong();
    }

    private final Tally tally = new Tally();

    @Test
    void whateverIsListedIsWholeAndNothingElseIsLeft() {
        long first = Long.getLong("mainstay.prune.first", 1);
        int seeds = Integer.getInteger("mainstay.prune.seeds", 10);
        for (long seed = first; seed < first + seeds; seed++) {
            try {
                new World(seed).run();
            } catch (RuntimeException | AssertionError failed) {
                throw new AssertionError("seed " + seed + ": " + failed.getMessage(), failed);
            }
        }
        System.out.printf(
                "%d committed, %d failed, %d resumed, %d killed, %d expired, %d packs removed, %d"
                        + " waited, %d given up, %d compacted%n",
                tally.committed.get(),
                tally.failed.get(),
                tally.resumed.get(),
                tally.killed.get(),
                tally.expired.get(),
                tally.removed.get(),
                tally.waited.get(),
                tally.givenUp.get(),
                tally.compacted.get());
        assertThat(tally.committed.get()).isGreaterThan(seeds * 5L);
        assertThat(tally.expired.get()).isGreaterThan(seeds);
        assertThat(tally.removed.get()).isGreaterThan(seeds * 5L);
        assertThat(tally.killed.get()).isPositive();
        assertThat(tally.waited.get()).isPositive();
        assertThat(tally.resumed.get()).isPositive();
        assertThat(tally.compacted.get()).isPositive();
    }

    private final class World {
        private final ObjectStore store = MemoryStore.create();
        private final Random random;
        private final Ground ground;
        private final Turns turns;
        private final Map<BackupId, Map<String, byte[]>> contents = new ConcurrentHashMap<>();
        private final Map<String, byte[]> data = new TreeMap<>();

        /// Nobody is killed, given up or taken over: then no backup may fail.
        private final boolean calm;

        World(long seed) {
            this.random = new Random(seed);
            AtomicLong seconds = new AtomicLong();
            Instant begin = Instant.parse("2026-11-21T04:15:00Z");
            this.ground =
                    new Ground(
                            () -> begin.plusSeconds(seconds.getAndIncrement()),
                            new Random(seed + 1));
            this.turns = new Turns(random);
            this.calm = seed % 4 == 0;
            Repository.create(store, Optional.empty(), ground).sourceOrAdd("orders");
            for (int i = 0; i < 4; i++) {
                data.put("base/5/" + (16384 + i), bytes(BLOCK * (3 + random.nextInt(20))));
                data.put("pg_xact/000" + i, bytes(200 + random.nextInt(4000)));
            }
        }

        private byte[] bytes(int length) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            return bytes;
        }

        private ProtectedSource open(ObjectStore on) {
            return Repository.open(on, Optional.empty(), ground).source("orders").orElseThrow();
        }

        void run() {
            for (int i = 0; i < 3; i++) {
                turns.add(() -> each(7, this::backUp));
            }
            turns.add(() -> each(16, this::expire));
            turns.add(() -> each(6, this::prune));
            turns.add(() -> each(6, this::prune));
            turns.play(
                    step -> {
                        if (step % LOOK_EVERY == 0) {
                            demandWhole();
                        }
                    });
            demandWhole();
            demandTidy();
        }

        private interface Deed {
            void on(ObjectStore store);
        }

        /// So many processes, one after the other.
        private void each(int times, Deed deed) {
            for (int i = 0; i < times; i++) {
                HookedStore process = new HookedStore(store);
                process.gate(turns::ask);
                if (!calm && random.nextInt(5) == 0) {
                    process.dieAt(1 + random.nextInt(120), random.nextBoolean());
                }
                try {
                    deed.on(process);
                } catch (HookedStore.Killed killed) {
                    tally.killed.incrementAndGet();
                }
            }
        }

        private Map<String, byte[]> change() {
            for (Map.Entry<String, byte[]> each : data.entrySet()) {
                if (random.nextInt(3) == 0) {
                    byte[] changed = each.getValue().clone();
                    for (int i = 0; i < 3; i++) {
                        changed[random.nextInt(changed.length)]++;
                    }
                    each.setValue(changed);
                }
            }
            return new TreeMap<>(data);
        }

        private void backUp(ObjectStore on) {
            ProtectedSource source = open(on);
            List<CommittedBackup> listed = source.backups();
            Optional<CommittedBackup> parent =
                    listed.isEmpty() || random.nextInt(4) == 0
                            ? Optional.empty()
                            : Optional.of(
                                    random.nextBoolean()
                                            ? listed.getLast()
                                            : listed.get(random.nextInt(listed.size())));
            List<BegunBackup> begun =
                    calm || random.nextBoolean()
                            ? List.of()
                            : source.begunBackups().stream()
                                    .filter(each -> each.takeOver(source))
                                    .toList();
            BackupOptions options =
                    new BackupOptions(
                                    parent.isPresent() ? "incremental" : "full",
                                    parent,
                                    1,
                                    ByteSize.of(9_000),
                                    new BackupOptions.FrameShape(4, 2, 256, 1024, 4096, 3, 50),
                                    1000)
                            .resuming(begun);
            Map<String, byte[]> content = change();
            try (BackupWriter writer = source.newBackup(options)) {
                try {
                    store(writer, content);
                    tally.resumed.addAndGet(writer.resumed().bytes() > 0 ? 1 : 0);
                    contents.put(writer.id(), content);
                    CommittedBackup done = writer.commit(SampleRepository.details(4).toJson());
                    assertThat(done.id()).isEqualTo(writer.id());
                    tally.committed.incrementAndGet();
                } catch (MainstayException failed) {
                    writer.abort();
                    tally.failed.incrementAndGet();
                    assertThat(calm).as("fails: %s", failed).isFalse();
                    assertThat(failed.code())
                            .isIn(ErrorCode.BACKUP_ABORTED, ErrorCode.STORE_OBJECT_MISSING);
                }
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
        }

        private void store(BackupWriter writer, Map<String, byte[]> content) throws IOException {
            writer.blockSize(BLOCK);
            writer.putDownProgress(() -> Json.object().put("some", "details"));
            try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                content.forEach(
                        (path, bytes) -> {
                            if (path.startsWith("base/")) {
                                turns.ask();
                                worker.pagedFile(
                                        SampleRepository.facts(path),
                                        bytes.length / BLOCK,
                                        (first, pages, into) -> {
                                            int got = Math.min(pages, bytes.length / BLOCK - first);
                                            System.arraycopy(
                                                    bytes, first * BLOCK, into, 0, got * BLOCK);
                                            return got;
                                        });
                            }
                        });
            }
            for (Map.Entry<String, byte[]> each : content.entrySet()) {
                if (!each.getKey().startsWith("base/")) {
                    turns.ask();
                    writer.file(
                            SampleRepository.facts(each.getKey()),
                            new ByteArrayInputStream(each.getValue()));
                }
            }
        }

        private void expire(ObjectStore on) {
            ProtectedSource source = open(on);
            List<CommittedBackup> listed = source.backups();
            try {
                switch (random.nextInt(4)) {
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
                                        ExpiryTest.newest(1 + random.nextInt(3) / 2),
                                        ExpiryTest.NOW);
                        tally.expired.addAndGet(expiry.run(expiry.plan()).removed().size());
                    }
                }
            } catch (MainstayException raced) {
                assertThat(raced.code()).isEqualTo(ErrorCode.BACKUP_UNKNOWN);
            }
        }

        private void prune(ObjectStore on) {
            Duration patience = calm || random.nextInt(4) > 0 ? EVER : Duration.ofSeconds(60);
            Prune.Report report = pruned(on, patience);
            tally.removed.addAndGet(report.removed().count());
            tally.waited.addAndGet(report.waiting().count());
            tally.givenUp.addAndGet(report.givenUp().size());
        }

        private Prune.Report pruned(ObjectStore on, Duration patience) {
            Repository repository = Repository.open(on, Optional.empty(), ground);
            Prune.Report report =
                    new Prune(
                                    repository,
                                    patience,
                                    random.nextBoolean(),
                                    UnneededWal.NONE,
                                    random.nextInt(3) > 0
                                            ? ThinRepository.HALF
                                            : CompactionRule.NONE,
                                    _ -> {})
                            .run();
            tally.compacted.addAndGet(report.compacted().packs().count());
            return report;
        }

        private void demandWhole() {
            ProtectedSource source = open(store);
            for (CommittedBackup each : source.backups()) {
                assertThat(SampleRepository.restore(source, each))
                        .as("backup %s", each.id())
                        .containsExactlyInAnyOrderEntriesOf(contents.get(each.id()));
            }
        }

        /// Two runs that give up what does not end remove everything that nothing refers to.
        private void demandTidy() {
            ProtectedSource source = open(store);
            source.records().holds().keySet().forEach(source::release);
            SourceExpiry expiry = new SourceExpiry(source, ExpiryTest.newest(1), ExpiryTest.NOW);
            expiry.run(expiry.plan());
            pruned(store, Duration.ZERO);
            pruned(store, Duration.ZERO);
            demandWhole();
            for (String left : List.of("gc/", "intents/", "progress/")) {
                assertThat(store.list(left, "", 10).objects()).as(left).isEmpty();
            }
            List<CommittedBackup> listed = source.backups();
            assertThat(listed).hasSizeLessThanOrEqualTo(1);
            assertThat(store.list("index/", "", 10).objects())
                    .hasSizeLessThanOrEqualTo(listed.size());
            Repository repository = Repository.open(store, Optional.empty(), ground);
            Prune.Report plan =
                    new Prune(repository, Duration.ZERO, false, UnneededWal.NONE, _ -> {}).plan();
            assertThat(plan.removed().count() + plan.waiting().count() + plan.refused().count())
                    .isZero();
        }
    }
}
