package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.FetchAhead.Fetch;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/// Order, bounds, failures and the end of what is fetched ahead.
@Timeout(60)
class FetchAheadTest {
    private static final long SEED = 20261122;

    private static FetchAhead<Integer> ahead(int most, long bytes, List<Fetch<Integer>> wanted) {
        return new FetchAhead<>(Thread::startVirtualThread, most, bytes, wanted.iterator());
    }

    private static void spin(int times) {
        for (int i = 0; i < times; i++) {
            Thread.onSpinWait();
        }
    }

    @Test
    void answersComeInOrderAndNeverMoreThanThereIsRoomForAreInMemory() {
        Random random = new Random(SEED);
        for (int round = 0; round < 60; round++) {
            int count = random.nextInt(80);
            int most = 1 + random.nextInt(6);
            long room = random.nextLong(50, 250);
            AtomicInteger running = new AtomicInteger();
            AtomicInteger mostRunning = new AtomicInteger();
            AtomicLong begunBytes = new AtomicLong();
            AtomicLong mostBytes = new AtomicLong();
            List<Long> sizes = new ArrayList<>();
            List<Fetch<Integer>> wanted = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int number = i;
                int work = random.nextInt(2000);
                long bytes = random.nextLong(1, 100);
                sizes.add(bytes);
                wanted.add(
                        new Fetch<>(
                                bytes,
                                () -> {
                                    mostRunning.accumulateAndGet(
                                            running.incrementAndGet(), Math::max);
                                    mostBytes.accumulateAndGet(
                                            begunBytes.addAndGet(bytes), Math::max);
                                    spin(work);
                                    running.decrementAndGet();
                                    return number;
                                }));
            }
            List<Integer> answers = new ArrayList<>();
            try (FetchAhead<Integer> ahead = ahead(most, room, wanted)) {
                for (int i = 0; i < count; i++) {
                    answers.add(ahead.next());
                    if (i > 0) {
                        begunBytes.addAndGet(-sizes.get(i - 1));
                    }
                }
            }
            String as = "seed " + SEED + ", round " + round;
            assertThat(answers).as(as).isEqualTo(IntStream.range(0, count).boxed().toList());
            assertThat(mostRunning.get()).as(as).isLessThanOrEqualTo(most + 1);
            // The one before is counted here until its successor has come.
            assertThat(mostBytes.get()).as(as).isLessThanOrEqualTo(room + 200);
        }
    }

    @Test
    void whatHasNoRoomIsNotBegun() throws InterruptedException {
        Semaphore begun = new Semaphore(0);
        List<Fetch<Integer>> wanted = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            int number = i;
            wanted.add(
                    new Fetch<>(
                            30,
                            () -> {
                                begun.release();
                                return number;
                            }));
        }
        try (FetchAhead<Integer> ahead = ahead(100, 100, wanted)) {
            begun.acquire(3);
            assertThat(ahead.next()).isZero();
            assertThat(begun.tryAcquire()).as("the first one is still worked on").isFalse();
            assertThat(ahead.next()).isOne();
            begun.acquire();
            assertThat(begun.tryAcquire()).isFalse();
        }
    }

    @Test
    void oneThatIsLargerThanAllRoomComesAllTheSame() {
        List<Fetch<Integer>> wanted =
                List.of(
                        new Fetch<>(1, () -> 0),
                        new Fetch<>(1000, () -> 1),
                        new Fetch<>(1000, () -> 2),
                        new Fetch<>(1, () -> 3));
        try (FetchAhead<Integer> ahead = ahead(4, 10, wanted)) {
            for (int i = 0; i < 4; i++) {
                assertThat(ahead.next()).isEqualTo(i);
            }
        }
    }

    @Test
    void allAreAskedForBeforeTheFirstIsAnswered() throws InterruptedException {
        CountDownLatch all = new CountDownLatch(8);
        List<Integer> wanted = IntStream.range(0, 8).boxed().toList();
        try (FetchAhead<Integer> ahead =
                FetchAhead.small(
                        Thread::startVirtualThread,
                        wanted,
                        number -> {
                            all.countDown();
                            await(all); // else nobody would ever be answered
                            return number;
                        })) {
            wanted.forEach(number -> assertThat(ahead.next()).isEqualTo(number));
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.STORE_UNAVAILABLE, "interrupted", stopped);
        }
    }

    @Test
    void aFailureComesWhereItsAnswerWouldHaveComeAndOthersComeAllTheSame() {
        List<Integer> wanted = List.of(0, 1, 2, 3);
        try (FetchAhead<Integer> ahead =
                FetchAhead.small(
                        Thread::startVirtualThread,
                        wanted,
                        number -> {
                            if (number == 1) {
                                throw new MainstayException(
                                        ErrorCode.STORE_OBJECT_MISSING, "object 1 is missing");
                            }
                            if (number == 3) {
                                throw new StackOverflowError("an error is one as well");
                            }
                            return number;
                        })) {
            assertThat(ahead.next()).isZero();
            assertThatThrownBy(ahead::next)
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failed ->
                                    assertThat(failed.code())
                                            .isEqualTo(ErrorCode.STORE_OBJECT_MISSING))
                    .hasMessage("object 1 is missing");
            assertThat(ahead.next()).isEqualTo(2);
            assertThatThrownBy(ahead::next).isInstanceOf(StackOverflowError.class);
        }
    }

    @Test
    void whenItIsClosedNothingIsUnderWayAnyMore() throws InterruptedException {
        List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger interrupted = new AtomicInteger();
        Semaphore begun = new Semaphore(0);
        CountDownLatch never = new CountDownLatch(1);
        AtomicInteger asked = new AtomicInteger();
        Iterator<Fetch<Integer>> wanted =
                IntStream.range(0, 100)
                        .mapToObj(
                                number ->
                                        new Fetch<>(
                                                1,
                                                () -> {
                                                    asked.incrementAndGet();
                                                    threads.add(Thread.currentThread());
                                                    begun.release();
                                                    try {
                                                        never.await();
                                                    } catch (InterruptedException stopped) {
                                                        interrupted.incrementAndGet();
                                                    }
                                                    return number;
                                                }))
                        .iterator();
        try (FetchAhead<Integer> ahead =
                new FetchAhead<>(Thread::startVirtualThread, 5, 100, wanted)) {
            begun.acquire(5);
            Optional<FetchAhead<Integer>.Begun> taken = ahead.take();
            begun.acquire(1);
            taken.orElseThrow().close();
            assertThat(interrupted).hasValue(1);
        }
        assertThat(interrupted).as("all that were begun").hasValue(asked.get());
        for (Thread thread : threads) {
            thread.join();
        }
    }

    @Test
    void whoWaitsCanBeInterrupted() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        CountDownLatch begun = new CountDownLatch(1);
        AtomicBoolean ended = new AtomicBoolean();
        try (var executor = Executors.newSingleThreadExecutor()) {
            Future<ErrorCode> waiting =
                    executor.submit(
                            () -> {
                                try (FetchAhead<Integer> ahead =
                                        FetchAhead.small(
                                                Thread::startVirtualThread,
                                                List.of(1),
                                                number -> {
                                                    begun.countDown();
                                                    try {
                                                        await(never);
                                                    } finally {
                                                        ended.set(true);
                                                    }
                                                    return number;
                                                })) {
                                    int _ = ahead.next();
                                    throw new IllegalStateException("nobody answered");
                                } catch (MainstayException stopped) {
                                    return stopped.code();
                                }
                            });
            begun.await();
            executor.shutdownNow();
            assertThat(waiting.get()).isEqualTo(ErrorCode.INTERRUPTED);
            assertThat(ended).isTrue();
        }
    }

    @Test
    void severalTakersGetEachAnswerOnce() throws Exception {
        List<Integer> got = Collections.synchronizedList(new ArrayList<>());
        List<Fetch<Integer>> wanted =
                IntStream.range(0, 500).mapToObj(i -> new Fetch<>(7L, () -> i)).toList();
        try (FetchAhead<Integer> ahead = ahead(8, 20, wanted);
                var executor = Executors.newFixedThreadPool(4)) {
            List<Future<?>> takers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                takers.add(
                        executor.submit(
                                () -> {
                                    for (var next = ahead.take();
                                            next.isPresent();
                                            next = ahead.take()) {
                                        try (FetchAhead<Integer>.Begun begun = next.get()) {
                                            got.add(begun.answer());
                                        }
                                    }
                                }));
            }
            for (Future<?> taker : takers) {
                taker.get();
            }
        }
        assertThat(got).hasSize(500).doesNotHaveDuplicates();
    }

    @Test
    void anExecutorThatRunsEverythingAtOnceServesAsWell() {
        List<Integer> wanted = IntStream.range(0, 40).boxed().toList();
        try (FetchAhead<Integer> ahead = FetchAhead.small(Runnable::run, wanted, i -> i * 2)) {
            wanted.forEach(number -> assertThat(ahead.next()).isEqualTo(number * 2));
        }
    }
}
