package dev.mainstay.server.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.repository.AuditEntry;
import dev.mainstay.repository.AuditFacts;
import dev.mainstay.repository.AuditProof;
import dev.mainstay.repository.AuditState;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.testkit.SettableClock;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// The trail in a state and what is published of it, on H2 and on PostgreSQL.
class AuditTrailTest {
    private static final int SERVERS = 3;
    private static final int THREADS = 4;
    private static final int EACH = 25;

    @TempDir Path folder = Path.of("");
    private final SettableClock clock =
            SettableClock.at(Instant.parse("2026-11-22T10:00:00Z"));
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    private Surroundings surroundings() {
        Ground ground = new Ground(clock, Ground.ofThisHost().random());
        Surroundings surroundings =
                new Surroundings(
                        new ConfigurationReader(Map.of())
                                .parse(
                                        "m.yaml",
                                        """
                                        repository:
                                          url: file://%s/repository
                                          key: { file: repository.key }
                                        """
                                                .formatted(folder),
                                        folder),
                        Map.of(),
                        ground);
        if (!Files.exists(folder.resolve("repository"))) {
            RepositoryAccess.create(surroundings.configuration().repository(), ground).close();
        }
        return surroundings;
    }

    /// A server's part in this.
    private record Station(
            StateDatabase state, AuditTrail trail, AuditPublisher publisher, JdbcClient jdbc) {}

    private Station station(ServerState where) {
        Surroundings surroundings = surroundings();
        StateDatabase state = StateDatabase.open(where, Map.of());
        open.add(state);
        JdbcClient jdbc = JdbcClient.create(state.source());
        AuditTrail trail =
                new AuditTrail(
                                jdbc,
                                new TransactionTemplate(new JdbcTransactionManager(state.source())),
                                surroundings.ground(),
                                ServerName.next(surroundings.ground()))
                        .begun();
        return new Station(state, trail, new AuditPublisher(surroundings, trail), jdbc);
    }

    private ServerState.Directory own(String name) {
        return new ServerState.Directory(folder.resolve(name));
    }

    private AuditProof.Report proof(Optional<AuditState> state) {
        try (Repository repository = surroundings().open()) {
            return new AuditProof(repository, state).run();
        }
    }

    private static void happen(AuditTrail trail, int count) {
        for (int i = 0; i < count; i++) {
            trail.append("token 1 (a)", "127.0.0.1", "POST /api/v1/jobs", "job " + i, "202");
        }
    }

