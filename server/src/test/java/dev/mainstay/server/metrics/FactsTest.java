package dev.mainstay.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.archive.WalReceiver;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.base.BackupId;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.server.job.Attempt;
import dev.mainstay.server.job.EngineWork;
import dev.mainstay.server.job.JobKind;
import dev.mainstay.server.job.JobRequest;
import dev.mainstay.server.Certificate;
import dev.mainstay.server.security.TokenTable;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.server.view.RepositoryView;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/// Facts of a real cluster with a standby, its backups, and a copy.
class FactsTest {
    private final ServerDirectory folder = ServerDirectory.create();

    private Configuration configuration(TestCluster cluster) {
        return new ConfigurationReader(Map.of())
                .parse(
                        "m.yaml",
                        """
                        repository:
                          url: file://%1$s/repository
                          key: { file: %1$s/repository.key }
                        copies:
                          offsite: { url: file://%1$s/copy }
                        retention: { full: { count: 1 } }
                        sources:
                          orders:
                            postgres:
                              url: postgresql://postgres@127.0.0.1:%2$d/postgres
                              data-directory: %3$s
                              receiver: { spool: %1$s/spool, status-interval: 100ms, ship-interval: 200ms }
                          never:
                            postgres: { url: postgresql://backup@127.0.0.1:1/postgres }
                        server:
                          state: { directory: %1$s/state }
                          tls: { certificate: %1$s/c.pem, key: %1$s/k.pem }
                        """
                                .formatted(folder.path(), cluster.port(), cluster.dataDirectory()),
                        folder.path());
    }

    private static FactsKeeper keeper(Surroundings surroundings, StateDatabase state) {
        JdbcClient jdbc = JdbcClient.create(state.source());
        return new FactsKeeper(
                surroundings,
                new RepositoryView(surroundings),
                jdbc,
                new TokenTable(jdbc, surroundings.ground()),
                Optional::empty,
                FactsKeeper.Pace.USUAL);
    }

    private static Facts until(FactsKeeper keeper, String what, Predicate<Facts> holds) {
        Await.until(
                what,
                Duration.ofMinutes(1),
                () -> {
                    keeper.lookNow();
                    return holds.test(keeper.facts());
                });
        return keeper.facts();
    }

    private static ArchiveFacts archive(Facts facts) {
        return facts.source("orders").archive().orElseThrow();
    }

