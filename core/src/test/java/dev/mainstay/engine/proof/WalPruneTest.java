package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.retention.ExpiryPlan;
import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.engine.retention.WalRetention;
import dev.mainstay.postgres.wal.SampleLog;
import dev.mainstay.repository.CommittedBackup;
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
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// WAL that nothing needs goes, is on record before it goes, and nothing else goes: killed at every
/// call, beside backups, pushes, copies and verifications at every call.
///
/// There are backups that begin in segments 4, 6 and 7, segments 4 to 8, and a part of 9.
class WalPruneTest {
    private static final Instant LATE = Instant.parse("2026-12-24T00:00:00Z");
    private static final Duration PATIENCE = Duration.ofDays(7);

    private final ObjectStore store = MemoryStore.create();
    private final SampleRepository sample = new SampleRepository(11, Optional.empty());
    private final List<byte[]> log = SampleLog.segments(7, 4, 6);

    WalPruneTest() throws IOException {
        sample.write(store);
        ProtectedSource source = open(store);
        source.release(source.backups().getFirst().id());
        sample.backUpAgain(source);
    }

    private static RetentionPolicy policy(String rules) {
        return new ConfigurationReader(Map.of())
                .parse(
                        "test",
                        """
                        repository: { url: file:///r, encryption: none }
                        retention: { full: { count: 0 }, incremental: { count: 0 }, %s }
                        sources: { orders: { postgres: { url: postgresql://h } } }
                        """
                                .formatted(rules),
                        Path.of("/"))
                .source("orders")
                .retention();
    }

    private static final RetentionPolicy NEWEST = policy("minimum: 1, wal: { days: 1 }");

    private ProtectedSource open(ObjectStore on) {
        return sample.open(on).source("orders").orElseThrow();
    }

    private ExpiryPlan plan(ObjectStore on) {
        return new SourceExpiry(open(on), NEWEST, LATE).plan();
    }

    private void expire(ObjectStore on) {
        SourceExpiry expiry = new SourceExpiry(open(on), NEWEST, LATE);
        expiry.run(expiry.plan());
    }

    private Prune pruning(ObjectStore on, Optional<RetentionPolicy> policy) {
        return pruning(on, policy, PATIENCE);
    }

    private Prune pruning(ObjectStore on, Optional<RetentionPolicy> policy, Duration patience) {
        return new Prune(
                sample.open(on), patience, false, new WalRetention(_ -> policy, LATE), _ -> {});
    }

    private Prune.Wal prune(ObjectStore on) {
        return pruning(on, Optional.of(NEWEST)).run().wal();
    }

    private static List<String> names(ObjectStore on, String prefix) {
        return on.list(prefix, "", 10_000).objects().stream()
                .map(StoredObject::name)
                .map(name -> name.substring(name.lastIndexOf('/') + 1))
                .toList();
    }

    private static WalSegment segment(long number) {
        return SampleLog.segment(number);
    }

    private static List<String> files(long... numbers) {
        return java.util.Arrays.stream(numbers).mapToObj(each -> segment(each).fileName()).toList();
    }

    private static List<String> segments(ObjectStore on) {
        return names(on, "wal/").stream().filter(WalSegment::isName).toList();
    }

    private WalArchive archive(ObjectStore on) {
        return open(on).wal(SampleRepository.SYSTEM, 1);
    }

    private List<VerifyReport.Finding> verified(ObjectStore on) {
        return new Verification(
                        sample.open(on), RepositoryCheck.Options.everything(), Progress.none())
                .run()
                .findings();
    }

    /// Backups restore, verification finds nothing, and what is gone of the log is on record.
    private void demandSound(ObjectStore on) {
        ProtectedSource source = open(on);
        for (CommittedBackup each : source.backups()) {
            assertThat(SampleRepository.restore(source, each))
                    .containsExactlyInAnyOrderEntriesOf(sample.content(each.id()));
        }
        assertThat(verified(on)).isEmpty();
        List<String> there = segments(on);
        for (long number = 4; number <= 8; number++) {
            if (!there.contains(segment(number).fileName())) {
                assertThat(archive(on).isFreed(segment(number))).as("segment %d", number).isTrue();
            }
        }
    }

