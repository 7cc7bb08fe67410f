package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.CopyLag;
import dev.mainstay.engine.retention.CopyKeep;
import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.engine.retention.RetentionPolicy.Kind;
import dev.mainstay.engine.retention.RetentionPolicy.Periods;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.engine.retention.SubsetRule;
import dev.mainstay.engine.retention.WalRetention;
import dev.mainstay.postgres.wal.SampleLog;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.CompactionRule;
import dev.mainstay.repository.CopySubset;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.Throttle;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/// A copy that holds some of the backups shows these and no others, each of them restores, and
/// nothing in it is a finding; whatever is done to the repository, to what is wanted and to whoever
/// copies.
class SubsetCopyTest {
    private static final int LOG = 40;
    private static final List<byte[]> SEGMENTS =
            SampleLog.segments(7, SampleRepository.FIRST_SEGMENT, LOG);
    private static final Instant BEGIN = Instant.parse("2026-11-22T03:00:00Z");
    private static final CopyKeep MONTHLY = new CopyKeep(Set.of("monthly"), OptionalInt.empty());
    private static final CopyKeep DAILY = new CopyKeep(Set.of("daily"), OptionalInt.empty());
    private static final CopyKeep YOUNG = new CopyKeep(Set.of(), OptionalInt.of(1));
    private static final RetentionPolicy POLICY =
            new RetentionPolicy(
                    Kind.UNSAID,
                    Kind.UNSAID,
                    new Periods(0, 7, 0, 12, 0),
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    OptionalInt.of(7),
                    ZoneOffset.UTC);

    private final ObjectStore store = MemoryStore.create();
    private final ObjectStore copy = MemoryStore.create();
    private final SampleRepository sample;
    private Instant now = BEGIN;
    private int stored = SampleRepository.SEGMENTS;

    SubsetCopyTest() throws IOException {
        sample = new SampleRepository(21, Optional.empty());
        sample.write(store);
        release();
    }

    private void release() {
        ProtectedSource source = source(store);
        source.records().holds().keySet().forEach(source::release);
    }

    private ProtectedSource source(ObjectStore at) {
        return sample.open(at).source("orders").orElseThrow();
    }

    private CopySubset subset(CopyKeep keep) {
        return new SubsetRule(keep, _ -> Optional.of(POLICY), now);
    }

    private RepositoryCopy copying(CopyKeep keep, ObjectStore to) {
        return new RepositoryCopy(
                sample.open(store),
                to,
                Optional.of(subset(keep)),
                Throttle.of(Optional.empty()),
                0,
                _ -> {});
    }

    private RepositoryCopy.Result copy(CopyKeep keep) {
        return copying(keep, copy).run();
    }

    /// One more segment, and a backup that lies in it.
    private CommittedBackup backUp(Duration later) throws IOException {
        now = now.plus(later);
        moreWal();
        ProtectedSource source = source(store);
        sample.change();
        Optional<CommittedBackup> parent = source.newestBackups().stream().findFirst();
        return sample.backUpAt(
                source,
                stored % 3 == 0 ? Optional.empty() : parent,
                now.minusSeconds(60),
                SampleRepository.FIRST_SEGMENT + stored - 1);
    }

    private void moreWal() {
        WalArchive archive = source(store).wal(SampleRepository.SYSTEM, 3);
        WalSegment segment = SampleLog.segment(SampleRepository.FIRST_SEGMENT + stored);
        archive.put(segment, SEGMENTS.get(stored));
        archive.putSummary(segment, SampleLog.summary(segment, SEGMENTS.get(stored)));
        archive.collectParts(segment);
        stored++;
    }

    private static Set<BackupId> ids(List<CommittedBackup> backups) {
        Set<BackupId> ids = new TreeSet<>();
        backups.forEach(each -> ids.add(each.id()));
        return ids;
    }

    private Set<BackupId> wanted(CopyKeep keep) {
        ProtectedSource source = source(store);
        CopySubset.Chosen chosen = subset(keep).choose(source, source.records());
        return ids(source.backups().stream().filter(chosen::wants).toList());
    }

