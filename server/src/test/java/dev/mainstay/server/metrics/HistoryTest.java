package dev.mainstay.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.config.Secret;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.server.state.History;
import dev.mainstay.server.state.SqlTime;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.TestSecrets;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is long over goes, and nothing else; what counts goes on to count. On H2 and on PostgreSQL.
class HistoryTest {
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final Duration KEPT = Duration.ofDays(90);
    private static final Duration LONG_AGO = KEPT.plusSeconds(1);

    @TempDir Path folder = Path.of("");
    private int number;

    @Test
    void onAStateOfItsOwn() {
        try (StateDatabase state =
                StateDatabase.open(
                        new ServerState.Directory(folder.resolve("state")), Map.of())) {
            forgets(state);
        }
    }

    @Test
    void onASharedState() {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            cluster.sql("create database state");
            ServerState.Shared shared =
                    new ServerState.Shared(
                            "postgresql://postgres@127.0.0.1:" + cluster.port() + "/state",
                            Optional.of(Secret.of(TestSecrets.of("state"))));
            try (StateDatabase state = StateDatabase.open(shared, Map.of())) {
                forgets(state);
            }
        }
    }

    /// @param ended how long ago; it took a second
    private String job(
            JdbcClient jdbc, String kind, String state, String parameters, Duration ended) {
        String id = "j%05d".formatted(number++);
        Instant end = NOW.minus(ended);
        boolean over = !state.equals("queued");
        jdbc.sql(
                        """
                        insert into job (id, lane, kind, target, parameters, requested_by, state, created_at,
                          started_at, ended_at, cancel_requested, bytes_done, bytes_total, result)
                        values (:id, 'lane', :kind, 'orders', :parameters, 'someone', :state, :begin,
                          :started, :end, false, 0, 0, '{}')
                        """)
                .param("id", id)
                .param("kind", kind)
                .param("state", state)
                .param("parameters", parameters)
                .param("begin", SqlTime.of(end.minusSeconds(1)))
                .param("started", over ? SqlTime.of(end.minusSeconds(1)) : null)
                .param("end", over ? SqlTime.of(end) : null)
                .update();
        jdbc.sql("insert into job_log (job, line, at, text) values (:id, 0, :at, 'a line')")
                .param("id", id)
                .param("at", SqlTime.of(end))
                .update();
        jdbc.sql(
                        """
                        insert into job_attempt (job, number, server, state, started_at, backups)
                        values (:id, 1, 's', 'done', :at, '')
                        """)
                .param("id", id)
                .param("at", SqlTime.of(end))
                .update();
        jdbc.sql(
                        """
                        insert into idempotency (who, idempotency_key, digest, job, created_at)
                        values ('someone', :id, '', :id, :at)
                        """)
                .param("id", id)
                .param("at", SqlTime.of(end))
                .update();
        occurrence(jdbc, id, ended);
        return id;
    }

    private static void occurrence(JdbcClient jdbc, String job, Duration ago) {
        jdbc.sql(
                        """
                        insert into occurrence (schedule, at, outcome, job) values (:name, :at, 'started', :job)
                        """)
                .param("name", "schedule of " + job)
                .param("at", SqlTime.of(NOW.minus(ago)))
                .param("job", job.isEmpty() ? null : job)
                .update();
    }

    private String alert(JdbcClient jdbc, String key, String state, Duration ago) {
        String id = "a%05d".formatted(number++);
        jdbc.sql(
                        """
                        insert into alert (id, alert_key, rule, subject, severity, state, occasion, title,
                          reason, meaning, todo, began_at, raised_at, seen_at, resolved_at, hushed)
                        values (:id, :key, 'backup-failed', '', 'high', :state, '', '', '', '', '', :at, :at,
                          :at, :resolved, false)
                        """)
                .param("id", id)
                .param("key", key)
                .param("state", state)
                .param("at", SqlTime.of(NOW.minus(ago)))
                .param("resolved", state.equals("resolved") ? SqlTime.of(NOW.minus(ago)) : null)
                .update();
        jdbc.sql(
                        """
                        insert into notice (id, channel, news, alert, severity, subject, body, created_at,
                          due_at, state, attempts)
                        values (:id, 'mail', 'raised', :id, 'high', '', '', :at, :at, :state, 1)
                        """)
                .param("id", id)
                .param("at", SqlTime.of(NOW.minus(ago)))
                .param("state", state.equals("resolved") ? "sent" : "pending")
                .update();
        return id;
    }

    private static List<String> all(JdbcClient jdbc, String column, String table) {
        return jdbc.sql("select " + column + " from " + table + " order by 1")
                .query(String.class)
                .list();
    }

    private static List<JobFacts.Total> totals(JdbcClient jdbc) {
        return new JobHistory(jdbc)
                .read(NOW, List.of("orders")).totals().stream()
                        .sorted(Comparator.comparing(JobFacts.Total::toString))
                        .toList();
    }

    private void forgets(StateDatabase state) {
        JdbcClient jdbc = JdbcClient.create(state.source());
        Duration recently = KEPT.minusSeconds(1);
        String full = "{\"type\":\"full\"}";
        for (int i = 0; i < 1200; i++) { // more than go at once
            job(jdbc, "backup", "done", i % 2 == 0 ? full : "{}", LONG_AGO);
        }
        job(jdbc, "verify", "failed", "{}", LONG_AGO);
        List<String> stay =
                List.of(
                        job(jdbc, "verify", "failed", "{}", LONG_AGO), // the newest that failed
                        job(jdbc, "verify", "done", "{}", LONG_AGO), // and the newest that did not
                        job(jdbc, "backup", "queued", "{}", LONG_AGO),
                        job(jdbc, "backup", "done", full, recently),
                        job(jdbc, "backup", "done", full, recently));
        occurrence(jdbc, "", LONG_AGO);
        alert(jdbc, "old", "resolved", LONG_AGO);
        List<String> alerts =
                List.of(
                        alert(jdbc, "old", "resolved", LONG_AGO), // by which it is known
                        alert(jdbc, "open", "firing", LONG_AGO),
                        alert(jdbc, "new", "resolved", recently));
        List<JobFacts.Total> before = totals(jdbc);
        History history =
                new History(
                        jdbc,
                        new TransactionTemplate(new JdbcTransactionManager(state.source())),
                        () -> KEPT);
        history.forget(NOW);
        assertThat(all(jdbc, "id", "job")).isEqualTo(stay);
        for (String table : List.of("job_log", "job_attempt", "idempotency", "occurrence")) {
            assertThat(all(jdbc, "job", table)).as(table).isEqualTo(stay);
        }
        assertThat(all(jdbc, "id", "alert")).isEqualTo(alerts);
        assertThat(all(jdbc, "id", "notice")).isEqualTo(alerts.subList(1, 3));
        assertThat(totals(jdbc)).isEqualTo(before).isNotEmpty();
        job(jdbc, "verify", "failed", "{}", Duration.ZERO); // now the one before it is not the newest
        List<JobFacts.Total> later = totals(jdbc);
        history.forget(NOW);
        assertThat(all(jdbc, "id", "job")).doesNotContain(stay.getFirst()).hasSize(stay.size());
        assertThat(totals(jdbc)).isEqualTo(later);
    }
}
