package dev.mainstay.server.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionCallback;
import org.springframework.transaction.support.TransactionOperations;
import org.springframework.transaction.support.TransactionTemplate;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

class JobDeskTest {
    private static final JobDesk.Pace QUICK =
            new JobDesk.Pace(
                    Duration.ofMillis(50),
                    Duration.ofMillis(250),
                    4,
                    Duration.ofMillis(20),
                    Duration.ofMillis(50));

    @TempDir Path folder = Path.of("");

    private final Gate gate = new Gate();
    private final AtomicInteger ticks = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final List<AutoCloseable> open = new ArrayList<>();

    /// Work that goes on until it is let through or interrupted, as the engine's does.
    private static final class Gate implements JobWork {
        private final CountDownLatch through = new CountDownLatch(1);
        private final Set<String> inside = ConcurrentHashMap.newKeySet();
        private final AtomicInteger mostAtOnce = new AtomicInteger();
        private final AtomicInteger runs = new AtomicInteger();
        private volatile Optional<RuntimeException> failure = Optional.empty();

        @Override
        public Map<String, String> run(JobRequest request, Progress progress) {
            runs.incrementAndGet();
            inside.add(Thread.currentThread().getName());
            mostAtOnce.accumulateAndGet(inside.size(), Math::max);
            try {
                progress.begin("reading " + request.target(), 1000);
                progress.advance(250);
                progress.note("a quarter");
                through.await();
                if (failure.isPresent()) {
                    throw failure.get();
                }
                return Map.of("backup", "one");
            } catch (InterruptedException stopped) {
                throw new MainstayException(ErrorCode.INTERRUPTED, "interrupted", stopped);
            } finally {
                inside.remove(Thread.currentThread().getName());
            }
        }
    }

    /// A server's part in this.
    private record Station(StateDatabase state, JobTable table, JobDesk desk)
            implements AutoCloseable {
        @Override
        public void close() {
            desk.close();
            state.close();
        }

        Job await(String id, JobState wanted) {
            Await.until(id + " to be " + wanted, () -> table.get(id).state() == wanted);
            return table.get(id);
        }
    }

    private Station station(ServerState where) {
        return station(where, QUICK);
    }

    private Station station(ServerState where, JobDesk.Pace pace) {
        Surroundings surroundings =
                new Surroundings(
                        new ConfigurationReader(Map.of())
                                .parse(
                                        "m.yaml",
                                        """
                                        repository: { url: file:///r, encryption: none }
                                        sources:
                                          orders: { postgres: { url: postgresql://h/d } }
                                          stock: { postgres: { url: postgresql://h/d } }
                                        """,
                                        folder),
                        Map.of(),
                        Ground.ofThisHost());
        StateDatabase state = StateDatabase.open(where, Map.of());
        JobTable table =
                new JobTable(
                        JdbcClient.create(state.source()),
                        counting(new TransactionTemplate(new JdbcTransactionManager(state.source()))),
                        (_, _, _, _) -> {});
        JobDesk desk =
                new JobDesk(
                        surroundings,
                        state,
                        ServerName.next(surroundings.ground()),
                        table,
                        new TransactionTemplate(new JdbcTransactionManager(state.source())),
                        gate,
                        pace);
        Station station = new Station(state, table, desk);
        open.add(station);
        desk.start(_ -> ticks.incrementAndGet());
        return station;
    }

    private TransactionOperations counting(TransactionOperations transactions) {
        return new TransactionOperations() {
            @Override
            public <T extends @Nullable Object> T execute(TransactionCallback<T> action) {
                try {
                    return transactions.execute(action);
                } catch (RuntimeException failed) {
                    refused.incrementAndGet();
                    throw failed;
                }
            }
        };
    }

    private Station station() {
        return station(new ServerState.Directory(folder));
    }