    /// All that is listed restores, and nothing is amiss.
    private void demandSound(ObjectStore at) {
        if (sample.open(at).source("orders").isEmpty()) {
            return;
        }
        ProtectedSource source = source(at);
        Set<String> wal = new TreeSet<>(names(at, "wal/"));
        for (CommittedBackup each : source.backups()) {
            assertThat(SampleRepository.restore(source, each))
                    .containsExactlyInAnyOrderEntriesOf(sample.content(each.id()));
            long segment = SampleRepository.segmentOf(each);
            assertThat(wal).contains(SampleLog.segment(segment).fileName());
        }
        assertThat(findings(at)).isEmpty();
    }

    private List<VerifyReport.Finding> findings(ObjectStore at) {
        return new Verification(
                        sample.open(at), RepositoryCheck.Options.everything(), Progress.none())
                .run()
                .findings();
    }

    private void demandExactly(CopyKeep keep) {
        assertThat(ids(source(copy).backups())).isEqualTo(wanted(keep));
        demandSound(copy);
    }

    private static List<String> names(ObjectStore on, String prefix) {
        return on.list(prefix, "", 10_000).objects().stream()
                .map(StoredObject::name)
                .map(name -> name.substring(name.lastIndexOf('/') + 1))
                .toList();
    }

    private static long bytes(ObjectStore on, String prefix) {
        return on.list(prefix, "", 10_000).objects().stream()
                .mapToLong(StoredObject::sizeBytes)
                .sum();
    }

    @Test
    void aCopyOfTheMonthsHasTheNewestOfEachAndLetsTheFormerOneGo() throws IOException {
        backUp(Duration.ofDays(20));
        backUp(Duration.ofDays(1));
        CommittedBackup second = backUp(Duration.ofDays(1));
        Map<String, Amount> missing = copying(MONTHLY, copy).missing();
        RepositoryCopy.Result first = copy(MONTHLY);
        assertThat(first.copied().get("packs")).isEqualTo(missing.get("packs"));
        assertThat(first.copied().get("wal")).isEqualTo(missing.get("wal"));
        assertThat(first.damaged()).isEmpty();
        assertThat(first.partial().waiting()).isEmpty();
        demandExactly(MONTHLY);
        assertThat(source(copy).records().holds()).as("none had expired there").isEmpty();
        assertThat(source(copy).backups())
                .hasSize(2)
                .last()
                .extracting(CommittedBackup::id)
                .isEqualTo(second.id());
        assertThat(bytes(copy, "packs/")).isLessThan(bytes(store, "packs/"));
        assertThat(names(copy, "wal/").stream().filter(WalSegment::isName)).hasSize(2);
        assertThat(copying(MONTHLY, copy).missing()).as("all is there").isEmpty();
        assertThat(copy(MONTHLY).total().objects()).isZero();

        CommittedBackup third = backUp(Duration.ofDays(1));
        RepositoryCopy.Result next = copy(MONTHLY);
        assertThat(next.partial().fellOut()).isEqualTo(1);
        assertThat(next.partial().freedBytes()).isPositive();
        assertThat(source(copy).backups())
                .hasSize(2)
                .last()
                .extracting(CommittedBackup::id)
                .isEqualTo(third.id());
        demandExactly(MONTHLY);
        assertThat(names(copy, "intents/")).isEmpty();
        assertThat(names(copy, "gc/")).isEmpty();
    }

    @Test
    void aCopyOfTheLastDayHasAllWalSinceTheBackupBefore() throws IOException {
        backUp(Duration.ofDays(3));
        CommittedBackup before = backUp(Duration.ofDays(1));
        CommittedBackup last = backUp(Duration.ofHours(20));
        now = now.plus(Duration.ofHours(5));
        moreWal();
        copy(YOUNG);
        demandExactly(YOUNG);
        assertThat(ids(source(copy).backups())).containsExactly(before.id(), last.id());
        List<String> wal = names(copy, "wal/").stream().filter(WalSegment::isName).toList();
        assertThat(wal)
                .containsExactly(
                        SampleLog.segment(SampleRepository.segmentOf(before)).fileName(),
                        SampleLog.segment(SampleRepository.segmentOf(last)).fileName(),
                        SampleLog.segment(SampleRepository.segmentOf(last) + 1).fileName());
    }

