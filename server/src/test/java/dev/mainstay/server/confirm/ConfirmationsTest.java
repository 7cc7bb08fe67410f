package dev.mainstay.server.confirm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ConfirmationSettings;
import dev.mainstay.engine.config.NotificationSettings;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.audit.AuditTrail;
import dev.mainstay.server.notify.Channels;
import dev.mainstay.server.notify.NoticeTable;
import dev.mainstay.server.security.Caller;
import dev.mainstay.server.security.Persons;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.testkit.SettableClock;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/// The rules of confirmations, on H2 and on PostgreSQL.
class ConfirmationsTest {
    private static final ConfirmationSettings ALONE =
            new ConfirmationSettings(Duration.ofMinutes(10), false);
    private static final ConfirmationSettings TOGETHER =
            new ConfirmationSettings(Duration.ofMinutes(10), true);
    private static final Caller ALICE = caller("alice", Role.OPERATOR);
    private static final Caller BOB = caller("bob", Role.OPERATOR);
    private static final Danger DANGER = danger("orders", Role.OPERATOR, "one two");

    @TempDir Path folder = Path.of("");
    private final SettableClock clock = SettableClock.at(Instant.parse("2026-11-22T10:00:00Z"));
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    private static Caller caller(String name, Role role) {
        return new Caller(name, new Persons(Set.of("name " + name), Set.of("name first")), Set.of(role));
    }

    private static Danger danger(String source, Role least, String backups) {
        return new Danger(
                Danger.Action.EXPIRE,
                source,
                source,
                least,
                Map.of(source, backups),
                List.of("backup one goes"));
    }

    private StateDatabase embedded() {
        return state(new ServerState.Directory(folder.resolve("state")));
    }

    private StateDatabase state(ServerState where) {
        StateDatabase state = StateDatabase.open(where, Map.of());
        open.add(state);
        return state;
    }

    private Confirmations desk(StateDatabase state, ConfirmationSettings settings) {
        Ground ground = new Ground(clock, Ground.ofThisHost().random());
        JdbcClient jdbc = JdbcClient.create(state.source());
        TransactionTemplate transactions =
                new TransactionTemplate(new JdbcTransactionManager(state.source()));
        AuditTrail trail =
                new AuditTrail(jdbc, transactions, ground, ServerName.next(ground)).begun();
        return new Confirmations(
                new ConfirmationTable(jdbc),
                trail,
                transactions,
                () -> settings,
                ground,
                new SecondPersonCall(
                        new NoticeTable(
                                jdbc,
                                ground,
                                new Channels(channels(), ground, Duration.ofSeconds(1))),
                        this::channels));
    }

    /// By what is said of routes where nothing is said.
    private NotificationSettings channels() {
        return new ConfigurationReader(Map.of("URL", "https://127.0.0.1:1/x", "KEY", "geheim"))
                .parse(
                        "m.yaml",
                        """
                        repository: { url: file:///r, encryption: none }
                        server:
                          notifications:
                            channels:
                              chat: { type: slack, url: "${URL}" }
                              pager: { type: pagerduty, routing-key: "${KEY}" }
                              hook: { type: webhook, url: "${URL}", secret: "${KEY}" }
                        """,
                        folder)
                .server()
                .watch()
                .notifications();
    }

    private record Told(String channel, String severity, String subject, String body) {}

    private static List<Told> told(StateDatabase state) {
        return JdbcClient.create(state.source())
                .sql("select channel, severity, subject, body from notice order by channel")
                .query(
                        (row, _) ->
                                new Told(
                                        row.getString(1),
                                        row.getString(2),
                                        row.getString(3),
                                        row.getString(4)))
                .list();
    }

    @Test
    void whoHasToAgreeIsCalledAndNotToldTheToken() {
        StateDatabase state = embedded();
        desk(state, ALONE).ask(DANGER, ALICE);
        assertThat(told(state)).as("nobody has to agree").isEmpty();
        Confirmations.Issued issued = desk(state, TOGETHER).ask(DANGER, ALICE);
        assertThat(told(state)).extracting(Told::channel).containsExactly("chat", "hook");
        assertThat(told(state))
                .allSatisfy(
                        each -> {
                            assertThat(each.severity).isEqualTo("high");
                            assertThat(each.subject).contains("alice wants to expire orders");
                            assertThat(each.body)
                                    .contains(
                                            "- backup one goes",
                                            "Asked by: alice",
                                            "Good until: 2026-11-22T10:10:00Z",
                                            "approve " + issued.confirmation().id())
                                    .doesNotContain(issued.token().reveal(), "msc_");
                        });
    }

