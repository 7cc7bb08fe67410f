package dev.mainstay.engine.archive;

import static dev.mainstay.engine.archive.LaneSite.content;
import static dev.mainstay.engine.archive.LaneSite.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.proof.SampleRepository;
import dev.mainstay.postgres.wal.SampleLog;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.WalArchive.Stored;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;

/// What is stored beside the segment that is pushed, and that no push is answered before its own
/// segment, as it is in `pg_wal` at that moment, is in the repository.
class StoreLaneTest {
    @TempDir private Path folder;
    private LaneSite site;
    private StoreLane lane;
    private final ExecutorService workers = Executors.newFixedThreadPool(2);

    @BeforeEach
    void open() throws IOException {
        site = new LaneSite(folder);
        lane = new StoreLane(site.wal, site.archive, workers, site.notes::add);
    }

    @AfterEach
    void close() {
        workers.shutdownNow();
    }

    private Stored push(WalSegment segment) {
        return lane.push(site.push(), segment, site.wal.resolve(segment.fileName()), folder);
    }

    private void ready(long from, long to) throws IOException {
        for (long number = from; number <= to; number++) {
            site.ready(segment(number));
        }
    }

    private void quiesce() throws InterruptedException {
        workers.shutdown();
        assertThat(workers.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }

    private List<Long> stored(long from, long to) {
        return LongStream.rangeClosed(from, to)
                .filter(number -> site.archive.has(segment(number)))
                .boxed()
                .toList();
    }

    @Test
    void eightThatAreReadyAreStoredBesideTheOneThatIsPushed() throws Exception {
        ready(1, 12);
        assertThat(push(segment(1))).isEqualTo(Stored.NEW);
        quiesce();
        assertThat(stored(1, 12)).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
        AtomicInteger puts = new AtomicInteger();
        site.store.beforePut = _ -> puts.incrementAndGet();
        for (long number = 2; number <= 9; number++) {
            assertThat(push(segment(number))).isEqualTo(Stored.NEW);
        }
        assertThat(puts).hasValue(0);
        assertThat(site.archive.get(segment(9))).contains(content(segment(9)));
    }

    @Test
    void memoryThatIsUsedAgainHoldsNothingOfAnotherSegment() throws Exception {
        int count = 40;
        List<byte[]> log = SampleLog.segments(3, 1, count);
        WalArchive archive = site.source.wal(SampleRepository.SYSTEM, 1);
        StoreLane own = new StoreLane(site.wal, archive, workers, site.notes::add);
        for (int i = 0; i < count; i++) {
            String name = SampleLog.segment(1 + i).fileName();
            Files.write(site.wal.resolve(name), log.get(i));
            Files.createFile(site.wal.resolve("archive_status/" + name + ".ready"));
        }
        for (int i = 0; i < count; i++) {
            WalSegment segment = SampleLog.segment(1 + i);
            own.push(site.push(), segment, site.wal.resolve(segment.fileName()), folder);
        }
        quiesce();
        assertThat(site.notes).isEmpty();
        WalArchive alone =
                new LaneSite(folder.resolve("alone")).source.wal(SampleRepository.SYSTEM, 1);
        SegmentSummaries summaries = new SegmentSummaries(alone, 0);
        for (int i = 0; i < count; i++) {
            WalSegment segment = SampleLog.segment(1 + i);
            alone.put(segment, log.get(i));
            summaries.stored(segment, log.get(i));
            assertThat(archive.get(segment)).hasValue(log.get(i));
        }
        for (int i = 0; i < count - 1; i++) {
            WalSegment segment = SampleLog.segment(1 + i);
            assertThat(archive.getSummary(segment)).isPresent();
            assertThat(archive.getSummary(segment).get())
                    .isEqualTo(alone.getSummary(segment).orElseThrow());
        }
    }

    @Test
    void whatIsNotReadyIsLeftAlone() throws Exception {
        ready(1, 2);
        Files.write(site.wal.resolve(segment(3).fileName()), content(segment(3)));
        site.ready(segment(4));
        push(segment(1));
        quiesce();
        assertThat(stored(1, 4)).containsExactly(1L, 2L);
    }

    @Test
    void noPushIsAnsweredBeforeItsSegmentIsStored() throws Exception {
        ready(1, 3);
        CountDownLatch go = new CountDownLatch(1);
        site.store.beforePut =
                name -> {
                    if (name.equals(site.archive.objectName(segment(2)))) {
                        awaitQuietly(go);
                    }
                };
        push(segment(1));
        try (ExecutorService archiver = Executors.newSingleThreadExecutor()) {
            Future<Stored> second = archiver.submit(() -> push(segment(2)));
            assertThatThrownBy(() -> second.get(300, TimeUnit.MILLISECONDS))
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            assertThat(stored(2, 2)).isEmpty();
            go.countDown();
            assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo(Stored.NEW);
            assertThat(stored(2, 2)).containsExactly(2L);
        }
    }

    @Test
    void whatFailedTooEarlyIsTriedAgainInItsTime() throws Exception {
        ready(1, 3);
        AtomicInteger refused = new AtomicInteger();
        site.store.beforePut =
                name -> {
                    if (name.equals(site.archive.objectName(segment(2)))
                            && refused.getAndIncrement() == 0) {
                        throw LaneSite.away();
                    }
                };
        push(segment(1));
        push(segment(2));
        assertThat(refused).hasValue(2);
        assertThat(site.archive.get(segment(2))).contains(content(segment(2)));
        push(segment(3));
    }

    @Test
    void aFailureOfItsOwnIsAFailure() throws Exception {
        ready(1, 1);
        site.store.beforePut =
                _ -> {
                    throw LaneSite.away();
                };
        assertThatThrownBy(() -> push(segment(1)))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed -> assertThat(failed.code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE));
        site.store.beforePut = _ -> {};
        assertThat(push(segment(1))).isEqualTo(Stored.NEW);
    }