    @Test
    void ofACluster() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST);
                TestCluster standby = cluster.standby("berlin", Map.of());
                StateDatabase state =
                        StateDatabase.open(
                                new ServerState.Directory(folder.path().resolve("state")),
                                Map.of())) {
            Certificate.make(folder.path());
            Configuration configuration = configuration(cluster);
            Surroundings surroundings =
                    new Surroundings(configuration, Map.of(), Ground.ofThisHost());
            FactsKeeper keeper = keeper(surroundings, state);
            try (Repository repository =
                    RepositoryAccess.create(configuration.repository(), surroundings.ground())) {
                keeper.lookNow();
                nothingYet(keeper.facts());
                assertThat(folder.path().resolve("copy")).as("a look makes nothing").doesNotExist();
                assertThat(keeper.facts().copies().values())
                        .singleElement()
                        .satisfies(copy -> assertThat(copy.problem()).isEmpty());
                WalReceiver receiver =
                        new WalReceiver(
                                repository.sourceOrAdd("orders"),
                                surroundings.connection(configuration.source("orders").postgres()),
                                configuration.source("orders").postgres().receiver(),
                                1,
                                Progress.none(),
                                Duration.ofMillis(200),
                                _ -> {});
                Thread receiving = Thread.ofPlatform().name("receiver").start(receiver::run);
                EngineWork work = new EngineWork(surroundings);
                Instant before = Instant.now();
                for (String type : new String[] {"full", "incremental", "full"}) {
                    work.run(
                            new JobRequest(
                                    JobKind.BACKUP, "orders", Map.of("type", type), "test"),
                            Progress.none(),
                            Attempt.first());
                }
                aTryBehindACommitTakesNoSecondBackup(work, repository);
                work.run(
                        new JobRequest(JobKind.COPY, "offsite", Map.of(), "test"),
                        Progress.none(),
                        Attempt.first());
                cluster.sql("CREATE TABLE t (i int)", "INSERT INTO t SELECT generate_series(1, 1000)");
                protectedNow(keeper, before);
                aReloadIsSeen(keeper, cluster);
                history(state);
                String scrape = everythingThatIsUsed(keeper);
                FactsKeeper afterwards = keeper(surroundings, state);
                afterwards.lookNow();
                assertThat(Scrape.text(afterwards.facts()).lines().filter(FactsTest::counts))
                        .as("counters are what the state says, also after a restart")
                        .containsExactlyElementsOf(scrape.lines().filter(FactsTest::counts).toList())
                        .isNotEmpty();
                afterwards.stop();
                receiving.interrupt();
                receiving.join();
                standby.stop();
                behind(keeper, cluster);
                cluster.stop();
                down(keeper);
            } finally {
                keeper.stop();
            }
        }
    }

    private static void aTryBehindACommitTakesNoSecondBackup(
            EngineWork work, Repository repository) {
        List<CommittedBackup> before = repository.requireSource("orders").backups();
        BackupId nobodys = BackupId.of(Instant.now(), new byte[4]);
        Attempt second =
                new Attempt(
                        List.of(nobodys, before.getFirst().id()),
                        begun -> {
                            throw new AssertionError("began " + begun);
                        });
        assertThat(
                        work.run(
                                new JobRequest(JobKind.BACKUP, "orders", Map.of(), "test"),
                                Progress.none(),
                                second))
                .containsEntry("backup", before.getFirst().id().text());
        assertThat(repository.requireSource("orders").backups()).hasSameSizeAs(before);
    }

    private static void aReloadIsSeen(FactsKeeper keeper, TestCluster cluster) {
        Instant before = configured(keeper);
        cluster.reload();
        Await.until(
                "the configuration to be loaded",
                () -> {
                    keeper.lookNow();
                    return configured(keeper).isAfter(before);
                });
    }

    private static Instant configured(FactsKeeper keeper) {
        SourceFacts orders = keeper.facts().source("orders");
        assertThat(orders.archive().orElseThrow().newestStart()).isPresent();
        return orders.cluster().flatMap(ClusterFacts::readings).orElseThrow().configured();
    }

    private Configuration configuration(String... sources) {
        StringBuilder text = new StringBuilder();
        for (String each : sources) {
            text.append("  ").append(each).append(": { postgres: { url: postgresql://x@127.0.0.1:1/x } }\n");
        }
        return new ConfigurationReader(Map.of())
                .parse(
                        "m.yaml",
                        """
                        repository: { url: "file://%s/followed", encryption: none }
                        sources:
                        %s
                        """
                                .formatted(folder.path(), text),
                        folder.path());
    }

    @Test
    void anotherConfigurationIsFollowed() {
        Configuration first = configuration("orders", "stock");
        AtomicReference<Configuration> now = new AtomicReference<>(first);
        Surroundings surroundings = new Surroundings(now::get, Map.of(), Ground.ofThisHost());
        RepositoryAccess.create(first.repository(), surroundings.ground()).close();
        try (StateDatabase state =
                StateDatabase.open(
                        new ServerState.Directory(folder.path().resolve("followed-state")), Map.of())) {
            FactsKeeper keeper = keeper(surroundings, state);
            keeper.lookNow();
            assertThat(keeper.facts().sources()).containsOnlyKeys("orders", "stock");
            now.set(configuration("stock", "bills"));
            keeper.lookNow();
            keeper.lookNow();
            assertThat(keeper.facts().sources()).containsOnlyKeys("stock", "bills");
            assertThat(keeper.facts().sources().values())
                    .allSatisfy(
                            each -> {
                                assertThat(each.cluster()).isPresent();
                                assertThat(each.archive()).isPresent();
                            });
            keeper.stop();
        }
    }

    private static boolean counts(String line) {
        return !line.startsWith("#") && line.contains("_total{");
    }

    /// Jobs of all ends, and sizes of two days.
    private static void history(StateDatabase state) {
        JdbcClient jdbc = JdbcClient.create(state.source());
        OffsetDateTime now = OffsetDateTime.now(ZoneOffset.UTC);
        for (String row :
                new String[] {
                    "1 backup orders done full 60",
                    "2 backup orders done full 120",
                    "3 backup orders failed full 5",
                    "4 backup orders interrupted incremental 5",
                    "5 backup orders done incremental 10",
                    "6 verify orders done - 30",
                    "7 restore orders done - 90"
                }) {
            String[] parts = row.split(" ", -1);
            jdbc.sql(
                            """
                            insert into job (id, lane, kind, target, parameters, requested_by, state, created_at,
                              started_at, ended_at, cancel_requested, bytes_done, bytes_total, result)
                            values (?, 'l', ?, ?, ?, 'test', ?, ?, ?, ?, false, 0, 0, ?)
                            """)
                    .params(
                            parts[0],
                            parts[1],
                            parts[2],
                            "{\"type\":\"" + parts[4] + "\"}",
                            parts[3],
                            now.minusHours(1),
                            now.minusHours(1),
                            now.minusHours(1).plusSeconds(Long.parseLong(parts[5])),
                            "{\"type\":\"" + parts[4] + "\"}")
                    .update();
        }
        for (int hour = 48; hour > 0; hour--) {
            jdbc.sql("insert into size_sample (what, at, bytes) values ('repository', ?, ?)")
                    .params(now.truncatedTo(ChronoUnit.HOURS).minusHours(hour), 1_000_000 - hour)
                    .update();
        }
    }

    private static String everythingThatIsUsed(FactsKeeper keeper) throws Exception {
        keeper.lookNow();
        String scrape = Scrape.text(keeper.facts());
        assertThat(scrape)
                .contains(
                        "backup_success_total{component=\"orders\",type=\"full\"} 2.0",
                        "backup_success_total{component=\"never\",type=\"full\"} 0.0",
                        "backup_failure_total{component=\"orders\",type=\"full\"} 1.0",
                        "backup_failure_total{component=\"orders\",type=\"incremental\"} 1.0",
                        "backup_job_failures_total{source=\"orders\"} 2.0",
                        "backup_duration_seconds{component=\"orders\",type=\"full\",quantile=\"0.5\"} 60.0",
                        "backup_duration_seconds_count{component=\"orders\",type=\"full\"} 2",
                        "backup_duration_seconds_sum{component=\"orders\",type=\"full\"} 180.0",
                        "disaster_recovery_rto_seconds{source=\"orders\"} 90.0",
                        "mainstay_verify_age_seconds{source=\"orders\"}",
                        "mainstay_jobs_ended_total{kind=\"restore\",state=\"done\",target=\"orders\"} 1.0");
        DeployTest.demandThatAllIsIn(scrape);
        DeployTest.demandThatPrometheusReads(scrape);
        return scrape;
    }

    private static void nothingYet(Facts facts) {
        assertThat(archive(facts).backups()).isEmpty();
        assertThat(archive(facts).recoveryPoint(facts.at())).isEmpty();
        assertThat(facts.jobs().restores()).as("nothing was restored").isEmpty();
        assertThat(facts.source("never").cluster().orElseThrow().up()).isFalse();
        assertThat(Scrape.text(facts))
                .contains("mainstay_backups{source=\"orders\"} 0", "mainstay_postgres_up{source=\"never\"} 0")
                .doesNotContain("disaster_recovery_rto_seconds", "disaster_recovery_rpo_seconds");
    }

    private static void protectedNow(FactsKeeper keeper, Instant before) {
        Facts facts =
                until(
                        keeper,
                        "everything to be stored",
                        seen ->
                                archive(seen).wal().isPresent()
                                        && archive(seen).wal().get().lagBytes().orElse(1) == 0);
        ArchiveFacts archive = archive(facts);
        assertThat(archive.backups()).hasSize(3);
        assertThat(archive.newest("incremental")).isPresent();
        assertThat(archive.removable()).as("one full one is to be kept").isEqualTo(1);
        assertThat(archive.kept()).isEqualTo(2);
        assertThat(archive.windowBegin().orElseThrow()).isBetween(before, Instant.now());
        assertThat(archive.recoveryPoint(Instant.now()).orElseThrow())
                .as("all is stored that the server had when it was asked")
                .isLessThan(Duration.ofSeconds(30));
        assertThat(archive.wal().orElseThrow().gaps()).isZero();
        ClusterFacts.Readings readings =
                facts.source("orders").cluster().orElseThrow().readings().orElseThrow();
        assertThat(readings.standbys()).hasSize(1);
        assertThat(readings.standbys().getFirst().lag()).isPresent();
        assertThat(readings.connectionsMax()).isPositive();
        assertThat(readings.databaseBytes()).containsKey("postgres");
        assertThat(readings.slots()).extracting(ClusterFacts.Slot::name).contains("mainstay_orders");
        CopyFacts copy = facts.copies().values().iterator().next();
        assertThat(copy.problem()).isEmpty();
        assertThat(copy.bytes().orElseThrow()).isPositive();
        assertThat(facts.repository().bytes().orElseThrow()).isPositive();
        assertThat(facts.spaces()).extracting(SpaceFacts::what).contains("repository", "spool orders");
        assertThat(Scrape.text(facts))
                .contains(
                        "backup_last_success_timestamp{source=\"orders\",type=\"full\"}",
                        "pg_stat_replication_lag_seconds{source=\"orders\"",
                        "disaster_recovery_rpo_seconds{source=\"orders\"}");
    }

    /// Nobody receives any more: what is stored stays, what is not grows old.
    private static void behind(FactsKeeper keeper, TestCluster cluster) {
        keeper.lookNow();
        Instant covered = archive(keeper.facts()).covered().orElseThrow();
        cluster.sql("INSERT INTO t SELECT generate_series(1, 100000)");
        Facts facts =
                until(
                        keeper,
                        "the lag to be seen",
                        seen -> archive(seen).wal().orElseThrow().lagBytes().orElse(0) > 1_000_000);
        assertThat(archive(facts).covered().orElseThrow())
                .isBetween(covered, covered.plusSeconds(60));
        until(
                keeper,
                "the recovery point to grow old",
                seen ->
                        archive(seen)
                                        .recoveryPoint(seen.at())
                                        .orElseThrow()
                                        .compareTo(Duration.ofSeconds(1))
                                > 0);
    }

    private static void down(FactsKeeper keeper) {
        keeper.lookNow();
        ClusterFacts facts =
                keeper.facts().source("orders").cluster().orElseThrow();
        assertThat(facts.up()).isFalse();
        assertThat(facts.problem().orElseThrow().message()).isNotBlank();
        assertThat(Scrape.text(keeper.facts()))
                .contains("mainstay_postgres_up{source=\"orders\"} 0")
                .doesNotContain("mainstay_postgres_connections{source=\"orders\"}");
        assertThat(archive(keeper.facts()).recoveryPoint(keeper.facts().at())).isPresent();
    }
}