    @Test
    void itsLagIsThatOfWhatItShouldHave() throws IOException {
        Instant late = Instant.parse("2031-01-01T00:00:00Z");
        assertThat(lag(MONTHLY, late)).isEmpty();
        copy(MONTHLY);
        assertThat(lag(MONTHLY, late)).hasValue(Duration.ZERO);
        moreWal();
        assertThat(lag(MONTHLY, late)).as("it is to have no such WAL").hasValue(Duration.ZERO);
        assertThat(lag(YOUNG, late).orElseThrow()).isPositive();
        CommittedBackup next = backUp(Duration.ofDays(10));
        assertThat(lag(MONTHLY, late)).hasValue(Duration.between(next.end(), late));
        copy(MONTHLY);
        assertThat(lag(MONTHLY, now)).hasValue(Duration.ZERO);
    }

    private Optional<Duration> lag(CopyKeep keep, Instant at) {
        return CopyLag.of(sample.open(store), copy, Optional.of(subset(keep)), at);
    }

    @Test
    void whatIsWantedAgainComesBackAndGoesAgain() throws IOException {
        backUp(Duration.ofDays(1));
        backUp(Duration.ofDays(1));
        copy(MONTHLY);
        assertThat(source(copy).backups()).hasSize(1);
        copy(DAILY);
        demandExactly(DAILY);
        assertThat(source(copy).backups()).hasSize(3);
        assertThat(source(copy).records().holds()).hasSize(2);
        copy(MONTHLY);
        demandExactly(MONTHLY);
        copy(DAILY);
        demandExactly(DAILY);
        CommittedBackup held = source(store).backups().getFirst();
        source(store).hold(held.id(), "audit");
        copy(MONTHLY);
        assertThat(ids(source(copy).backups())).contains(held.id());
        demandExactly(MONTHLY);
        source(store).release(held.id());
        copy(MONTHLY);
        demandExactly(MONTHLY);
        assertThat(source(copy).backups()).hasSize(1);
    }

    @Test
    void aBackupOfWhichAPackIsDamagedIsNamedAndNotShown() throws IOException {
        copy(MONTHLY);
        Set<String> before = new TreeSet<>(names(store, "packs/"));
        CommittedBackup broken = backUp(Duration.ofDays(1));
        String pack =
                store.list("packs/", "", 1000).objects().stream()
                        .map(StoredObject::name)
                        .filter(name -> !name.startsWith("packs/metadata"))
                        .filter(name -> !before.contains(name.substring(name.length() - 64)))
                        .findFirst()
                        .orElseThrow();
        byte[] whole = store.get(pack, 0, store.size(pack).orElseThrow().intValue());
        byte[] bad = whole.clone();
        bad[bad.length / 2] ^= 1;
        store.delete(pack);
        store.put(pack, ByteBuffer.wrap(bad));
        RepositoryCopy.Result result = copy(MONTHLY);
        assertThat(result.damaged())
                .extracting(RepositoryCopy.DamagedObject::name)
                .containsExactly(pack);
        assertThat(result.partial().waiting()).singleElement().asString().contains(pack);
        assertThat(ids(source(copy).backups())).doesNotContain(broken.id());
        demandSound(copy);
        store.delete(pack);
        store.put(pack, ByteBuffer.wrap(whole));
        copy(MONTHLY);
        demandExactly(MONTHLY);
    }

    @Test
    void aBackupWhoseWalIsNotStoredWaits() throws IOException {
        copy(MONTHLY);
        CommittedBackup backup = backUp(Duration.ofDays(1));
        WalArchive archive = source(store).wal(SampleRepository.SYSTEM, 1);
        WalSegment segment = SampleLog.segment(SampleRepository.segmentOf(backup));
        store.delete(archive.objectName(segment));
        assertThat(copy(MONTHLY).partial().waiting()).singleElement().asString().contains("WAL");
        assertThat(ids(source(copy).backups())).doesNotContain(backup.id());
        archive.put(segment, SEGMENTS.get(stored - 1));
        copy(MONTHLY);
        demandExactly(MONTHLY);
    }