    /// Many threads append to one state, from as many servers as there are stations; one order.
    private void oneOrder(List<Station> stations) throws Exception {
        CountDownLatch at = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (Station station : stations) {
                for (int thread = 0; thread < THREADS; thread++) {
                    all.add(
                            threads.submit(
                                    () -> {
                                        at.await();
                                        happen(station.trail, EACH);
                                        station.publisher.publish();
                                        return null;
                                    }));
                }
            }
            at.countDown();
            for (Future<?> each : all) {
                each.get();
            }
        }
        AuditProof.Report report = proof(Optional.of(stations.getFirst().trail));
        assertThat(report.findings()).isEmpty();
        assertThat(report.trails()).hasSize(1);
        AuditProof.Trail trail = report.trails().getFirst();
        assertThat(trail.entries()).isEqualTo((long) stations.size() * THREADS * EACH);
        assertThat(trail.published()).isEqualTo(trail.entries());
        assertThat(proof(Optional.empty()).findings()).isEmpty();
    }

    @Test
    void allThreadsOfAServerWriteOneChain() throws Exception {
        oneOrder(List.of(station(own("state"))));
    }

    @Test
    void serversThatShareAStateWriteOneChain() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            cluster.sql("CREATE ROLE mainstay LOGIN", "CREATE DATABASE state OWNER mainstay");
            ServerState shared =
                    new ServerState.Shared(
                            "postgresql://mainstay@127.0.0.1:" + cluster.port() + "/state",
                            Optional.empty());
            List<Station> stations = new ArrayList<>();
            for (int i = 0; i < SERVERS; i++) {
                stations.add(station(shared));
            }
            oneOrder(stations);
            close();
            open.clear();
        }
    }

    @Test
    void whatIsDoneToTheStateIsNamed() {
        Station station = station(own("state"));
        happen(station.trail, 10);
        station.publisher.publish();
        happen(station.trail, 3);
        assertThat(proof(Optional.of(station.trail)).findings()).isEmpty();
        Map<String, String> attacks =
                Map.of(
                        "update audit_entry set outcome = '403' where number = 5", "entry 5 ",
                        "delete from audit_entry where number = 6", "entry 6 ",
                        "update audit_entry set who = 'token 2 (b)' where number = 12",
                                "entry 12 ",
                        "delete from audit_entry where number > 11", "entries 12 to 13");
        attacks.forEach(
                (sql, named) -> {
                    station.jdbc
                            .sql("create table kept as select * from audit_entry")
                            .update();
                    station.jdbc.sql(sql).update();
                    assertThat(proof(Optional.of(station.trail)).findings())
                            .as(sql)
                            .anySatisfy(each -> assertThat(each).contains(named));
                    station.jdbc.sql("delete from audit_entry").update();
                    station.jdbc.sql("insert into audit_entry select * from kept").update();
                    station.jdbc.sql("drop table kept").update();
                });
        assertThat(proof(Optional.of(station.trail)).findings()).isEmpty();
    }

    @Test
    void theTrailOfALostStateStaysAndAnotherBegins() {
        Station first = station(own("state"));
        happen(first.trail, 4);
        first.publisher.publish();
        Station second = station(own("another"));
        happen(second.trail, 2);
        second.publisher.publish();
        AuditProof.Report report = proof(Optional.of(second.trail));
        assertThat(report.findings()).isEmpty();
        assertThat(report.trails())
                .extracting(AuditProof.Trail::published)
                .containsExactlyInAnyOrder(4L, 2L);
    }

    @Test
    void aStateThatWasSetBackBeginsAnotherTrailAndSaysSo() throws IOException {
        Station station = station(own("state"));
        happen(station.trail, 2);
        station.publisher.publish();
        station.jdbc.sql("create table old_head as select * from audit_head").update();
        happen(station.trail, 3);
        station.publisher.publish();
        station.jdbc.sql("delete from audit_entry where number > 2").update();
        station.jdbc.sql("delete from audit_head").update();
        station.jdbc.sql("insert into audit_head select * from old_head").update();
        assertThat(proof(Optional.of(station.trail)).findings())
                .anySatisfy(each -> assertThat(each).contains("cut off, or set back"));
        happen(station.trail, 1);
        station.publisher.publish();
        station.publisher.publish();
        AuditTrail.Filter all =
                new AuditTrail.Filter("", "", "", "", Optional.empty(), Optional.empty());
        assertThat(station.trail.list(all, Long.MAX_VALUE, 1).getFirst().entry().facts().action())
                .isEqualTo("audit trail begins anew");
        assertThat(proof(Optional.empty()).trails())
                .extracting(AuditProof.Trail::published)
                .containsExactlyInAnyOrder(5L, 1L);
    }

    @Test
    void headsThatVanishAreOnRecordAndComeBack() throws IOException {
        Station station = station(own("state"));
        happen(station.trail, 2);
        station.publisher.publish();
        Path newest =
                folder.resolve("repository/audit/" + station.trail.end().trail())
                        .resolve("0000000000000002");
        Files.delete(newest);
        assertThat(proof(Optional.of(station.trail)).findings())
                .anySatisfy(each -> assertThat(each).contains("removed from the repository"));
        happen(station.trail, 1);
        station.publisher.publish();
        station.publisher.publish();
        assertThat(proof(Optional.of(station.trail)).findings()).isEmpty();
        List<AuditState.Kept> kept =
                station.trail.entries(station.trail.end().trail(), 1, Long.MAX_VALUE);
        assertThat(kept)
                .anySatisfy(
                        each ->
                                assertThat(each.entry().facts().action())
                                        .contains("gone from the repository"));
    }

    @Test
    void aScannerDoesNotFillTheState() {
        Station station = station(own("state"));
        Refusals refusals =
                new Refusals(station.trail, new Ground(clock, Ground.ofThisHost().random()));
        for (int i = 0; i < 1000; i++) {
            refusals.note("", "10.0.0." + i % 200, "GET no endpoint", "401");
        }
        assertThat(station.trail.end().number()).isEqualTo(21);
        clock.advance(Duration.ofMinutes(1));
        refusals.note("", "10.0.0.1", "GET no endpoint", "401");
        List<AuditState.Kept> all =
                station.trail.entries(station.trail.end().trail(), 1, Long.MAX_VALUE);
        assertThat(all).hasSize(43);
        assertThat(all.stream().mapToLong(each -> each.entry().facts().times()).sum())
                .isEqualTo(1001);
        assertThat(proof(Optional.of(station.trail)).findings()).isEmpty();
    }

    private static List<Long> paged(AuditTrail trail, AuditTrail.Filter filter) {
        List<Long> places = new ArrayList<>();
        long before = Long.MAX_VALUE;
        while (true) {
            List<AuditTrail.Placed> page = trail.list(filter, before, 3);
            page.forEach(each -> places.add(each.position()));
            if (page.size() < 3) {
                return places;
            }
            before = page.getLast().position();
        }
    }

    @Test
    void pagesMissNothingAndRepeatNothingWhateverIsAskedFor() {
        Station station = station(own("state"));
        for (int i = 0; i < 40; i++) {
            // Servers' clocks differ, and often it is the same moment.
            clock.advance(Duration.ofSeconds(i % 3 == 0 ? 2 : i % 7 == 0 ? -3 : 0));
            station.trail.append(
                    "token " + i % 3, "10.0.0." + i % 2, "a" + i % 4, "", "20" + i % 5);
        }
        List<AuditState.Kept> all =
                station.trail.entries(station.trail.end().trail(), 1, Long.MAX_VALUE);
        Optional<Instant> from = Optional.of(all.get(9).entry().facts().at());
        Optional<Instant> until = Optional.of(all.get(30).entry().facts().at());
        for (String who : List.of("", "token 1")) {
            for (String action : List.of("", "a2")) {
                for (String outcome : List.of("", "203")) {
                    for (int times = 0; times < 4; times++) {
                        AuditTrail.Filter filter =
                                new AuditTrail.Filter(
                                        who,
                                        action,
                                        outcome,
                                        "",
                                        times % 2 == 0 ? Optional.empty() : from,
                                        times / 2 == 0 ? Optional.empty() : until);
                        Comparator<AuditEntry> order =
                                Comparator.comparingLong(AuditEntry::number).reversed();
                        boolean ofTime = times > 0 && (who + action + outcome).isEmpty();
                        assertThat(paged(station.trail, filter))
                                .as("%s", filter)
                                .isEqualTo(
                                        all.stream()
                                                .map(AuditState.Kept::entry)
                                                .filter(each -> fits(filter, each.facts()))
                                                .sorted(
                                                        ofTime
                                                                ? Comparator.comparing(
                                                                                (AuditEntry each) ->
                                                                                        each.facts()
                                                                                                .at())
                                                                        .reversed()
                                                                        .thenComparing(order)
                                                                : order)
                                                .map(AuditEntry::number)
                                                .toList());
                    }
                }
            }
        }
    }

    private static boolean fits(AuditTrail.Filter filter, AuditFacts facts) {
        return (filter.who().isEmpty() || filter.who().equals(facts.who()))
                && (filter.action().isEmpty() || filter.action().equals(facts.action()))
                && (filter.outcome().isEmpty() || filter.outcome().equals(facts.outcome()))
                && filter.from().filter(time -> facts.at().isBefore(time)).isEmpty()
                && filter.until().filter(time -> !facts.at().isBefore(time)).isEmpty();
    }
}