    @Test
    void whereNobodyCanBeCalledNothingIsAsked() {
        StateDatabase state = embedded();
        Confirmations desk = desk(state, TOGETHER);
        JdbcClient.create(state.source()).sql("alter table notice rename to away").update();
        assertThatThrownBy(() -> desk.ask(DANGER, ALICE)).isNotNull();
        assertThat(desk.list()).isEmpty();
    }

    private List<String> trail(StateDatabase state) {
        return JdbcClient.create(state.source())
                .sql("select who || ': ' || action || ' ' || outcome from audit_entry order by position")
                .query(String.class)
                .list();
    }

    private static void refused(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(MainstayException.class)
                .satisfies(wrong -> assertThat(((MainstayException) wrong).code()).isEqualTo(code));
    }

    private static Optional<String> token(Confirmations.Issued issued) {
        return Optional.of(issued.token().reveal());
    }

    @Test
    void whatNobodyConfirmedIsNotDoneUnlessNothingIsLost() {
        Confirmations desk = desk(embedded(), ALONE);
        refused(
                ErrorCode.CONFIRMATION_ABSENT, () -> desk.admit(DANGER, Optional.empty(), ALICE));
        Danger none =
                new Danger(
                        Danger.Action.EXPIRE, "orders", "orders", Role.OPERATOR, Map.of(), List.of());
        desk.admit(none, Optional.empty(), ALICE).run();
    }

    @Test
    void aTokenIsGoodOnceForWhoAskedAndForThatAlone() {
        StateDatabase state = embedded();
        Confirmations desk = desk(state, ALONE);
        Confirmations.Issued issued = desk.ask(DANGER, ALICE);
        refused(
                ErrorCode.CONFIRMATION_INVALID, () -> desk.admit(DANGER, token(issued), BOB));
        refused(
                ErrorCode.CONFIRMATION_INVALID,
                () -> desk.admit(DANGER, Optional.of("msc_guessed"), ALICE));
        refused(
                ErrorCode.CONFIRMATION_INVALID,
                () -> desk.admit(DANGER, Optional.of(issued.confirmation().id()), ALICE));
        for (Danger other :
                List.of(
                        danger("orders", Role.OPERATOR, "one two three"),
                        danger("orders", Role.OPERATOR, "one"),
                        danger("stock", Role.OPERATOR, "one two"),
                        new Danger(
                                Danger.Action.RELEASE,
                                "orders",
                                "orders",
                                Role.OPERATOR,
                                DANGER.bound(),
                                DANGER.words()))) {
            refused(ErrorCode.CONFIRMATION_OTHER, () -> desk.admit(other, token(issued), ALICE));
        }
        desk.admit(DANGER, token(issued), ALICE).run();
        refused(ErrorCode.CONFIRMATION_OVER, () -> desk.admit(DANGER, token(issued), ALICE));
        assertThat(trail(state))
                .contains(
                        "alice: confirmation asked " + DANGER.digest().substring(0, 16),
                        "alice: confirmation not accepted MS-1274",
                        "alice: confirmation used done",
                        "alice: confirmation not accepted MS-1273");
        List<String> rows =
                JdbcClient.create(state.source())
                        .sql("select digest || bound || words || persons from confirmation")
                        .query(String.class)
                        .list();
        assertThat(String.join(" ", rows)).doesNotContain(issued.token().reveal());
    }

    @Test
    void itEndsAfterMinutesAndAlsoBetweenLookingAndUsing() {
        Confirmations desk = desk(embedded(), ALONE);
        Confirmations.Issued issued = desk.ask(DANGER, ALICE);
        clock.advance(Duration.ofMinutes(10).minusSeconds(1));
        Runnable use = desk.admit(DANGER, token(issued), ALICE);
        clock.advance(Duration.ofSeconds(1));
        refused(ErrorCode.CONFIRMATION_OVER, use::run);
        refused(ErrorCode.CONFIRMATION_OVER, () -> desk.admit(DANGER, token(issued), ALICE));
        refused(
                ErrorCode.CONFIRMATION_OVER,
                () -> desk.refuse(issued.confirmation().id(), ALICE));
        clock.advance(Duration.ofDays(8));
        desk.ask(DANGER, ALICE);
        assertThat(desk.list()).hasSize(1);
    }