    private static ErrorCode codeOf(Throwable failed) {
        return ((MainstayException) failed).code();
    }

    @Test
    void whatNothingNeedsGoesAndIsOnRecord(@TempDir Path folder) {
        assertThat(plan(store).freed())
                .singleElement()
                .satisfies(freed -> assertThat(freed.segments()).isEqualTo(3));
        expire(store);
        List<String> before = names(store, "");
        Prune.Report planned = pruning(store, Optional.of(NEWEST)).plan();
        assertThat(names(store, "")).isEqualTo(before);
        Prune.Report done = pruning(store, Optional.of(NEWEST)).run();
        assertThat(done).isEqualTo(planned);
        assertThat(done.wal().freed()).isEqualTo(3);
        assertThat(done.wal().size().bytes()).isPositive();
        assertThat(segments(store)).isEqualTo(files(7, 8));
        assertThat(names(store, "wal/")).contains("00000001.history");
        assertThat(names(store, "summaries/")).isEqualTo(files(7, 8));
        assertThat(names(store, "parts/")).hasSize(1);
        assertThat(names(store, "gc/")).isEmpty();
        demandSound(store);
        demandAnswers(folder);
        List<String> records = names(store, "records/");
        assertThat(prune(store).freed()).isZero();
        assertThat(names(store, "records/")).isEqualTo(records);
        assertThat(plan(store).before().getFirst().from().id())
                .isEqualTo(open(store).backups().getLast().id());
        assertThat(plan(store).freed()).isEmpty();
    }

    private void demandAnswers(Path folder) {
        WalGet get = new WalGet(open(store), SampleRepository.SYSTEM, SampleLog.SEGMENT, false);
        Path target = folder.resolve("target");
        assertThatThrownBy(() -> get.get(segment(5).fileName(), target))
                .satisfies(failed -> assertThat(codeOf(failed)).isEqualTo(ErrorCode.WAL_FREED));
        assertThatThrownBy(() -> get.getFresh(segment(5).fileName(), folder.resolve("fresh")))
                .satisfies(failed -> assertThat(codeOf(failed)).isEqualTo(ErrorCode.WAL_FREED));
        assertThat(get.get(segment(3).fileName(), target)).as("never stored").isFalse();
        assertThat(get.get(segment(9).fileName(), target)).as("not yet stored").isFalse();
        assertThat(get.get("00000002.history", target)).isFalse();
        assertThat(get.get(segment(7).fileName(), target)).isTrue();
    }

    @Test
    void whatWasNeverStoredIsNotCalledFreed() {
        store.delete(archive(store).objectName(segment(5)));
        store.delete(archive(store).summaryName(segment(5)));
        expire(store);
        assertThat(prune(store).freed()).isEqualTo(2);
        assertThat(archive(store).isFreed(segment(4))).isTrue();
        assertThat(archive(store).isFreed(segment(5))).isFalse();
        assertThat(archive(store).isFreed(segment(6))).isTrue();
    }

    @Test
    void aRecordThatCannotBeReadMaySayThatASegmentWasFreed() {
        expire(store);
        prune(store);
        String record = store.list("records/", "", 100).objects().getLast().name();
        store.delete(record);
        store.put(record, ByteBuffer.wrap(new byte[200]));
        assertThatThrownBy(() -> archive(store).isFreed(segment(5)))
                .isInstanceOf(MainstayException.class);
        assertThat(archive(store).isFreed(segment(9))).as("newer than all").isFalse();
    }

