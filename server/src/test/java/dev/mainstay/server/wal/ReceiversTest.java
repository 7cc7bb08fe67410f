package dev.mainstay.server.wal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/// Receivers of a real server's WAL, of two servers that share a state.
class ReceiversTest {
    private static final Receivers.Pace QUICK =
            new Receivers.Pace(
                    Duration.ofMillis(50),
                    Duration.ofMillis(200),
                    Duration.ofMillis(100),
                    Duration.ofMillis(50));

    private final ServerDirectory folder = ServerDirectory.create();
    private final TestCluster cluster = TestCluster.create(Versions.NEWEST);
    private final StateDatabase state =
            StateDatabase.open(
                    new ServerState.Directory(folder.path().resolve("state")), Map.of());
    private final ReceiverTable table = new ReceiverTable(JdbcClient.create(state.source()));

    @BeforeEach
    void repository() {
        RepositoryAccess.create(
                        surroundings("a").configuration().repository(), Ground.ofThisHost())
                .close();
        cluster.sql("create table t (n int)");
    }

    @AfterEach
    void close() {
        state.close();
        cluster.close();
    }

    private Surroundings surroundings(String server) {
        String yaml =
                """
                repository: { url: "file://%1$s/repository", encryption: none }
                sources:
                  orders:
                    postgres:
                      url: postgresql://postgres@127.0.0.1:%2$d/postgres
                      receiver: { spool: spool-%3$s, status-interval: 100ms, ship-interval: 100ms }
                  elsewhere:
                    postgres: { url: "postgresql://postgres@127.0.0.1:%2$d/postgres", receiver: off }
                """
                        .formatted(folder.path(), cluster.port(), server);
        return new Surroundings(
                new ConfigurationReader(Map.of()).parse("m.yaml", yaml, folder.path()),
                Map.of(),
                Ground.ofThisHost());
    }

    private Receivers start(String server) {
        Receivers receivers = new Receivers(surroundings(server), table, server, QUICK);
        receivers.start();
        return receivers;
    }

    private static void stop(Receivers receivers) {
        receivers.stop();
        receivers.await();
    }

    private void await(String server, ReceiverState wanted) {
        Await.until(
                server + " to be " + wanted.word(),
                () ->
                        table.find("orders")
                                .filter(each -> each.server().equals(server))
                                .filter(each -> each.state() == wanted)
                                .isPresent());
    }

    /// What was written before this call is in the repository after it.
    private void awaitStored() {
        cluster.sql("insert into t values (1)");
        Lsn written = Lsn.parse(cluster.value("select pg_current_wal_flush_lsn()"));
        Await.until(
                "WAL up to " + written + " to be stored",
                () ->
                        table.find("orders")
                                .flatMap(ReceiverReport::status)
                                .filter(status -> !status.stored().isBefore(written))
                                .isPresent());
    }

    @Test
    void walFlowsThroughRestartsOfTheServerAndTheStateSaysHowItFares() {
        cluster.stop();
        Receivers receivers = start("a");
        try {
            await("a", ReceiverState.FAILED);
            assertThat(table.find("orders").orElseThrow().failure().orElseThrow().error())
                    .isEqualTo("MS-0501");
            cluster.start();
            await("a", ReceiverState.RECEIVING);
            awaitStored();
            assertThat(table.find("orders").orElseThrow().failure()).isEmpty();
            cluster.stop();
            Await.until(
                    "a warning",
                    () ->
                            table.find("orders").flatMap(ReceiverReport::warning).stream()
                                    .anyMatch(text -> text.contains("MS-0501")));
            cluster.start();
            awaitStored();
            assertThat(table.find("orders").orElseThrow().warning()).isEmpty();
            assertThat(table.list()).hasSize(1);
        } finally {
            stop(receivers);
        }
        assertThat(table.find("orders").orElseThrow().state()).isEqualTo(ReceiverState.STOPPED);
    }

    @Test
    void anotherConfigurationIsFollowed() {
        Configuration both = surroundings("a").configuration();
        Configuration without =
                new ConfigurationReader(Map.of())
                        .parse(
                                "m.yaml",
                                "repository: { url: \"file://%s/repository\", encryption: none }\n"
                                        .formatted(folder.path()),
                                folder.path());
        AtomicReference<Configuration> now = new AtomicReference<>(without);
        Receivers receivers =
                new Receivers(
                        new Surroundings(now::get, Map.of(), Ground.ofThisHost()), table, "a", QUICK);
        receivers.start();
        try {
            assertThat(table.list()).isEmpty();
            now.set(both);
            await("a", ReceiverState.RECEIVING);
            awaitStored();
            now.set(without);
            await("a", ReceiverState.STOPPED);
            now.set(surroundings("other-spool").configuration());
            await("a", ReceiverState.RECEIVING);
            awaitStored();
        } finally {
            stop(receivers);
        }
    }

    @Test
    void oneServerReceivesAndTheOtherTakesOverWhenItIsGone() {
        Receivers first = start("a");
        Receivers second;
        try {
            await("a", ReceiverState.RECEIVING);
            second = start("b");
            awaitStored();
            assertThat(table.find("orders").orElseThrow().server()).isEqualTo("a");
        } finally {
            stop(first);
        }
        try {
            await("b", ReceiverState.RECEIVING);
            awaitStored();
        } finally {
            stop(second);
        }
    }

    @Test
    void walFlowsOnWhileTheStateIsAway() {
        Receivers receivers = start("a");
        try {
            awaitStored();
            state.close();
            cluster.sql("insert into t values (2)");
            Lsn written = Lsn.parse(cluster.value("select pg_current_wal_flush_lsn()"));
            Await.until(
                    "the slot to follow what is stored",
                    () ->
                            !Lsn.parse(
                                            cluster.value(
                                                    "select restart_lsn from"
                                                            + " pg_replication_slots"))
                                    .isBefore(written));
        } finally {
            stop(receivers);
        }
    }
}
