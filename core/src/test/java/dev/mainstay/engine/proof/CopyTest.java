package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.CopyLag;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.postgres.wal.SampleLog;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.Throttle;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// A copy holds what the repository holds, and whenever it is stopped every backup that it shows is
/// whole; killed at every call, beside writers and an expiry, with damage in its way.
class CopyTest {
    private final ObjectStore store = MemoryStore.create();
    private final ObjectStore copy = MemoryStore.create();
    private final SampleRepository sample;
    private List<String> unused = List.of();

    CopyTest() throws IOException {
        sample = new SampleRepository(11, Optional.empty());
        sample.write(store);
    }

    private RepositoryCopy.Result copyTo(ObjectStore to) {
        return new RepositoryCopy(sample.open(store), to, Throttle.of(Optional.empty()), 2, _ -> {})
                .run();
    }

    private static Map<String, byte[]> contents(ObjectStore store) {
        Map<String, byte[]> contents = new TreeMap<>();
        for (StoredObject object : store.list("", "", 10_000).objects()) {
            contents.put(object.name(), store.get(object.name(), 0, (int) object.sizeBytes()));
        }
        return contents;
    }

    private static byte[] bytes(ObjectStore store, String name) {
        return store.get(name, 0, store.size(name).orElseThrow().intValue());
    }

    private void demandSound(ObjectStore at) {
        assertThat(findings(at)).isEmpty();
    }

    private List<?> findings(ObjectStore at) {
        return new Verification(
                        sample.open(at), RepositoryCheck.Options.everything(), Progress.none())
                .run()
                .findings();
    }

    private void demandRestores(ObjectStore at) {
        ProtectedSource source = sample.open(at).source("orders").orElseThrow();
        assertThat(SampleRepository.restore(source, source.newestBackups().getFirst()))
                .containsExactlyInAnyOrderEntriesOf(sample.contents().getLast());
    }

    @Test
    void aCopyIsTheSameByteForByteAndASecondRunCopiesNothing() throws IOException {
        Map<String, Amount> missing =
                new RepositoryCopy(
                                sample.open(store), copy, Throttle.of(Optional.empty()), 2, _ -> {})
                        .missing();
        RepositoryCopy.Result first = copyTo(copy);
        assertThat(first.copied()).isEqualTo(missing);
        assertThat(first.damaged()).isEmpty();
        assertThat(contents(copy)).containsExactlyInAnyOrderEntriesOf(contents(store));
        demandSound(copy);
        demandRestores(copy);
        assertThat(copyTo(copy).total().objects()).isZero();
        sample.backUpAgain(sample.open(store).source("orders").orElseThrow());
        assertThat(copyTo(copy).total().objects()).isPositive();
        assertThat(contents(copy)).containsExactlyInAnyOrderEntriesOf(contents(store));
        demandSound(copy);
    }

    /// As a collector may leave it that slept while the backup was committed and removed.
    @Test
    void whatWasRemovedAndGivenUpSinceStaysInTheCopy() throws IOException {
        ProtectedSource source = sample.open(store).source("orders").orElseThrow();
        CommittedBackup oldest = source.backups().getFirst();
        source.release(oldest.id());
        sample.backUpAgain(source);
        copyTo(copy);
        byte[] commit = bytes(copy, "slots/" + source.id() + "/" + oldest.id());
        SourceExpiry expiry = new SourceExpiry(source, ExpiryTest.newest(1), ExpiryTest.NOW);
        assertThat(expiry.run(expiry.plan()).removed()).contains(oldest.id());
        assertThat(source.settle(oldest.id())).as("given up").isEmpty();
        assertThat(copyTo(copy).damaged()).isEmpty();
        String slot = "slots/" + source.id() + "/" + oldest.id();
        assertThat(bytes(copy, slot)).isEqualTo(commit).isNotEqualTo(bytes(store, slot));
        demandSound(copy);
        demandRestores(copy);
    }