    @Test
    void whatMakesAHeldBackupConsistentStaysAndRealGapsAreFound() {
        ProtectedSource source = open(store);
        CommittedBackup held = source.backups().getFirst();
        source.hold(held.id(), "audit");
        expire(store);
        assertThat(prune(store).freed()).isEqualTo(2);
        assertThat(segments(store)).isEqualTo(files(4, 7, 8));
        demandSound(store);
        assertThat(plan(store).before().getFirst().from().id()).isNotEqualTo(held.id());
        ObjectStore gap = HookedStore.copy(store);
        gap.delete(archive(store).objectName(segment(8)));
        ObjectStore island = HookedStore.copy(store);
        island.delete(archive(store).objectName(segment(4)));
        assertThat(verified(island))
                .singleElement()
                .satisfies(
                        each -> {
                            assertThat(each.code()).isEqualTo(ErrorCode.WAL_GAP);
                            assertThat(each.backups()).containsExactly(held.id());
                        });
        ObjectStore middle = HookedStore.copy(store);
        middle.delete(archive(store).objectName(segment(7)));
        assertThat(verified(middle))
                .singleElement()
                .satisfies(each -> assertThat(each.code()).isEqualTo(ErrorCode.WAL_GAP));
    }

    @Test
    void nothingGoesWithoutAPolicyOrWhereTwoSourcesShareACluster() throws IOException {
        expire(store);
        assertThat(pruning(store, Optional.empty()).run().wal().freed()).isZero();
        Optional<RetentionPolicy> everything = Optional.of(RetentionPolicy.everything());
        assertThat(pruning(store, everything).run().wal().freed()).isZero();
        sample.backUpAgain(sample.open(store).sourceOrAdd("another"));
        assertThat(prune(store).freed()).isZero();
        assertThat(segments(store)).hasSize(5);
    }

    @Test
    void killedAtAnyCallTheNextOneFinishes() {
        expire(store);
        for (boolean happens : new boolean[] {false, true}) {
            boolean died = true;
            for (int call = 1; died; call++) {
                ObjectStore copy = HookedStore.copy(store);
                HookedStore hooked = new HookedStore(copy);
                hooked.dieAt(call, happens);
                died = dies(hooked);
                demandSound(copy);
                prune(copy);
                assertThat(segments(copy)).as("call %d", call).isEqualTo(files(7, 8));
                assertThat(names(copy, "summaries/")).isEqualTo(files(7, 8));
                assertThat(names(copy, "gc/")).as("call %d", call).isEmpty();
                demandSound(copy);
            }
        }
    }

    private boolean dies(ObjectStore on) {
        try {
            prune(on);
            return false;
        } catch (HookedStore.Killed killed) {
            return true;
        }
    }

    private interface Deed {
        void on(ObjectStore store) throws IOException;
    }

