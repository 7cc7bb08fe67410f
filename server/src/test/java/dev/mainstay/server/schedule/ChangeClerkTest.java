package dev.mainstay.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.server.alert.Scene;
import dev.mainstay.server.job.JobRequest;
import dev.mainstay.server.metrics.ClusterFacts;
import dev.mainstay.server.state.SqlTime;
import dev.mainstay.server.state.StateDatabase;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
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

class ChangeClerkTest {
    private static final long MIB = 1 << 20;

    @TempDir Path folder = Path.of("");
    private StateDatabase state;
    private JdbcClient jdbc;
    private ScheduleTable table;
    private final Scene scene = Scene.well();
    private final List<JobRequest> started = new ArrayList<>();
    private String jobState = "done";

    @BeforeEach
    void open() {
        state = StateDatabase.open(new ServerState.Directory(folder), Map.of());
        jdbc = JdbcClient.create(state.source());
        table = new ScheduleTable(jdbc);
    }

    @AfterEach
    void close() {
        state.close();
    }

    private ChangeClerk clerk(String onChange) {
        Configuration configuration =
                new ConfigurationReader(Map.of())
                        .parse(
                                "m.yaml",
                                """
                                repository: { url: file:///r, encryption: none }
                                sources:
                                  orders:
                                    postgres: { url: postgresql://h/d }
                                    schedules: { on-change: %s }
                                """
                                        .formatted(onChange),
                                folder);
        return new ChangeClerk(
                () -> configuration,
                scene::facts,
                table,
                new TransactionTemplate(new JdbcTransactionManager(state.source())),
                this::queued);
    }

    private String queued(JobRequest request) {
        started.add(request);
        String id = "job-" + started.size();
        jdbc.sql(
                        """
                        insert into job (id, lane, kind, target, parameters, requested_by, state,
                          created_at, ended_at, cancel_requested, bytes_done, bytes_total, result)
                        values (:id, 'l', 'backup', 'orders', '{}', :by, :state, :now, :now, false, 0, 0, '{}')
                        """)
                .param("id", id)
                .param("by", request.requestedBy())
                .param("state", jobState)
                .param("now", SqlTime.of(scene.now))
                .update();
        return id;
    }

    /// Every five seconds.
    private void passes(Duration length, ChangeClerk... servers) {
        Instant end = scene.now.plus(length);
        while (scene.now.isBefore(end)) {
            for (ChangeClerk each : servers) {
                each.tick(scene.now);
            }
            scene.now = scene.now.plusSeconds(5);
        }
    }

    @Test
    void aBackupIsTakenOnceEnoughWasWrittenAndNotTooOften() {
        String settings = "{ wal: 100MiB, at-most-every: 1h }";
        ChangeClerk one = clerk(settings);
        ChangeClerk two = clerk(settings);
        passes(Duration.ofHours(3), one, two);
        assertThat(started).isEmpty();
        scene.position = scene.start.plus(100 * MIB - 1);
        passes(Duration.ofMinutes(1), one, two);
        assertThat(started).isEmpty();
        scene.position = scene.start.plus(100 * MIB);
        passes(Duration.ofMinutes(59), one, two);
        assertThat(started).hasSize(1);
        assertThat(started.getFirst().parameters())
                .containsEntry("type", "auto")
                .hasEntrySatisfying(
                        JobRequest.BECAUSE,
                        why -> assertThat(why).startsWith("100").contains("of WAL were written since"));
        passes(Duration.ofMinutes(3), one, two); // it failed, say: there is no newer backup
        assertThat(started).hasSize(2);
        assertThat(table.occurrences("orders/on-change", 9)).hasSize(2);
        scene.start = scene.position;
        passes(Duration.ofHours(3), one, two);
        assertThat(started).hasSize(2);
        assertThat(one.next())
                .singleElement()
                .satisfies(
                        each -> {
                            assertThat(each.schedule()).isEqualTo("orders/on-change");
                            assertThat(each.cron()).isEqualTo("after 100.00 MiB of WAL");
                            assertThat(each.time()).isPresent();
                        });
    }

    @Test
    void aConfigurationThatWasLoadedIsBackedUp() {
        ChangeClerk clerk = clerk("{ configuration: true }");
        scene.position = Lsn.of(1L << 50);
        passes(Duration.ofMinutes(5), clerk);
        assertThat(started).as("the log is no matter").isEmpty();
        scene.configured = scene.now;
        scene.problem =
                Optional.of(new ClusterFacts.Problem(ErrorCode.SERVER_UNREACHABLE, "away"));
        passes(Duration.ofMinutes(5), clerk);
        assertThat(started).as("a server that is away").isEmpty();
        scene.problem = Optional.empty();
        passes(Duration.ofMinutes(5), clerk);
        assertThat(started).hasSize(1);
        assertThat(started.getFirst().parameters().get(JobRequest.BECAUSE))
                .startsWith("the configuration was loaded at");
    }

    @Test
    void nothingIsTakenWhileAnotherBackupRunsOrWasNotSeenYet() {
        ChangeClerk clerk = clerk("{ wal: 1MiB, at-most-every: 1min }");
        scene.position = scene.start.plus(MIB);
        jobState = "running";
        passes(Duration.ofMinutes(10), clerk);
        assertThat(started).hasSize(1);
        jdbc.sql("update job set state = 'done', ended_at = :now")
                .param("now", SqlTime.of(scene.now))
                .update();
        passes(scene.repositorySeen, clerk);
        assertThat(started).as("the repository was not read since").hasSize(1);
        passes(Duration.ofMinutes(1), clerk);
        assertThat(started).hasSize(2);
    }

    @Test
    void whileItsWindowIsClosedNothingBegins() {
        // it is noon
        ChangeClerk clerk =
                clerk("{ wal: 1MiB, window: { from: '22:00', to: '06:00', cancel-at-end: true } }");
        scene.position = scene.start.plus(MIB);
        passes(Duration.ofHours(10), clerk);
        assertThat(started).isEmpty();
        passes(Duration.ofMinutes(1), clerk);
        assertThat(started).hasSize(1);
        assertThat(started.getFirst().parameters())
                .containsEntry(JobRequest.WINDOW, "22:00-06:00 UTC")
                .containsEntry(JobRequest.CANCEL_AT_END, "true");
    }
}
