package dev.mainstay.server.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.DailyHours;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.SqlTime;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.server.trace.Tracing;
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
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
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

    private static final BackupId BEGUN = BackupId.parse("20261122T143553Z-00000001");
    private static final String SOON = "{ attempts: 3, first-after: 1s }";
    private static final String LATER = "{ attempts: 3, first-after: 12h }";

    @TempDir Path folder = Path.of("");

    private final Gate gate = new Gate();
    private final AtomicInteger ticks = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final List<String> trail = new CopyOnWriteArrayList<>();
    private final List<AutoCloseable> open = new ArrayList<>();

    /// Work that goes on until it is let through or interrupted, as the engine's does.
    private static final class Gate implements JobWork {
        private final CountDownLatch through = new CountDownLatch(1);
        private final Set<String> inside = ConcurrentHashMap.newKeySet();
        private final AtomicInteger mostAtOnce = new AtomicInteger();
        private final AtomicInteger runs = new AtomicInteger();
        private volatile Optional<RuntimeException> failure = Optional.empty();

        /// What the next runs fail of at once, each of one.
        private final Queue<RuntimeException> failures = new ConcurrentLinkedQueue<>();

        private final List<List<BackupId>> earlier = new CopyOnWriteArrayList<>();

        @Override
        public Map<String, String> run(
                JobRequest request, Progress progress, Attempt attempt) {
            runs.incrementAndGet();
            earlier.add(attempt.earlier());
            RuntimeException fails = failures.poll();
            if (fails != null) {
                attempt.begins().accept(BEGUN);
                progress.note("it fails");
                throw fails;
            }
            inside.add(Thread.currentThread().getName());
            mostAtOnce.accumulateAndGet(inside.size(), Math::max);
            try {
                progress.begin("reading " + request.target(), 1000);
                progress.advance(250);
                progress.note("a quarter");
                through.await();
                Optional<RuntimeException> once = failure;
                if (once.isPresent()) {
                    failure = Optional.empty(); // the next one may be waiting already
                    throw once.get();
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
        return station(where, pace, "off");
    }

    /// @param retry how often a job is tried
    private Station station(ServerState where, JobDesk.Pace pace, String retry) {
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
                                        server: { jobs: { retry: %s } }
                                        """
                                                .formatted(retry),
                                        folder),
                        Map.of(),
                        Ground.ofThisHost());
        StateDatabase state = StateDatabase.open(where, Map.of());
        JobTable table =
                new JobTable(
                        JdbcClient.create(state.source()),
                        counting(new TransactionTemplate(new JdbcTransactionManager(state.source()))),
                        (_, action, _, outcome) -> trail.add(action + " " + outcome));
        JobDesk desk =
                new JobDesk(
                        surroundings,
                        state,
                        ServerName.next(surroundings.ground()),
                        table,
                        new TransactionTemplate(new JdbcTransactionManager(state.source())),
                        gate,
                        pace,
                        Tracing.off());
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

    private static MainstayException failed(ErrorCode code) {
        return new MainstayException(code, "for a moment");
    }

    @Test
    void whatMayPassIsTriedAgainAndEachAttemptIsOnRecord() {
        Station here = station(new ServerState.Directory(folder), QUICK, SOON);
        gate.failures.add(failed(ErrorCode.SERVER_UNREACHABLE));
        gate.failures.add(failed(ErrorCode.STORE_UNAVAILABLE));
        gate.through.countDown();
        String id = here.desk.submit(backup("orders")).id();
        Await.until("to wait", () -> here.table.get(id).due().isPresent());
        Job done = here.await(id, JobState.DONE);
        assertThat(done.attempts()).isEqualTo(3);
        assertThat(done.failure()).isEmpty();
        assertThat(done.due()).isEmpty();
        List<JobAttempt> attempts = here.table.attempts(id);
        assertThat(attempts)
                .extracting(JobAttempt::number, JobAttempt::state)
                .containsExactly(
                        tuple(1, JobState.FAILED), tuple(2, JobState.FAILED), tuple(3, JobState.DONE));
        assertThat(attempts)
                .extracting(each -> each.failure().map(JobFailure::error).orElse(""))
                .containsExactly("MS-0501", "MS-0101", "");
        for (int i = 1; i < attempts.size(); i++) {
            assertThat(attempts.get(i).started())
                    .isAfterOrEqualTo(attempts.get(i - 1).ended().orElseThrow().plusMillis(750));
        }
        assertThat(gate.earlier)
                .containsExactly(List.of(), List.of(BEGUN), List.of(BEGUN, BEGUN));
        assertThat(here.table.log(id, 0))
                .extracting(line -> line.text().replaceAll(" at .*", ""))
                .containsExactly(
                        "it fails",
                        "attempt 1 of 3 failed: [MS-0501] for a moment; the next one, unless it is cancelled, is",
                        "it fails",
                        "attempt 2 of 3 failed: [MS-0101] for a moment; the next one, unless it is cancelled, is",
                        "reading orders",
                        "a quarter");
        assertThat(trail)
                .containsExactly(
                        "job queued queued",
                        "job attempt ended failed MS-0501",
                        "job attempt ended failed MS-0101",
                        "job ended done");
    }

    @Test
    void theLastFailureIsTheJobs() {
        Station here = station(new ServerState.Directory(folder), QUICK, SOON);
        for (int i = 0; i < 3; i++) {
            gate.failures.add(failed(ErrorCode.BACKUP_ARCHIVE_DEAD));
        }
        Job failed = here.await(here.desk.submit(backup("orders")).id(), JobState.FAILED);
        assertThat(failed.failure().orElseThrow().error()).isEqualTo("MS-0604");
        assertThat(failed.attempts()).isEqualTo(3);
        assertThat(here.table.attempts(failed.id())).hasSize(3);
        assertThat(gate.runs).hasValue(3);
    }

    @Test
    void whatDoesNotPassOrIsARestoreIsTriedOnce() {
        Station here = station(new ServerState.Directory(folder), QUICK, LATER);
        for (ErrorCode code :
                List.of(ErrorCode.OBJECT_DAMAGED, ErrorCode.STORE_FULL, ErrorCode.SERVER_RIGHT_MISSING)) {
            gate.failures.add(failed(code));
            Job once = here.await(here.desk.submit(backup("orders")).id(), JobState.FAILED);
            assertThat(once.attempts()).as(code.toString()).isEqualTo(1);
        }
        gate.failures.add(failed(ErrorCode.STORE_UNAVAILABLE));
        JobRequest restore = new JobRequest(JobKind.RESTORE, "orders", Map.of(), "test");
        assertThat(here.await(here.desk.submit(restore).id(), JobState.FAILED).attempts())
                .isEqualTo(1);
        gate.failures.add(failed(ErrorCode.STORE_UNAVAILABLE));
        JobRequest hurry =
                new JobRequest(
                        JobKind.VERIFY, "", Map.of(JobRequest.TIMEOUT, "3600"), "test");
        assertThat(here.await(here.desk.submit(hurry).id(), JobState.FAILED).attempts())
                .as("the next attempt would come behind the time-out")
                .isEqualTo(1);
    }

    @Test
    void whatWaitsForItsNextAttemptHoldsNobodyUpAndCanBeCancelled() {
        Station here = station(new ServerState.Directory(folder), QUICK, LATER);
        gate.failures.add(failed(ErrorCode.STORE_UNAVAILABLE));
        gate.through.countDown();
        String waits = here.desk.submit(backup("orders")).id();
        Await.until("it to wait", () -> here.table.get(waits).due().isPresent());
        Job job = here.table.get(waits);
        assertThat(job.state()).isEqualTo(JobState.QUEUED);
        assertThat(job.started()).isEmpty();
        here.await(here.desk.submit(backup("orders")).id(), JobState.DONE);
        here.desk.cancel(waits);
        assertThat(here.table.get(waits).state()).isEqualTo(JobState.CANCELLED);
        assertThat(here.table.get(waits).due()).isEmpty();
        Await.until(
                "nothing to be left",
                () ->
                        JdbcClient.create(here.state.source())
                                        .sql("select count(*) from scheduled_tasks")
                                        .query(Long.class)
                                        .single()
                                == 0);
        assertThat(gate.runs).hasValue(2);
    }

    @Test
    void theNextServerGoesOnWithThePolicy() {
        String id;
        try (Station here = station(new ServerState.Directory(folder), QUICK, SOON)) {
            gate.failures.add(failed(ErrorCode.STORE_UNAVAILABLE));
            id = here.desk.submit(backup("orders")).id();
            Await.until("it to wait", () -> here.table.get(id).due().isPresent());
        }
        open.clear();
        gate.through.countDown();
        Station again = station(new ServerState.Directory(folder), QUICK, SOON);
        again.await(id, JobState.DONE);
        List<JobAttempt> attempts = again.table.attempts(id);
        assertThat(attempts).hasSize(2);
        assertThat(attempts.getFirst().server()).isNotEqualTo(attempts.getLast().server());
    }

    @Test
    void anAttemptWhoseServerForgotItsTimeComesAtItsTime() {
        Station here = station(new ServerState.Directory(folder), QUICK, LATER);
        gate.failures.add(failed(ErrorCode.STORE_UNAVAILABLE));
        String id = here.desk.submit(backup("orders")).id();
        JdbcClient jdbc = JdbcClient.create(here.state.source());
        Await.until("it to wait", () -> here.table.get(id).due().isPresent());
        Instant due = here.table.get(id).due().orElseThrow();
        Await.until("its time to be known", () -> time(jdbc).equals(due));
        // as a server leaves it that was killed between the two
        jdbc.sql("update scheduled_tasks set execution_time = :now")
                .param("now", SqlTime.of(Instant.now()))
                .update();
        Await.until("its time to be known again", () -> time(jdbc).equals(due));
        assertThat(gate.runs).hasValue(1);
    }

    private static JobRequest within(Duration from, Duration to, boolean cancel) {
        ZonedDateTime now = ZonedDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.SECONDS);
        return new JobRequest(
                JobKind.BACKUP,
                "orders",
                Map.of(
                        JobRequest.WINDOW,
                        new DailyHours(
                                        now.plus(from).toLocalTime(),
                                        now.plus(to).toLocalTime(),
                                        ZoneOffset.UTC)
                                .text(),
                        JobRequest.CANCEL_AT_END,
                        Boolean.toString(cancel)),
                "test");
    }

    @Test
    void aJobBeginsInItsWindowAloneAndHoldsNobodyUpUntilThen() {
        Station here = station(new ServerState.Directory(folder), QUICK, SOON);
        gate.through.countDown();
        String waits =
                here.desk.submit(within(Duration.ofHours(2), Duration.ofHours(3), false)).id();
        Await.until("it to wait", () -> here.table.get(waits).due().isPresent());
        assertThat(here.table.get(waits).due().orElseThrow())
                .isBetween(Instant.now().plusSeconds(7100), Instant.now().plusSeconds(7200));
        here.await(here.desk.submit(backup("orders")).id(), JobState.DONE);
        gate.failures.add(failed(ErrorCode.STORE_UNAVAILABLE));
        JobRequest open = within(Duration.ofHours(-2), Duration.ofHours(2), true);
        assertThat(here.await(here.desk.submit(open).id(), JobState.DONE).attempts()).isEqualTo(2);
        assertThat(gate.runs).hasValue(3);
        assertThat(here.table.get(waits).state()).isEqualTo(JobState.QUEUED);
    }

    @Test
    void aWindowThatClosesCancelsWhatHasNotEndedIfItIsTo() {
        Station here = station();
        String id =
                here.desk
                        .submit(within(Duration.ofHours(-2), Duration.ofSeconds(3), true))
                        .id();
        Job late = here.await(id, JobState.FAILED);
        assertThat(late.failure().orElseThrow().error()).isEqualTo("MS-1207");
    }

    @Test
    void noAttemptComesBehindAWindowThatCancels() {
        Station here = station(new ServerState.Directory(folder), QUICK, LATER);
        gate.failures.add(failed(ErrorCode.STORE_UNAVAILABLE));
        JobRequest open = within(Duration.ofHours(-2), Duration.ofHours(2), true);
        Job failed = here.await(here.desk.submit(open).id(), JobState.FAILED);
        assertThat(failed.attempts()).isEqualTo(1);
    }

    private static Instant time(JdbcClient jdbc) {
        return jdbc.sql("select execution_time from scheduled_tasks")
                .query((row, _) -> SqlTime.read(row, "execution_time"))
                .single();
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
            Station one = station(shared, QUICK, SOON);
            Station two = station(shared, QUICK, SOON);
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
            attemptsAreShared(one, two);
            one.close();
            two.close();
            open.clear();
        }
    }

    private void attemptsAreShared(Station one, Station two) {
        int before = gate.runs.get();
        for (int i = 0; i < 10; i++) {
            gate.failures.add(failed(ErrorCode.STORE_UNAVAILABLE));
        }
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            ids.add((i % 2 == 0 ? one : two).desk.submit(backup("orders")).id());
        }
        ids.forEach(each -> two.await(each, JobState.DONE));
        int attempts =
                ids.stream()
                        .map(one.table::attempts)
                        .peek(all -> assertThat(all.getLast().state()).isEqualTo(JobState.DONE))
                        .mapToInt(List::size)
                        .sum();
        assertThat(attempts).isEqualTo(20).isEqualTo(gate.runs.get() - before);
    }
}
