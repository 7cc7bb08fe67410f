package dev.mainstay.engine.archive;

import static dev.mainstay.engine.archive.LaneSite.content;
import static dev.mainstay.engine.archive.LaneSite.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.WalSegment;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// What is fetched ahead, in which order and how much, and what becomes of it. The workers are a
/// queue that the test empties, so that nothing depends on time.
class FetchLaneTest {
    @TempDir private Path folder;
    private LaneSite site;
    private final Queue<Runnable> queue = new ArrayDeque<>();
    private FetchLane lane;
    private Path fresh = Path.of("");

    @BeforeEach
    void open() throws IOException {
        site = new LaneSite(folder);
        lane = lane();
        fresh = site.wal.resolve("RECOVERYXLOG.mainstay~1");
    }

    private FetchLane lane() {
        return new FetchLane(site.wal, LaneSite.MIB, queue::add, site.notes::add);
    }

    private void work() {
        for (Runnable next = queue.poll(); next != null; next = queue.poll()) {
            next.run();
        }
    }

    /// As [WalAhead] does it.
    ///
    /// @return whether it was there ahead of its time
    private boolean ask(WalSegment segment) throws IOException {
        Files.deleteIfExists(fresh);
        boolean early = lane.take(segment, fresh);
        if (early || site.get().getFresh(segment.fileName(), fresh)) {
            lane.found(segment, site.get());
            assertThat(fresh).hasBinaryContent(content(segment));
        }
        return early;
    }

    @Test
    void twoInARowBeginEightAndEachFurtherOneBeginsOneMore() throws IOException {
        site.store(1, 40);
        assertThat(ask(segment(1))).isFalse();
        assertThat(queue).isEmpty();
        assertThat(ask(segment(2))).isFalse();
        assertThat(queue).hasSize(FetchLane.AHEAD);
        work();
        assertThat(site.ahead()).hasSize(FetchLane.AHEAD);
        for (int number = 3; number <= 32; number++) {
            assertThat(ask(segment(number))).isTrue();
            assertThat(queue).hasSize(1);
            work();
            assertThat(site.ahead()).hasSize(FetchLane.AHEAD);
        }
        assertThat(site.store.gets.stream().filter(name -> name.startsWith("wal/")))
                .as("each is fetched once, in order")
                .isSorted()
                .doesNotHaveDuplicates();
        assertThat(site.notes).isEmpty();
    }

    @Test
    void whatDoesNotFollowIsNotFetchedAndWhatWasIsRemoved() throws IOException {
        site.store(1, 60);
        ask(segment(1));
        ask(segment(2));
        queue.remove().run();
        queue.remove().run();
        assertThat(site.ahead()).hasSize(2);
        int fetched = site.store.gets.size();
        ask(segment(30));
        assertThat(site.ahead()).isEmpty();
        work();
        assertThat(site.store.gets).as("those not begun are not fetched").hasSize(fetched + 1);
        assertThat(site.ahead()).isEmpty();
        ask(segment(30));
        ask(segment(29));
        assertThat(queue).isEmpty();
        ask(segment(30));
        assertThat(queue).hasSize(FetchLane.AHEAD);
    }

    @Test
    void anotherTimelineIsFollowedAndTheOldOneForgotten() throws IOException {
        site.store(1, 20);
        for (int number = 4; number <= 8; number++) {
            site.archive.put(segment(2, number), content(segment(2, number)));
        }
        ask(segment(1));
        ask(segment(2));
        work();
        lane.take(segment(2, 3), fresh); // not there: changes nothing
        assertThat(ask(segment(3))).isTrue();
        assertThat(ask(segment(2, 4))).isFalse();
        work();
        assertThat(site.ahead()).hasSize(4).allMatch(name -> name.contains("-00000002"));
        assertThat(ask(segment(2, 5))).isTrue();
    }

    @Test
    void thatThereIsNothingIsForgottenAndWhatLiesBeyondIsNotFetched() throws IOException {
        site.store(1, 2);
        site.store(4, 9);
        ask(segment(1));
        ask(segment(2));
        int fetched = site.store.gets.size();
        work();
        assertThat(site.store.gets).hasSize(fetched);
        assertThat(ask(segment(3))).isFalse();
        assertThat(fresh).doesNotExist();
        site.store(3, 3);
        assertThat(ask(segment(3))).isFalse();
        assertThat(fresh).exists();
        work();
        assertThat(ask(segment(4))).isTrue();
    }

    @Test
    void aSegmentThatNobodyBeganIsFetchedByWhoAsks() throws IOException {
        site.store(1, 12);
        ask(segment(1));
        ask(segment(2));
        assertThat(ask(segment(3))).isTrue();
        work();
        assertThat(site.ahead()).hasSize(FetchLane.AHEAD);
        assertThat(ask(segment(4))).isTrue();
    }