    /// Does something before each call of a prune, and looks whether all is well afterwards.
    private void amidAPrune(Deed deed) throws IOException {
        expire(store);
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore copy = HookedStore.copy(store);
            HookedStore slow = new HookedStore(copy);
            slow.at(call, () -> run(deed, copy));
            prune(slow);
            hooked = slow.wasHooked();
            demandSound(copy);
            finish(copy, call);
        }
    }

    /// Also gives up what did not end.
    private void finish(ObjectStore on, int call) {
        pruning(on, Optional.of(NEWEST), Duration.ZERO).run();
        assertThat(names(on, "gc/")).as("call %d", call).isEmpty();
        demandSound(on);
    }

    private static void run(Deed deed, ObjectStore on) {
        try {
            deed.on(on);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    @Test
    void twoAtOnceDoTheSame() throws IOException {
        amidAPrune(this::prune);
    }

    @Test
    void aSegmentThatIsPushedAgainAmidItDoesNoHarm() throws IOException {
        amidAPrune(this::pushAgain);
    }

    @Test
    void aVerificationAmidItFindsNothing() throws IOException {
        amidAPrune(on -> assertThat(verified(on)).isEmpty());
    }

    private void pushAgain(ObjectStore on) {
        archive(on).put(segment(4), log.get(0));
        archive(on).put(segment(5), log.get(1));
        archive(on).putSummary(segment(4), SampleLog.summary(segment(4), log.get(0)));
    }

    @Test
    void whatIsPushedAgainIsServedAndGoesAgain() {
        expire(store);
        prune(store);
        List<String> records = names(store, "records/");
        pushAgain(store);
        assertThat(archive(store).get(segment(5))).isPresent();
        demandSound(store);
        assertThat(prune(store).freed()).isEqualTo(2);
        assertThat(segments(store)).isEqualTo(files(7, 8));
        assertThat(names(store, "records/")).isEqualTo(records);
        demandSound(store);
    }

    /// One of a standby that is far behind begins in a segment that nothing else needs.
    @Test
    void aBackupOnOldWalAmidItIsWholeOrFails() throws IOException {
        int[] outcomes = new int[2];
        amidAPrune(on -> outcomes[backUpLate(on, on)]++);
        assertThat(outcomes).doesNotContain(0);
    }

    @Test
    void aPruneAmidABackupOnOldWalLeavesItWholeOrMakesItFail() {
        expire(store);
        int[] outcomes = new int[2];
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore copy = HookedStore.copy(store);
            HookedStore slow = new HookedStore(copy);
            slow.at(call, () -> prune(copy));
            outcomes[backUpLate(slow, copy)]++;
            hooked = slow.wasHooked();
            demandSound(copy);
            finish(copy, call);
        }
        assertThat(outcomes).doesNotContain(0);
    }

    /// What makes it consistent is there; but it would be the newest, and lead nowhere.
    @Test
    void aBackupBehindWhichWalWasFreedIsRefused() {
        ProtectedSource source = open(store);
        source.hold(source.backups().getFirst().id(), "wanted");
        expire(store);
        prune(store);
        assertThat(segments(store)).isEqualTo(files(4, 7, 8));
        assertThat(source.backups()).hasSize(2);
        assertThatThrownBy(() -> sample.backUpLate(open(store)))
                .satisfies(failed -> assertThat(codeOf(failed)).isEqualTo(ErrorCode.WAL_FREED));
        assertThat(open(store).backups()).hasSize(2);
        demandSound(store);
    }

    private int backUpLate(ObjectStore on, ObjectStore really) {
        try {
            CommittedBackup _ = sample.backUpLate(open(on));
            return 0;
        } catch (MainstayException failed) {
            assertThat(failed.code()).isEqualTo(ErrorCode.WAL_FREED);
            assertThat(open(really).backups()).hasSize(1);
            return 1;
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    @Test
    void whatTheStoreKeepsIsServedAndStaysClaimed() {
        expire(store);
        HookedStore locking = new HookedStore(store);
        locking.refuse("wal/");
        Prune.Wal wal = prune(locking);
        assertThat(wal.freed()).isZero();
        assertThat(wal.refused()).isEqualTo(3);
        assertThat(archive(store).get(segment(4))).isPresent();
        assertThat(names(store, "gc/")).hasSize(3);
        demandSound(store);
        assertThat(prune(store).freed()).isEqualTo(3);
        assertThat(names(store, "gc/")).isEmpty();
        demandSound(store);
    }

    private void copy(ObjectStore from, ObjectStore to) {
        new RepositoryCopy(sample.open(from), to, Throttle.of(Optional.empty()), 1, _ -> {}).run();
    }

    @Test
    void aCopyKeepsWhatIsFreedAndIsSound() {
        ObjectStore copy = MemoryStore.create();
        copy(store, copy);
        expire(store);
        prune(store);
        copy(store, copy);
        assertThat(segments(copy)).isEqualTo(files(4, 5, 6, 7, 8));
        assertThat(verified(copy)).isEmpty();
        assertThat(archive(copy).get(segment(5))).isPresent();
        ObjectStore fresh = MemoryStore.create();
        copy(store, fresh);
        assertThat(segments(fresh)).isEqualTo(files(7, 8));
        demandSound(fresh);
        expire(copy);
        assertThat(prune(copy).freed()).as("once it is the repository").isEqualTo(3);
        demandSound(copy);
    }

    @Test
    void aPruneAmidACopyLeavesTheCopySound() {
        expire(store);
        boolean hooked = true;
        for (int call = 1; hooked; call++) {
            ObjectStore from = HookedStore.copy(store);
            HookedStore slow = new HookedStore(from);
            slow.at(call, () -> prune(from));
            ObjectStore copy = MemoryStore.create();
            copy(slow, copy);
            hooked = slow.wasHooked();
            demandSound(copy);
        }
    }
}