    private static JobRequest backup(String source) {
        return new JobRequest(JobKind.BACKUP, source, Map.of("type", "full"), "test");
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    @Test
    void aJobRunsAndTellsHowFarItIsAndWhatItDid() {
        Station here = station();
        String id = here.desk.submit(backup("orders")).id();
        Await.until("progress", () -> here.table.get(id).progress().isPresent());
        Job running = here.await(id, JobState.RUNNING);
        JobProgress progress = running.progress().orElseThrow();
        assertThat(progress.step()).isEqualTo("reading orders");
        assertThat(progress.done()).isEqualTo(250);
        assertThat(progress.total()).isEqualTo(1000);
        gate.through.countDown();
        Job done = here.await(id, JobState.DONE);
        assertThat(done.result()).isEqualTo(Map.of("backup", "one"));
        assertThat(done.request()).isEqualTo(backup("orders"));
        assertThat(done.failure()).isEmpty();
        assertThat(done.ended()).isPresent();
        assertThat(here.table.log(id, 0))
                .extracting(JobLine::text)
                .containsExactly("reading orders", "a quarter");
    }

    @Test
    void aFailureKeepsItsNumberAndHint() {
        Station here = station();
        gate.failure =
                Optional.of(
                        new MainstayException(ErrorCode.BACKUP_ARCHIVE_DEAD, "no WAL arrived"));
        gate.through.countDown();
        Job failed = here.await(here.desk.submit(backup("orders")).id(), JobState.FAILED);
        assertThat(failed.failure())
                .contains(
                        new JobFailure(
                                "MS-0604",
                                "no WAL arrived",
                                ErrorCode.BACKUP_ARCHIVE_DEAD.hint()));
        gate.failure = Optional.of(new IllegalStateException("password=geheim"));
        Job bug = here.await(here.desk.submit(backup("orders")).id(), JobState.FAILED);
        assertThat(bug.failure().orElseThrow().error()).isEqualTo("MS-1099");
        assertThat(bug.failure().orElseThrow().message()).doesNotContain("geheim");
    }

    @Test
    void aSourceHasOneWriterAndEachJobItsTurn() {
        Station here = station();
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(here.desk.submit(backup("orders")).id());
        }
        Await.until("the first", () -> gate.runs.get() == 1);
        String other = here.desk.submit(backup("stock")).id();
        here.await(other, JobState.RUNNING);
        Await.until("both to work", () -> gate.runs.get() == 2);
        gate.through.countDown();
        ids.forEach(id -> here.await(id, JobState.DONE));
        here.await(other, JobState.DONE);
        assertThat(gate.runs).hasValue(6);
        assertThat(gate.mostAtOnce).hasValue(2);
    }