    @Test
    void aCopyIsAsFarBehindAsTheOldestCommitThatItLacks() {
        Instant now = Instant.parse("2030-01-01T00:00:00Z");
        assertThat(lag(now)).as("no backup yet").isEmpty();
        copyTo(copy);
        assertThat(lag(now)).hasValue(Duration.ZERO);
        ProtectedSource source = sample.open(store).source("orders").orElseThrow();
        SampleRepository.moreWal(source);
        WalArchive archive = source.wal(SampleRepository.SYSTEM, 1);
        WalSegment last =
                SampleLog.segment(SampleRepository.FIRST_SEGMENT + SampleRepository.SEGMENTS);
        Instant oldest =
                WalSummary.decode(archive.getSummary(last).orElseThrow())
                        .commits()
                        .earliest()
                        .orElseThrow();
        assertThat(lag(now)).hasValue(Duration.between(oldest, now));
        assertThat(lag(oldest.minusSeconds(60))).as("a wrong clock").hasValue(Duration.ZERO);

        store.delete(archive.summaryName(last));
        WalSegment before = new WalSegment(last.timeline(), last.number() - 1, last.sizeBytes());
        Instant end =
                WalSummary.decode(archive.getSummary(before).orElseThrow())
                        .commits()
                        .latestEnd()
                        .orElseThrow();
        assertThat(lag(now)).as("by the segment before").hasValue(Duration.between(end, now));
        copyTo(copy);
        assertThat(lag(now)).hasValue(Duration.ZERO);
    }

    private Optional<Duration> lag(Instant now) {
        return CopyLag.of(sample.open(store), copy, Optional.empty(), now);
    }

    @Test
    void killedAtEveryPutItShowsOnlyWhatIsWholeAndGoesOn() {
        int puts = contents(store).size();
        for (int kill = 0; kill < puts; kill++) {
            ObjectStore half = MemoryStore.create();
            AtomicInteger left = new AtomicInteger(kill);
            Hooked dying =
                    new Hooked(
                            half,
                            _ -> {
                                if (left.getAndDecrement() <= 0) {
                                    throw new MainstayException(
                                            ErrorCode.STORE_REFUSED, "killed here");
                                }
                            });
            assertThatThrownBy(() -> copyTo(dying)).isInstanceOf(MainstayException.class);
            if (half.size("format").isPresent()) {
                demandSound(half);
            }
            copyTo(half);
            assertThat(contents(half)).containsExactlyInAnyOrderEntriesOf(contents(store));
        }
    }

    /// Copies again and again, each time with something else going on before another put.
    ///
    /// @param meanwhile is told the repository that is copied
    /// @param demand is told the copy
    private void whileCopying(Consumer<ObjectStore> meanwhile, Consumer<ObjectStore> demand) {
        int puts = contents(store).size();
        for (int at = 0; at < puts; at += 3) {
            ObjectStore here = HookedStore.copy(store);
            ObjectStore there = MemoryStore.create();
            AtomicInteger left = new AtomicInteger(at);
            Hooked hooked =
                    new Hooked(
                            there,
                            _ -> {
                                if (left.getAndDecrement() == 0) {
                                    meanwhile.accept(here);
                                }
                            });
            new RepositoryCopy(sample.open(here), hooked, Throttle.of(Optional.empty()), 1, _ -> {})
                    .run();
            demand.accept(there);
        }
    }

    @Test
    void aBackupThatIsMadeMeanwhileIsWholeInTheCopyOrNotThere() {
        whileCopying(
                here -> again(sample.open(here).source("orders").orElseThrow()), this::demandSound);
    }