    @Test
    void aStoreThatIsAwayIsToldOnceAndTriedAgain() throws IOException {
        site.store(1, 30);
        ask(segment(1));
        ask(segment(2));
        site.store.beforeGet =
                _ -> {
                    throw LaneSite.away();
                };
        int fetched = site.store.gets.size();
        work();
        assertThat(site.store.gets).as("one attempt, not eight").hasSize(fetched + 1);
        assertThat(site.ahead()).isEmpty();
        site.store.beforeGet = _ -> {};
        assertThat(ask(segment(3))).isFalse();
        assertThat(ask(segment(4))).isTrue();
        assertThat(site.notes).singleElement().asString().contains("the store is away");
    }

    @Test
    void aDamagedSegmentIsNotHandedOver() throws IOException {
        site.store(1, 12);
        String name = site.archive.objectName(segment(3));
        byte[] object =
                site.store.get(name, 0, Math.toIntExact(site.store.size(name).orElseThrow()));
        object[object.length / 2] ^= 1;
        site.store.delete(name);
        site.store.put(name, ByteBuffer.wrap(object));
        ask(segment(1));
        ask(segment(2));
        work();
        assertThat(site.ahead()).isEmpty();
        Files.delete(fresh);
        assertThat(lane.take(segment(3), fresh)).isFalse();
        assertThat(fresh).doesNotExist();
        assertThat(site.notes).singleElement().asString().contains(name);
    }

    @Test
    void aFileThatSomebodyChangedIsNotHandedOver() throws IOException {
        site.store(1, 12);
        ask(segment(1));
        ask(segment(2));
        work();
        Path file = site.wal.resolve(FetchLane.FOLDER).resolve(site.ahead().getFirst());
        byte[] bytes = Files.readAllBytes(file);
        bytes[70_000] ^= 1;
        Files.write(file, bytes);
        assertThat(ask(segment(3))).isFalse();
        assertThat(file).doesNotExist();
        assertThat(site.notes).singleElement().asString().contains("was changed by somebody");
        Files.delete(site.wal.resolve(FetchLane.FOLDER).resolve(site.ahead().getFirst()));
        assertThat(ask(segment(4))).isFalse();
    }

    @Test
    void theEndLeavesNothingNotEvenOfWhatIsFetchedAtThatMoment() throws IOException {
        site.store(1, 20);
        ask(segment(1));
        ask(segment(2));
        queue.remove().run();
        site.store.beforeGet = _ -> lane.end();
        work();
        assertThat(site.wal.resolve(FetchLane.FOLDER)).doesNotExist();
        site.store.beforeGet = _ -> {};
        assertThat(ask(segment(3))).isFalse();
        assertThat(queue).isEmpty();
    }

    @Test
    void workersThatTakeNothingMoreHarmNobody() throws IOException {
        site.store(1, 12);
        lane =
                new FetchLane(
                        site.wal,
                        LaneSite.MIB,
                        _ -> {
                            throw new RejectedExecutionException();
                        },
                        site.notes::add);
        ask(segment(1));
        ask(segment(2));
        assertThat(ask(segment(3))).isFalse();
        assertThat(site.notes).isEmpty();
    }

    @Test
    void whoIsInterruptedWhileItWaitsLeavesNoFile() throws Exception {
        site.store(1, 12);
        ask(segment(1));
        ask(segment(2));
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        site.store.beforeGet =
                _ -> {
                    inside.countDown();
                    awaitQuietly(go);
                };
        Thread worker = Thread.ofPlatform().start(queue.remove());
        assertThat(inside.await(20, TimeUnit.SECONDS)).isTrue();
        AtomicBoolean early = new AtomicBoolean(true);
        Thread asking =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    Thread.currentThread().interrupt();
                                    early.set(lane.take(segment(3), fresh));
                                });
        asking.join();
        assertThat(early).isFalse();
        go.countDown();
        worker.join();
        assertThat(site.ahead()).isEmpty();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException stopped) {
            throw new AssertionError(stopped);
        }
    }

    @Test
    void whatAKilledAgentLeftGoesAndWhatALivingOneHasStays() throws IOException {
        Path left = Files.createDirectory(site.wal.resolve(FetchLane.FOLDER));
        long dead = 4_194_305; // above the kernel's limit
        long alive = ProcessHandle.current().pid();
        for (long pid : new long[] {dead, alive}) {
            Files.createFile(left.resolve(pid + "-1-" + segment(1).fileName()));
            Files.createFile(site.wal.resolve("RECOVERYXLOG.mainstay~" + pid));
        }
        Path own = Files.createFile(site.wal.resolve(segment(1).fileName()));
        lane = lane();
        assertThat(site.ahead()).containsExactly(alive + "-1-" + segment(1).fileName());
        assertThat(site.wal.resolve("RECOVERYXLOG.mainstay~" + dead)).doesNotExist();
        assertThat(site.wal.resolve("RECOVERYXLOG.mainstay~" + alive)).exists();
        assertThat(own).exists();
    }
}
