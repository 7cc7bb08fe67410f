package dev.mainstay.server;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.server.state.SqlTime;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// Two server processes share a state and work off many schedules of one-minute steps; again and again one of them is killed
/// by signal 9 and comes back. At the end each time of each schedule has to have come out right exactly once
/// ([OccurrenceJudge]). At the end a cluster is away for a while, so that jobs are tried again.
///
/// `-Dmainstay.servers.kills=10`, `-Dmainstay.servers.schedules=200`, `-Dmainstay.servers.speed=1` (so many minutes pass in one)
/// and `-Dmainstay.it.seed=N` choose others.
class SharedStateKillTest {
    private static final int KILLS = Integer.getInteger("mainstay.servers.kills", 2);
    private static final int SCHEDULES = Integer.getInteger("mainstay.servers.schedules", 40);
    private static final int SPEED = Integer.getInteger("mainstay.servers.speed", 6);
    private static final long SEED = Long.getLong("mainstay.it.seed", 20261122);
    private static final int SERVERS = 2;

    /// A source that is backed up has four schedules, every other one two: to verify nothing costs little.
    private static final int BACKED_UP = Math.max(2, SCHEDULES / 25);

    private static final int OTHERS = (SCHEDULES - 4 * BACKED_UP) / 2;
    private static final String MINUTE = "{ cron: \"* * * * *\", jitter: 0s }";

    private final ServerDirectory folder = ServerDirectory.create();
    private final Random random = new Random(SEED);
    private final ServerProcess.Time time =
            new ServerProcess.Time(Instant.now(), SPEED);
    private final List<Seat> seats = new ArrayList<>();
    private final List<OccurrenceJudge.Kill> kills = new ArrayList<>();

    /// A server that comes back when it was killed, under another name.
    private record Seat(Path configuration, ServerProcess process, String name) {}

    /// Each has a cluster of its own; the first one's server has the state, too.
    private final List<TestCluster> clusters = new ArrayList<>();

    private static String source(int number) {
        return number < BACKED_UP ? "cluster" + number : "empty" + number;
    }

    private Path configuration(String name, boolean scheduled) throws IOException {
        StringBuilder sources = new StringBuilder();
        for (int i = 0; i < BACKED_UP + OTHERS; i++) {
            boolean backedUp = i < BACKED_UP;
            TestCluster cluster = clusters.get(backedUp ? i : 0);
            String backups = backedUp ? MINUTE : "off";
            String minute = scheduled ? MINUTE : "off";
            sources.append(
                    """
                      %s:
                        postgres:
                          url: postgresql://postgres@127.0.0.1:%d/postgres
                          data-directory: %s
                          max-rate: 12MiB
                          receiver: %s
                        schedules: %s
                    """
                            .formatted(
                                    source(i),
                                    cluster.port(),
                                    cluster.dataDirectory(),
                                    backedUp
                                            ? "{ spool: spool-" + name
                                                    + ", status-interval: 100ms, ship-interval: 200ms }"
                                            : "off",
                                    scheduled
                                            ? "{ full: %1$s, incremental: %1$s, expire: %2$s, verify: %2$s }"
                                                    .formatted(backups, minute)
                                            : "off"));
        }
        Path file = folder.path().resolve(name + ".yaml");
        Files.writeString(
                file,
                """
                repository:
                  url: file://%1$s/repository
                  key: { file: repository.key }
                  compression: zstd:1
                sources:
                %2$s
                server:
                  listen: 127.0.0.1:0
                  state: { url: "%3$s" }
                  schedules: off
                  jobs: { retry: { attempts: 20, first-after: 3s, at-most: 10s } }
                """
                        .formatted(folder.path(), sources, url()));
        return file;
    }

    private String url() {
        return "postgresql://mainstay@127.0.0.1:" + clusters.getFirst().port() + "/state";
    }

    @Test
    void eachTimeComesOutOnceWhateverIsKilled() throws Exception {
        System.out.println(
                SCHEDULES + " schedules, " + KILLS + " kills, seed " + SEED + ", times " + SPEED);
        for (int i = 0; i < BACKED_UP; i++) {
            clusters.add(
                    TestCluster.create(
                            Versions.NEWEST,
                            ClusterOptions.standard()
                                    .withWalSegmentMib(1)
                                    .with("max_connections", "100")));
        }
        clusters.getFirst()
                .sql("CREATE ROLE mainstay LOGIN", "CREATE DATABASE state OWNER mainstay");
        Path first = configuration("one", true);
        Configuration configuration = new ConfigurationReader(Map.of()).read(first);
        try (Repository repository =
                RepositoryAccess.create(configuration.repository(), Ground.ofThisHost())) {
            configuration.sources().keySet().forEach(repository::sourceOrAdd);
            judge(repository, work(first));
        }
    }