    @Test
    void aFileThatIsAnotherSinceItWasStoredIsAConflict() throws Exception {
        ready(1, 2);
        push(segment(1));
        quiesceKeeping(2);
        byte[] other = content(segment(2));
        other[90_000] ^= 1;
        Files.write(site.wal.resolve(segment(2).fileName()), other);
        assertThatThrownBy(() -> push(segment(2)))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed -> assertThat(failed.code()).isEqualTo(ErrorCode.WAL_CONFLICT));
    }

    /// Waits until a segment is stored.
    private void quiesceKeeping(long number) throws InterruptedException, ExecutionException {
        workers.submit(() -> {}).get();
        workers.submit(() -> {}).get();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (stored(number, number).isEmpty() && System.nanoTime() - deadline < 0) {
            Thread.onSpinWait();
        }
        assertThat(stored(number, number)).isNotEmpty();
    }

    @Test
    void whatVanishedFromTheRepositorySinceIsStoredAgain() throws Exception {
        ready(1, 2);
        push(segment(1));
        quiesce();
        site.store.delete(site.archive.objectName(segment(2)));
        assertThat(push(segment(2))).isEqualTo(Stored.NEW);
        assertThat(site.archive.get(segment(2))).contains(content(segment(2)));
    }

    @Test
    void aFileThatChangesWhileItIsStoredIsRefused() throws Exception {
        Path file = site.ready(segment(1));
        site.store.beforePut =
                _ -> {
                    try {
                        byte[] other = content(segment(1));
                        other[90_000] ^= 1;
                        Files.write(file, other);
                    } catch (IOException failed) {
                        throw new UncheckedIOException(failed);
                    }
                };
        assertThatThrownBy(() -> push(segment(1))).hasMessageContaining("was changed while");
    }

    @Test
    void anotherClustersSegmentIsRefused() throws Exception {
        Path file = site.ready(segment(1));
        byte[] other = Files.readAllBytes(file);
        other[24] ^= 1;
        Files.write(file, other);
        assertThatThrownBy(() -> push(segment(1))).hasMessageContaining("another cluster");
        assertThat(stored(1, 1)).isEmpty();
    }

    @Test
    void theSameSegmentPushedAgainIsTheSame() throws Exception {
        ready(1, 2);
        push(segment(1));
        assertThat(push(segment(1))).isEqualTo(Stored.SAME_CONTENT_BEFORE);
        push(segment(2));
        assertThat(push(segment(2))).isEqualTo(Stored.SAME_CONTENT_BEFORE);
        assertThat(push(segment(1))).isEqualTo(Stored.SAME_CONTENT_BEFORE);
    }

    @Test
    void whatARecoveryLeftThatWasFedByAKilledAgentGoes() throws IOException {
        Path left = Files.createDirectory(site.wal.resolve(FetchLane.FOLDER));
        Files.createFile(left.resolve("4194305-1-" + segment(1).fileName()));
        lane = new StoreLane(site.wal, site.archive, workers, site.notes::add);
        assertThat(left).doesNotExist();
    }

    @Test
    void whileItEndsNothingIsAnswered() throws Exception {
        ready(1, 2);
        workers.shutdownNow();
        assertThatThrownBy(() -> push(segment(1)))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed -> assertThat(failed.code()).isEqualTo(ErrorCode.INTERRUPTED));
        assertThat(stored(1, 2)).isEmpty();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException stopped) {
            throw new AssertionError(stopped);
        }
    }
}