    @Test
    void killedAtAnyCallWhatIsShownIsWholeAndTheNextRunFinishes() throws IOException {
        copy(MONTHLY);
        backUp(Duration.ofDays(10));
        backUp(Duration.ofDays(1));
        boolean died = true;
        for (int call = 1; died; call++) {
            ObjectStore there = HookedStore.copy(copy);
            HookedStore hooked = new HookedStore(there);
            hooked.dieAt(call, call % 2 == 0);
            died = dies(hooked);
            demandRestores(there);
            copying(MONTHLY, there).run();
            assertThat(ids(source(there).backups())).isEqualTo(wanted(MONTHLY));
            demandSound(there);
            assertThat(names(there, "gc/")).as("call %d", call).isEmpty();
        }
    }

    private boolean dies(ObjectStore there) {
        try {
            copying(MONTHLY, there).run();
            return false;
        } catch (HookedStore.Killed killed) {
            return true;
        } catch (MainstayException failed) {
            assertThat(failed).hasCauseInstanceOf(HookedStore.Killed.class);
            return true;
        }
    }

    private void demandRestores(ObjectStore at) {
        ProtectedSource source = source(at);
        Set<String> wal = new TreeSet<>(names(at, "wal/"));
        for (CommittedBackup each : source.backups()) {
            assertThat(SampleRepository.restore(source, each))
                    .containsExactlyInAnyOrderEntriesOf(sample.content(each.id()));
            assertThat(wal)
                    .contains(SampleLog.segment(SampleRepository.segmentOf(each)).fileName());
        }
    }

    /// Two at once that do not want the same: the second one runs whole before each call of the
    /// first.
    @Test
    void twoAtOnceHarmNoBackup() throws IOException {
        copy(DAILY);
        backUp(Duration.ofDays(1));
        backUp(Duration.ofDays(1));
        for (List<CopyKeep> pair : List.of(List.of(DAILY, MONTHLY), List.of(MONTHLY, DAILY))) {
            boolean hooked = true;
            for (int call = 1; hooked; call++) {
                ObjectStore there = HookedStore.copy(copy);
                HookedStore slow = new HookedStore(there);
                slow.at(call, () -> copying(pair.get(1), there).run());
                copying(pair.get(0), slow).run();
                hooked = slow.wasHooked();
                demandRestores(there);
                copying(DAILY, there).run();
                copying(DAILY, there).run();
                assertThat(ids(source(there).backups()))
                        .as("call %d", call)
                        .isEqualTo(wanted(DAILY));
                demandSound(there);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void whateverIsDoneAllThatIsListedRestores(long seed) throws IOException {
        Random random = new Random(seed);
        List<CopyKeep> keeps =
                List.of(MONTHLY, DAILY, YOUNG, new CopyKeep(Set.of("monthly"), OptionalInt.of(2)));
        List<String> deeds = new ArrayList<>();
        for (int step = 0; step < 40; step++) {
            int what = random.nextInt(8);
            deeds.add(what + " at " + now);
            switch (what) {
                case 0, 1 -> {
                    if (stored < LOG) {
                        backUp(Duration.ofHours(random.nextInt(24 * 20)));
                    }
                }
                case 2 -> {
                    SourceExpiry expiry = new SourceExpiry(source(store), POLICY, now);
                    expiry.run(expiry.plan());
                }
                case 3 ->
                        new Prune(
                                        sample.open(store),
                                        Duration.ZERO,
                                        false,
                                        new WalRetention(_ -> Optional.of(POLICY), now),
                                        new CompactionRule(
                                                90,
                                                ByteSize.of(0),
                                                Duration.ZERO,
                                                ByteSize.mib(64),
                                                ByteSize.of(30_000)),
                                        _ -> {})
                                .run();
                case 4 -> {
                    List<CommittedBackup> backups = source(store).backups();
                    CommittedBackup any = backups.get(random.nextInt(backups.size()));
                    if (source(store).records().holds().isEmpty()) {
                        source(store).hold(any.id(), "test");
                    } else {
                        release();
                    }
                }
                default -> {
                    CopyKeep keep = keeps.get(random.nextInt(keeps.size()));
                    RepositoryCopy.Result result = copy(keep);
                    assertThat(result.partial().waiting()).isEmpty();
                    assertThat(ids(source(copy).backups()))
                            .as("seed %d, %s", seed, deeds)
                            .isEqualTo(wanted(keep));
                    demandSound(copy);
                }
            }
        }
    }
}