    private void again(ProtectedSource source) {
        SampleRepository.moreWal(source);
        try {
            sample.backUpAgain(source);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    @Test
    void whatIsRemovedMeanwhileLeavesNoHalfBackup() {
        whileCopying(
                this::removeAllButTheNewest,
                there -> {
                    demandSound(there);
                    demandRestores(there);
                });
    }

    /// An expiry, and a collector that takes what nothing refers to any more.
    private void removeAllButTheNewest(ObjectStore at) {
        ProtectedSource source = sample.open(at).source("orders").orElseThrow();
        source.records().holds().keySet().forEach(source::release);
        SourceExpiry expiry =
                new SourceExpiry(
                        source,
                        new ConfigurationReader(Map.of())
                                .parse(
                                        "test",
                                        """
                                        repository: { url: file:///r, encryption: none }
                                        retention: { full: { count: 0 }, incremental: { count: 0 }, minimum: 1 }
                                        sources: { orders: { postgres: { url: postgresql://h } } }
                                        """,
                                        Path.of("/"))
                                .source("orders")
                                .retention(),
                        Instant.parse("2026-11-22T00:00:00Z"));
        expiry.run(expiry.plan());
        if (unused.isEmpty()) {
            unused = unused(at);
        }
        unused.forEach(at::delete);
    }

    /// Packs that nothing needs: without any of them everything is sound.
    private List<String> unused(ObjectStore at) {
        List<String> names = new ArrayList<>();
        for (StoredObject pack : at.list("packs/", "", 1000).objects()) {
            ObjectStore without = HookedStore.copy(at);
            without.delete(pack.name());
            if (findings(without).isEmpty()) {
                names.add(pack.name());
            }
        }
        assertThat(names).isNotEmpty();
        return names;
    }

    @Test
    void whatIsDamagedIsNamedAndEverythingElseIsCopied() {
        String pack = store.list("packs/", "", 1).objects().getFirst().name();
        String wal = store.list("wal/", "", 1).objects().getFirst().name();
        for (String name : List.of(pack, wal)) {
            byte[] bytes = bytes(store, name);
            bytes[bytes.length / 2] ^= 1;
            store.delete(name);
            store.put(name, ByteBuffer.wrap(bytes));
        }
        RepositoryCopy.Result result = copyTo(copy);
        assertThat(result.damaged())
                .extracting(RepositoryCopy.DamagedObject::name)
                .containsExactlyInAnyOrder(pack, wal);
        Map<String, byte[]> expected = contents(store);
        expected.remove(pack);
        expected.remove(wal);
        assertThat(contents(copy)).containsExactlyInAnyOrderEntriesOf(expected);
    }

    @Test
    void anotherRepositoryAndOtherContentAreNotTouched() throws IOException {
        new SampleRepository(12, Optional.empty()).write(copy);
        Map<String, byte[]> before = contents(copy);
        refused(ErrorCode.REPOSITORY_FOREIGN, copy);
        assertThat(contents(copy)).containsExactlyInAnyOrderEntriesOf(before);

        ObjectStore other = MemoryStore.create();
        other.put("something", ByteBuffer.wrap(new byte[1]));
        refused(ErrorCode.REPOSITORY_FOREIGN, other);

        ObjectStore half = MemoryStore.create();
        copyTo(half);
        String name = half.list("packs/", "", 1).objects().getFirst().name();
        byte[] bytes = bytes(half, name);
        half.delete(name);
        half.put(name, ByteBuffer.wrap(bytes, 0, bytes.length - 1));
        refused(ErrorCode.COPY_CONFLICT, half);
    }

    private void refused(ErrorCode code, ObjectStore to) {
        assertThatThrownBy(() -> copyTo(to))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        refusal -> assertThat(refusal.code()).isEqualTo(code));
    }

    @Test
    void partsOfSegmentsThatAreWholeGo() {
        copyTo(copy);
        assertThat(copy.list("parts/", "", 1).objects()).isNotEmpty();
        ProtectedSource source = sample.open(store).source("orders").orElseThrow();
        SampleRepository.moreWal(source);
        assertThat(copyTo(copy).partsRemoved()).isPositive();
        assertThat(contents(copy)).containsExactlyInAnyOrderEntriesOf(contents(store));
    }

    /// Does something before each put.
    private static final class Hooked extends ForwardingStore {
        private final Consumer<String> beforePut;

        Hooked(ObjectStore store, Consumer<String> beforePut) {
            super(store);
            this.beforePut = beforePut;
        }

        @Override
        public PutOutcome put(String name, ByteBuffer... content) {
            beforePut.accept(name);
            return inner.put(name, content);
        }
    }
}