    @Test
    void aSecondPersonIsNobodyWhoMayBeTheFirst() {
        StateDatabase state = embedded();
        Confirmations desk = desk(state, TOGETHER);
        Confirmations.Issued issued = desk.ask(DANGER, ALICE);
        String id = issued.confirmation().id();
        refused(ErrorCode.CONFIRMATION_WAITS, () -> desk.admit(DANGER, token(issued), ALICE));
        Caller again =
                new Caller("another token", ALICE.persons(), Set.of(Role.ADMINISTRATOR));
        Caller made =
                new Caller(
                        "mallory",
                        new Persons(Set.of("name mallory"), Set.of("name alice")),
                        Set.of(Role.ADMINISTRATOR));
        Caller maker =
                new Caller(
                        "first",
                        new Persons(Set.of("name first"), Set.of()),
                        Set.of(Role.ADMINISTRATOR));
        for (Caller same : List.of(ALICE, again, made, maker)) {
            refused(ErrorCode.CONFIRMATION_OWN, () -> desk.approve(id, same));
        }
        refused(
                ErrorCode.ROLE_LACKING, () -> desk.approve(id, caller("carol", Role.VIEWER)));
        refused(
                ErrorCode.ROLE_LACKING, () -> desk.approve(id, caller("dave", Role.AUDITOR)));
        refused(ErrorCode.CONFIRMATION_UNKNOWN, () -> desk.approve("none", BOB));
        refused(ErrorCode.CONFIRMATION_WAITS, () -> desk.admit(DANGER, token(issued), ALICE));
        assertThat(desk.approve(id, BOB).approvedBy()).contains("bob");
        refused(ErrorCode.CONFIRMATION_OVER, () -> desk.approve(id, BOB));
        refused(ErrorCode.CONFIRMATION_INVALID, () -> desk.admit(DANGER, token(issued), BOB));
        desk.admit(DANGER, token(issued), ALICE).run();
        assertThat(trail(state))
                .contains(
                        "alice: confirmation not accepted MS-1276",
                        "bob: confirmation approved done",
                        "alice: confirmation used done");
    }

    @Test
    void whatNeedsAnAdministratorNeedsTwo() {
        Confirmations desk = desk(embedded(), TOGETHER);
        Danger danger = danger("orders", Role.ADMINISTRATOR, "one");
        refused(ErrorCode.ROLE_LACKING, () -> desk.ask(danger, ALICE));
        Confirmations.Issued issued = desk.ask(danger, caller("eve", Role.ADMINISTRATOR));
        refused(
                ErrorCode.ROLE_LACKING, () -> desk.approve(issued.confirmation().id(), BOB));
    }

    @Test
    void oneThatIsRefusedIsNeverUsed() {
        Confirmations desk = desk(embedded(), TOGETHER);
        Confirmations.Issued issued = desk.ask(DANGER, ALICE);
        String id = issued.confirmation().id();
        desk.approve(id, BOB);
        Runnable use = desk.admit(DANGER, token(issued), ALICE);
        assertThat(desk.refuse(id, BOB).refusedBy()).contains("bob");
        refused(ErrorCode.CONFIRMATION_OVER, use::run);
        refused(ErrorCode.CONFIRMATION_OVER, () -> desk.admit(DANGER, token(issued), ALICE));
    }

    /// The rule of the server that is asked counts, too.
    @Test
    void askedForAloneItIsNotEnoughWhereTwoAreNeeded() {
        StateDatabase state = embedded();
        Confirmations.Issued issued = desk(state, ALONE).ask(DANGER, ALICE);
        Confirmations strict = desk(state, TOGETHER);
        refused(ErrorCode.CONFIRMATION_WAITS, () -> strict.admit(DANGER, token(issued), ALICE));
        strict.approve(issued.confirmation().id(), BOB);
        strict.admit(DANGER, token(issued), ALICE).run();
    }

    @Test
    void whoeverIsAskedAtTheSameTimeOneOfThemTakesIt() throws Exception {
        StateDatabase state = embedded();
        takenOnce(desk(state, ALONE), desk(state, ALONE));
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            ServerState.Shared shared =
                    new ServerState.Shared(
                            "postgresql://postgres@127.0.0.1:" + cluster.port() + "/postgres",
                            Optional.empty());
            takenOnce(desk(state(shared), ALONE), desk(state(shared), ALONE));
            close();
            open.clear();
        }
    }

    private static void takenOnce(Confirmations one, Confirmations other) throws Exception {
        for (int round = 0; round < 5; round++) {
            Confirmations.Issued issued = one.ask(DANGER, ALICE);
            AtomicInteger taken = new AtomicInteger();
            AtomicInteger late = new AtomicInteger();
            CountDownLatch ready = new CountDownLatch(8);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Confirmations desk = i % 2 == 0 ? one : other;
                threads.add(
                        Thread.ofPlatform()
                                .start(
                                        () -> {
                                            Runnable use =
                                                    desk.admit(DANGER, token(issued), ALICE);
                                            ready.countDown();
                                            try {
                                                ready.await();
                                                use.run();
                                                taken.incrementAndGet();
                                            } catch (MainstayException over) {
                                                late.incrementAndGet();
                                            } catch (InterruptedException stopped) {
                                                throw new AssertionError(stopped);
                                            }
                                        }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(taken).hasValue(1);
            assertThat(late).hasValue(7);
        }
    }
}