    @Test
    void aJobIsCancelledWhetherItRunsOrWaits() {
        Station here = station();
        String running = here.desk.submit(backup("orders")).id();
        here.await(running, JobState.RUNNING);
        String queued = here.desk.submit(backup("orders")).id();
        here.desk.cancel(queued);
        assertThat(here.table.get(queued).state()).isEqualTo(JobState.CANCELLED);
        here.desk.cancel(running);
        Job cancelled = here.await(running, JobState.CANCELLED);
        assertThat(cancelled.failure().orElseThrow().error()).isEqualTo("MS-0407");
        assertThat(gate.runs).hasValue(1);
        assertThatThrownBy(() -> here.desk.cancel(running))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        over -> assertThat(over.code()).isEqualTo(ErrorCode.JOB_OVER));
        gate.through.countDown();
        here.await(here.desk.submit(backup("orders")).id(), JobState.DONE); // the lane is free
    }

    @Test
    void aJobThatTakesTooLongIsCancelledAndFailed() {
        Station here = station();
        String id =
                here.desk
                        .submit(
                                new JobRequest(
                                        JobKind.VERIFY, "", Map.of(JobRequest.TIMEOUT, "0"), "test"))
                        .id();
        Job late = here.await(id, JobState.FAILED);
        assertThat(late.failure().orElseThrow().error()).isEqualTo("MS-1207");
        Await.until("schedules to be asked for", () -> ticks.get() > 1);
    }

    @Test
    void aServerThatIsStoppedSaysSoAndGoesOnWithWhatWaited() {
        String running;
        String queued;
        try (Station here = station()) {
            running = here.desk.submit(backup("orders")).id();
            here.await(running, JobState.RUNNING);
            queued = here.desk.submit(backup("orders")).id();
        }
        open.clear();
        gate.through.countDown();
        Station again = station();
        Job interrupted = again.table.get(running);
        assertThat(interrupted.state()).isEqualTo(JobState.INTERRUPTED);
        assertThat(interrupted.failure().orElseThrow().message()).contains("stopped");
        again.await(queued, JobState.DONE);
        assertThat(gate.runs).hasValue(2);
    }

    @Test
    void whatIsNoSourceIsRefusedAtOnce() {
        Station here = station();
        assertThatThrownBy(() -> here.desk.submit(backup("ordres")))
                .isInstanceOf(MainstayException.class)
                .hasMessageContaining("did you mean 'orders'");
        assertThat(here.table.list(Optional.empty(), Optional.empty(), Optional.empty(), 10))
                .isEmpty();
    }

    @Test
    void jobsOfOneSecondAreDoneInTheOrderInWhichTheyWereAskedFor() {
        try (StateDatabase state =
                StateDatabase.open(new ServerState.Directory(folder.resolve("order")), Map.of())) {
            JobTable table =
                    new JobTable(
                            JdbcClient.create(state.source()),
                            new TransactionTemplate(new JdbcTransactionManager(state.source())),
                            (_, _, _, _) -> {});
            Instant now = Instant.parse("2026-11-22T14:35:53.100Z");
            table.insert("20261122T143553Z-ffffffff", backup("orders"), now);
            table.insert("20261122T143553Z-00000000", backup("orders"), now.plusMillis(1));
            assertThat(table.claim("20261122T143553Z-00000000", "a", now))
                    .isEqualTo(JobTable.Claim.BUSY);
            assertThat(table.claim("20261122T143553Z-ffffffff", "a", now))
                    .isEqualTo(JobTable.Claim.CLAIMED);
        }
    }

    @Test
    void whatBecameOfAJobIsToldOnceTheStateCanBeToldAgain() {
        Station here = station();
        JdbcClient jdbc = JdbcClient.create(here.state.source());
        String id = here.desk.submit(backup("orders")).id();
        Await.until("work", () -> gate.runs.get() == 1);
        jdbc.sql("alter table job rename to job_away").update();
        gate.through.countDown();
        Await.until("its end to be refused", () -> refused.get() > 1);
        jdbc.sql("alter table job_away rename to job").update();
        assertThat(here.await(id, JobState.DONE).result()).isEqualTo(Map.of("backup", "one"));
        here.await(here.desk.submit(backup("orders")).id(), JobState.DONE);
        assertThat(gate.runs).hasValue(2);
    }

    @Test
    void aJobWhoseEndTheStateNeverTakesIsInterruptedAndItsLaneFree() {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            cluster.sql("CREATE ROLE mainstay LOGIN", "CREATE DATABASE state OWNER mainstay");
            Station here =
                    station(
                            new ServerState.Shared(
                                    "postgresql://mainstay@127.0.0.1:" + cluster.port() + "/state",
                                    Optional.empty()));
            gate.failure =
                    Optional.of(new MainstayException(ErrorCode.BACKUP_ARCHIVE_DEAD, "\0"));
            String id = here.desk.submit(backup("orders")).id();
            here.await(id, JobState.RUNNING);
            String waiting = here.desk.submit(backup("orders")).id();
            gate.through.countDown();
            here.await(id, JobState.INTERRUPTED);
            gate.failure = Optional.empty();
            here.await(waiting, JobState.DONE);
            assertThat(
                            JdbcClient.create(here.state.source())
                                    .sql("show idle_in_transaction_session_timeout")
                                    .query(String.class)
                                    .single())
                    .isEqualTo("30s");
            here.close();
            open.clear();
        }
    }

    @Test
    void whatWaitsBeginsAsSoonAsItMay() {
        JobDesk.Pace slow =
                new JobDesk.Pace(
                        Duration.ofMinutes(10),
                        Duration.ofMinutes(10),
                        4,
                        Duration.ofMillis(20),
                        Duration.ofMinutes(10));
        Station here = station(new ServerState.Directory(folder), slow);
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(here.desk.submit(backup("orders")).id());
        }
        here.await(ids.getFirst(), JobState.RUNNING);
        gate.through.countDown();
        ids.forEach(id -> here.await(id, JobState.DONE));
    }

    @Test
    void serversThatShareAStateDoEachJobOnceAndCancelAcross() {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            cluster.sql("CREATE ROLE mainstay LOGIN", "CREATE DATABASE state OWNER mainstay");
            ServerState shared =
                    new ServerState.Shared(
                            "postgresql://mainstay@127.0.0.1:" + cluster.port() + "/state",
                            Optional.empty());
            Station one = station(shared);
            Station two = station(shared);
            String id = one.desk.submit(backup("orders")).id();
            String second = two.desk.submit(backup("orders")).id();
            one.await(id, JobState.RUNNING);
            two.desk.cancel(id); // whichever of them runs it
            one.desk.cancel(second);
            one.await(id, JobState.CANCELLED);
            gate.through.countDown();
            List<String> ids = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                ids.add((i % 2 == 0 ? one : two).desk.submit(backup("orders")).id());
            }
            ids.forEach(each -> two.await(each, JobState.DONE));
            assertThat(gate.mostAtOnce).hasValue(1);
            assertThat(gate.runs.get()).isBetween(21, 22);
            one.close();
            two.close();
            open.clear();
        }
    }
}