    @AfterEach
    void close() throws IOException {
        for (Seat each : seats) {
            each.process.close();
        }
        clusters.forEach(TestCluster::close);
        folder.close();
    }

    private OccurrenceJudge.Span work(Path first) throws Exception {
        ServerState.Shared where = new ServerState.Shared(url(), Optional.empty());
        try (StateDatabase state = StateDatabase.open(where, Map.of())) {
            JdbcClient jdbc = JdbcClient.create(state.source());
            seats.add(seated(jdbc, first));
            Instant begun = time.instant();
            while (seats.size() < SERVERS) {
                seats.add(
                        seated(jdbc, configuration("server" + seats.size(), true)));
            }
            for (int i = 0; i < KILLS; i++) {
                pause(Duration.ofSeconds(10 + random.nextInt(40)));
                kill(jdbc);
            }
            outage(jdbc);
            pause(Duration.ofSeconds(100));
            Instant ended = time.instant();
            for (Seat each : seats) {
                each.process.close();
            }
            seats.clear();
            Path last = configuration("last", false);
            try (ServerProcess _ = ServerProcess.start(last, output("last"), time)) {
                Await.until(
                        "what waited to be done",
                        Duration.ofMinutes(3),
                        () ->
                                count(jdbc, "select count(*) from job where ended_at is null") == 0
                                        && count(jdbc, "select count(*) from scheduled_tasks") == 0);
            }
            return new OccurrenceJudge.Span(begun, ended);
        }
    }

    /// As the servers' clock has it.
    private void pause(Duration length) {
        Instant until = time.instant().plus(length);
        Await.until(
                "a clock",
                length.plusMinutes(1),
                () -> {
                    demandAlive();
                    return !time.instant().isBefore(until);
                });
    }

    private void demandAlive() throws IOException {
        for (Seat each : seats) {
            if (!each.process.isAlive()) {
                throw new AssertionError(each.name + " ended by itself:\n" + each.process.log());
            }
        }
    }

    private Path output(String name) {
        return folder.path().resolve("output-" + name);
    }

    private Seat seated(JdbcClient jdbc, Path configuration) throws IOException {
        ServerProcess process =
                ServerProcess.start(
                        configuration, output(seats.size() + "-" + kills.size()), time);
        String name =
                jdbc.sql(
                                """
                                select server from audit_entry where action = 'server start'
                                order by position desc limit 1
                                """)
                        .query(String.class)
                        .single();
        return new Seat(configuration, process, name);
    }

    /// A cluster, not the one that has the state, is away until a job waits to be tried again.
    private void outage(JdbcClient jdbc) {
        TestCluster away = clusters.getLast();
        away.stop();
        Await.until(
                "a job to wait for its next attempt",
                Duration.ofMinutes(3),
                () -> count(jdbc, "select count(*) from job where due_at is not null") > 0);
        away.start();
    }

    /// One of them; every second time while it takes a backup.
    private void kill(JdbcClient jdbc) throws Exception {
        int chosen = random.nextInt(SERVERS);
        Seat victim = seats.get(chosen);
        if (kills.size() % 2 == 0) {
            Await.until(
                    "a backup by " + victim.name,
                    Duration.ofMinutes(2),
                    () ->
                            !running(jdbc, victim.name, "kind = 'backup' and step is not null")
                                    .isEmpty());
        }
        victim.process.kill();
        kills.add(
                new OccurrenceJudge.Kill(
                        victim.name, time.instant(), running(jdbc, victim.name, "true")));
        seats.set(chosen, seated(jdbc, victim.configuration));
    }

    private static List<String> running(JdbcClient jdbc, String server, String more) {
        return jdbc.sql("select id from job where state = 'running' and server = :server and " + more)
                .param("server", server)
                .query(String.class)
                .list();
    }

    private static long count(JdbcClient jdbc, String sql) {
        return jdbc.sql(sql).query(Long.class).single();
    }

    private void judge(Repository repository, OccurrenceJudge.Span span) {
        ServerState.Shared where = new ServerState.Shared(url(), Optional.empty());
        try (StateDatabase state = StateDatabase.open(where, Map.of())) {
            OccurrenceJudge judge =
                    new OccurrenceJudge(
                            state,
                            repository,
                            span,
                            kills);
            List<String> schedules = new ArrayList<>();
            for (int i = 0; i < BACKED_UP + OTHERS; i++) {
                for (String work :
                        i < BACKED_UP
                                ? List.of("full", "incremental", "expire", "verify")
                                : List.of("expire", "verify")) {
                    schedules.add(source(i) + "/" + work);
                }
            }
            judge.judge(schedules);
        }
    }
}
