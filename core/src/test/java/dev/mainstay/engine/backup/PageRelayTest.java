package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

@Timeout(60)
class PageRelayTest {
    private static final int BUFFERS = 5;
    private static final int PARTS = 400;

    private record Nth(int part) implements PageRelay.Subject {}

    private final PageRelay relay = new PageRelay(BUFFERS, 8);
    private final Set<byte[]> seen =
            Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));
    private final Map<Integer, List<Integer>> stored = new ConcurrentHashMap<>();

    private Void work() {
        for (Optional<PageRelay.Part> part = relay.take(); part.isPresent(); part = relay.take()) {
            List<Integer> runs = new ArrayList<>();
            for (Optional<PageRelay.Run> run = part.get().next();
                    run.isPresent();
                    run = part.get().next()) {
                seen.add(run.get().bytes());
                runs.add((int) run.get().bytes()[0]);
                relay.giveBack(run.get().bytes());
            }
            stored.put(((Nth) part.get().subject()).part, runs);
        }
        return null;
    }

    private void send(int part, int runs) {
        PageRelay.Part sent = relay.begin(new Nth(part));
        for (int run = 0; run < runs; run++) {
            byte[] buffer = relay.buffer();
            buffer[0] = (byte) run;
            sent.send(new PageRelay.Run(buffer, 1));
        }
        sent.end();
    }

    @Test
    void everyRunArrivesInOrderThroughAFewBuffers() throws Exception {
        Random random = new Random(4);
        List<Integer> lengths = new ArrayList<>();
        try (ExecutorService workers = Executors.newFixedThreadPool(3)) {
            List<Future<Void>> running = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                running.add(workers.submit(this::work));
            }
            for (int part = 0; part < PARTS; part++) {
                lengths.add(random.nextInt(40));
                send(part, lengths.getLast());
            }
            relay.finish();
            for (Future<Void> each : running) {
                each.get();
            }
        }
        assertThat(stored).hasSize(PARTS);
        for (int part = 0; part < PARTS; part++) {
            assertThat(stored.get(part)).hasSize(lengths.get(part)).isSorted();
        }
        assertThat(seen).hasSizeBetween(1, BUFFERS);
    }

    @Test
    void aFailureWakesEverybodyWithItsCode() throws Exception {
        MainstayException full = new MainstayException(ErrorCode.STORE_FULL, "no room");
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            PageRelay.Part open = relay.begin(new Nth(0));
            relay.take();
            Future<Optional<PageRelay.Run>> waiting = threads.submit(open::next);
            Future<Optional<PageRelay.Part>> idle = threads.submit(relay::take);
            relay.fail(full);
            relay.fail(new MainstayException(ErrorCode.INTERRUPTED, "later"));
            for (Future<?> each : List.of(waiting, idle)) {
                assertThatThrownBy(each::get)
                        .isInstanceOf(ExecutionException.class)
                        .cause()
                        .isInstanceOfSatisfying(
                                MainstayException.class,
                                failed -> assertThat(failed.code()).isEqualTo(full.code()));
            }
        }
        assertThatThrownBy(relay::buffer).hasMessageContaining("no room");
        assertThatThrownBy(() -> relay.begin(new Nth(1))).hasMessageContaining("no room");
    }

    @Test
    void whoReadsWaitsWhileTooManyEmptyPartsWait() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
            AtomicInteger begun = new AtomicInteger();
            Future<?> reading =
                    threads.submit(
                            () -> {
                                for (int part = 0; part < 3 * PageRelay.WAITING_MOST; part++) {
                                    begun.set(part);
                                    send(part, 0);
                                }
                                relay.finish();
                            });
            for (int taken = 0; taken < 3 * PageRelay.WAITING_MOST; taken++) {
                assertThat(begun.get()).isLessThanOrEqualTo(taken + PageRelay.WAITING_MOST);
                assertThat(relay.take()).isPresent();
            }
            assertThat(relay.take()).isEmpty();
            reading.get();
        }
    }
}
